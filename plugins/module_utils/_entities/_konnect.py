# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only Konnect has: control planes, and the certificates that their data planes may use."""

from __future__ import annotations

import json
import re

from .._errors import InputError
from ._certificate import digest_of
from ._identity import ByComparison, Identity
from ._kind import PLACEHOLDER, Entity, Field, Kind, id_of, shown_id

DEFAULT_CONTROL_PLANE = "default"
GROUP = "CLUSTER_TYPE_CONTROL_PLANE_GROUP"
CLUSTER_TYPES = (
    "CLUSTER_TYPE_CONTROL_PLANE",
    "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER",
    GROUP,
    "CLUSTER_TYPE_SERVERLESS",
    "CLUSTER_TYPE_KAFKA_NATIVE_EVENT_PROXY",
    "CLUSTER_TYPE_SERVERLESS_V1",
)
# Why the entities of control planes of a type cannot be written.
READ_ONLY = {
    "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER": "its ingress controller does that",
    GROUP: "write those of its members",
}
# What keys of labels must not begin with, and what their values are.
_RESERVED = ("kong", "konnect", "mesh", "kic", "_")
_LABEL = re.compile(r"(?=.{1,63}$)[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?")
AUTH_TYPES = ("pinned_client_certs", "pki_client_certs")
# What responses have in the record config.
_ENDPOINTS = ("control_plane_endpoint", "telemetry_endpoint")
_CONFIG = ("cluster_type", "auth_type", "cloud_gateway", "proxy_urls", *_ENDPOINTS)


def as_labels(written: Entity) -> dict[str, str]:
    """Labels as strings, also where YAML reads a number or a boolean."""
    for key, value in written.items():
        if value is None or isinstance(value, (dict, list)):
            raise InputError(f"labels.{key} must be a string")
    return {key: v if isinstance(v, str) else json.dumps(v) for key, v in written.items()}


def _checked_labels(written: Entity) -> dict[str, str]:
    """Labels that Konnect takes; source: its API of control planes, and its SDK."""
    labels = as_labels(written)
    for key, value in labels.items():
        if not 1 <= len(key) <= 63 or key.startswith(_RESERVED):
            raise InputError(
                f"labels: the key {key!r} must have 1 to 63 characters, and not begin with any of "
                f"{', '.join(_RESERVED)}"
            )
        if not _LABEL.fullmatch(value):
            raise InputError(
                f"labels.{key} must have 1 to 63 letters, digits, hyphens, dots or underscores, "
                f"and begin and end with a letter or a digit, got {value!r}"
            )
    return labels


def _flat(response: Entity, parent: str | None) -> Entity:
    """A control plane in the form in which it is written, with only what else has in ``config``."""
    rest = dict(response.get("config") or {})
    own = {name: rest.pop(name) for name in _CONFIG if name in rest}
    return {**response, **own, "config": rest} if "config" in response else response


def _as_returned(entity: Entity) -> Entity:
    """A control plane in the form in which Konnect returns it."""
    known = {name: value for name, value in entity.items() if value is not None}
    config = {name: known.pop(name) for name in _CONFIG if name in known}
    return {**known, "config": {**known.get("config", {}), **config}}


def _complete(predicted: Entity) -> None:
    # No schema says it; source: Konnect's API of control planes.
    defaults = {
        "description": "", "labels": {}, "cluster_type": CLUSTER_TYPES[0],
        "auth_type": AUTH_TYPES[0], "cloud_gateway": False, "proxy_urls": [],
        **dict.fromkeys(_ENDPOINTS, shown_id(PLACEHOLDER)),
    }  # fmt: skip
    predicted.update({**defaults, **predicted})


CONTROL_PLANE = Kind(
    name="control_plane", path="control-planes",
    identity=Identity("name", fixed=("cluster_type", "cloud_gateway")), validated=False,
    read_only=("config", *_ENDPOINTS), read=_flat, show=_as_returned, predict=_complete,
    fields=(
        Field("name", nullable=False, length=(2, 256)),
        Field("description", nullable=False, length=(0, 2048)),
        Field("labels", "dict", normalise=_checked_labels, nullable=False),
        Field("cluster_type", choices=CLUSTER_TYPES, nullable=False),
        Field("cloud_gateway", "bool", nullable=False),
        Field("auth_type", choices=AUTH_TYPES, nullable=False),
        Field(
            "proxy_urls", "list", elements="dict", unordered=True, nullable=False, length=(0, 5),
            fields=(
                Field("host", required=True, length=(1, 120)),
                Field("port", "int", required=True, between=(1, 65535)),
                Field("protocol", required=True, length=(1, 32)),
            ),
        ),
    ),
)


def _below(response: Entity, parent: str | None) -> Entity:
    """What belongs to a control plane, which responses do not name."""
    above = {} if parent is None else {CONTROL_PLANE.name: {"id": parent}}
    return {**(response.get("item") or response), **above}


def _as_member(response: Entity, group: str | None) -> Entity:
    """A membership from the control plane that a group lists."""
    return _below({"id": f"{group}:{response['id']}", "member": {"id": response["id"]}}, group)


DATA_PLANE_CERTIFICATE = Kind(
    name="data_plane_certificate", path="dp-client-certificates",
    parent=CONTROL_PLANE.name, parent_kind=CONTROL_PLANE,
    identity=ByComparison("cert", key=lambda entity: digest_of(entity.get("cert") or "")),
    named_by=("title",), validated=False, read_only=(CONTROL_PLANE.name,), read=_below,
    # It has no PATCH.
    replaced=("title",),
    fields=(
        Field("cert", nullable=False, compare_as=lambda pem: digest_of(str(pem))),
        Field("title", nullable=False),
    ),
)

# A control plane in a group: it is added or removed.
GROUP_MEMBER = Kind(
    name="group_member", path="group-memberships",
    parent=CONTROL_PLANE.name, parent_kind=CONTROL_PLANE,
    identity=ByComparison("member", key=lambda entity: id_of(entity.get("member"))),
    validated=False, read_only=("id",), read=_as_member, at_once=50,
    fields=(Field("member", compare_as=id_of, nullable=False),),
)

# What a control plane only reports.
NODE = Kind(
    name="node", path="nodes", parent=CONTROL_PLANE.name, parent_kind=CONTROL_PLANE,
    identity=Identity("hostname"), fields=(),
)
EXPECTED_CONFIG = Kind(
    name="expected_config", path="expected-config-hash",
    parent=CONTROL_PLANE.name, parent_kind=CONTROL_PLANE,
    identity=Identity("expected_hash"), fields=(),
    read=lambda response, parent: {"id": parent, **response},
)
