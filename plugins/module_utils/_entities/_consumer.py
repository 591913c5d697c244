# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Consumers, their groups with who is in them, and the workspaces that all entities live in."""

from __future__ import annotations

from ._identity import ByComparison, Identity
from ._kind import CASCADE, Entity, Field, Kind, id_of, tags_field

CONSUMER = Kind(
    name="consumer", path="consumers", identity=Identity("username"),
    named_by=("username", "custom_id"), unique=("custom_id",),
    fields=(Field("username"), Field("custom_id"), tags_field()),
)

CONSUMER_GROUP = Kind(
    name="consumer_group", path="consumer_groups", identity=Identity("name"),
    optional=True, read=lambda response, parent: response.get("consumer_group") or response,
    fields=(Field("name", nullable=False), tags_field()),
)


def _as_member(response: Entity, group: str | None) -> Entity:
    """A membership from the consumer that a gateway lists."""
    named = {name: response.get(name) for name in ("id", *CONSUMER.named_by)}
    key = f"{group}:{response['id']}"
    return {"id": key, "consumer": named, "consumer_group": {"id": group}}


# A membership has no ID of its own and nothing to change: it is created or deleted.
MEMBER = Kind(
    name="consumer_group_member", path="consumers", schema="consumer_group_consumers",
    identity=ByComparison("consumer", key=lambda member: id_of(member.get("consumer"))),
    parent="consumer_group", optional=True, validated=False,
    path_id=lambda member: str(member["consumer"]["id"]), read_only=("id", "tags"), read=_as_member,
    write=lambda member: {"consumer": member["consumer"]["id"]},
    fields=(
        Field(
            "consumer", reference="consumer", on_delete=CASCADE, compare_as=id_of, nullable=False
        ),
    ),
)


WORKSPACE = Kind(
    name="workspace", path="workspaces", identity=Identity("name"), optional=True,
    keeps_nulls=("config",),
    fields=(
        Field("name", nullable=False),
        Field("comment"),
        Field("config", "dict", open=True),
        Field("meta", "dict", open=True),
    ),
)

KINDS = (CONSUMER, CONSUMER_GROUP, MEMBER, WORKSPACE)
