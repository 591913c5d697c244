# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only Konnect has: control planes, and the certificates that their data planes may use."""

from __future__ import annotations

from ._certificate import digest_of
from ._identity import ByComparison, Identity
from ._kind import Entity, Field, Kind

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
AUTH_TYPES = ("pinned_client_certs", "pki_client_certs")
_IN_CONFIG = ("cluster_type", "auth_type", "cloud_gateway", "proxy_urls")
_ENDPOINTS = ("control_plane_endpoint", "telemetry_endpoint")


def _flat(response: Entity, parent: str | None) -> Entity:
    """A control plane in the form in which it is written, without the record ``config``."""
    own = {name: value for name, value in response.items() if name != "config"}
    return {**own, **(response.get("config") or {})}


def as_returned(entity: Entity) -> Entity:
    """A control plane in the form in which Konnect returns it."""
    inside = (*_IN_CONFIG, *_ENDPOINTS)
    own = {name: value for name, value in entity.items() if name not in inside}
    config = {name: entity[name] for name in inside if name in entity}
    return {**own, "config": config} if entity else {}


def _complete(predicted: Entity) -> None:
    # No schema says it; source: Konnect's API of control planes.
    defaults = {
        "description": "", "labels": {}, "cluster_type": CLUSTER_TYPES[0],
        "auth_type": AUTH_TYPES[0], "cloud_gateway": False, "proxy_urls": [],
    }  # fmt: skip
    predicted.update({**defaults, **predicted})


CONTROL_PLANE = Kind(
    name="control_plane", path="control-planes",
    identity=Identity("name", fixed=("cluster_type", "cloud_gateway")), validated=False,
    read_only=_ENDPOINTS, read=_flat, predict=_complete,
    fields=(
        Field("name", nullable=False),
        Field("description", nullable=False),
        Field("labels", "dict", empty_is_null=True, nullable=False),
        Field("cluster_type", choices=CLUSTER_TYPES, nullable=False),
        Field("cloud_gateway", "bool", nullable=False),
        Field("auth_type", choices=AUTH_TYPES, nullable=False),
        Field(
            "proxy_urls",
            "list",
            elements="dict",
            unordered=True,
            empty_is_null=True,
            nullable=False,
            fields=(
                Field("host", required=True),
                Field("port", "int", required=True, between=(1, 65535)),
                Field("protocol", required=True),
            ),
        ),
    ),
)


DATA_PLANE_CERTIFICATE = Kind(
    name="data_plane_certificate", path="dp-client-certificates",
    identity=ByComparison("cert", key=lambda entity: digest_of(entity.get("cert") or "")),
    named_by=("title",), validated=False,
    # It has no PATCH.
    replaced=("title",),
    read=lambda response, parent: response.get("item") or response,
    fields=(
        Field("cert", nullable=False, compare_as=lambda pem: digest_of(str(pem))),
        Field("title", nullable=False),
    ),
)
