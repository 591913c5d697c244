# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plugins: what a gateway does with requests, for all of them or within a scope."""

from __future__ import annotations

from collections.abc import Sequence

from .._errors import InputError
from ._identity import ByComparison, Identity, Source
from ._kind import CASCADE, Entity, Field, Kind, id_of, tags_field
from ._route import ROUTE
from ._service import PROTOCOLS

# The foreign keys that are a plugin's scope, the narrowest collection first. Of one name a gateway
# has one plugin in each scope (case plugin_scopes).
SCOPES = ("route", "consumer", "service", "consumer_group")


def _as_links(links: object) -> object:
    """Links to partials in one order, by partial and setting."""
    if not isinstance(links, list):
        return links
    return sorted((str(link.get("id")), str(link.get("path"))) for link in links)


def without_linked(plugin: Entity) -> Entity:
    """A plugin with links to partials by id, and without the settings from them.

    A gateway returns them merged in some responses, and does not accept them.
    """
    links = plugin.get("partials")
    if not links:
        return plugin
    own = {**plugin, "partials": [{"id": each["id"], "path": each.get("path")} for each in links]}
    for link in own["partials"]:
        own = _without(own, str(link["path"] or "").split("."))
    return own


def _without(record: Entity, path: Sequence[str]) -> Entity:
    first, *rest = path
    if not rest or not isinstance(record.get(first), dict):
        return {name: value for name, value in record.items() if rest or name != first}
    return {**record, first: _without(record[first], rest)}


def _refuse_other_protocols(written: Entity, plugin: Entity, source: Source) -> None:
    """Refuse a plugin without a protocol of its route, or of any route of its service.

    Source: the conformance case plugin_protocols.
    """
    if not written.get("protocols"):
        return
    route, service = (id_of(plugin.get(name)) for name in ("route", "service"))
    if route:
        routes = [source.find_by(ROUTE, "id", route)]
        what = "the associated route's protocols"
    else:
        routes = [*(source.entities(ROUTE, service, "service") or ())] if service else []
        what = "the protocols of at least one route pointing to this Plugin's service"
    offered = [{*each["protocols"]} for each in routes if each]
    if offered and not any(each & {*written["protocols"]} for each in offered):
        raise InputError(f"schema violation (protocols: must match {what})")


def _scope(name: str) -> Field:
    return Field(name, reference=name, on_delete=CASCADE, nested=True)


PLUGIN = Kind(
    name="plugin", path="plugins",
    identity=ByComparison("name", ("name", *SCOPES), SCOPES, by_path="instance_name"),
    named_by=("name", "instance_name"), unique=("instance_name",),
    typed_by_name=True, keeps_nulls=("config",),
    replaced=("partials",), read=lambda plugin, parent: without_linked(plugin),
    refuse_mismatch=_refuse_other_protocols,
    fields=(
        Field("name", nullable=False),
        Field("instance_name"),
        *(_scope(name) for name in ("service", "route", "consumer", "consumer_group")),
        Field("config", "dict", open=True),
        Field("protocols", "list", elements="str", choices=PROTOCOLS, unordered=True),
        Field("enabled", "bool"),
        Field("ordering", "dict", open=True),
        Field("condition"),
        Field(
            "partials", "list", elements="dict", lists="partial", empty_is_null=True,
            compare_as=_as_links,
        ),
        tags_field(),
    ),
)

# Settings that several plugins share.
PARTIAL = Kind(
    name="partial", path="partials", identity=Identity("name"), optional=True,
    fields=(
        Field("name", nullable=False),
        Field("type", nullable=False),
        Field("config", "dict", open=True),
        tags_field(),
    ),
)

KINDS = (PLUGIN, PARTIAL)
