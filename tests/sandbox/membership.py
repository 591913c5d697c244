# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Consumer groups of the enterprise edition and the consumers in them."""

from __future__ import annotations

import dataclasses
from typing import Any

from . import errors
from .resources import Answer, Call, Resource, Resources
from .store import Entity

MEMBERS = "consumer_group_consumers"

#: From this release on the members of a group come in pages as other lists do.
PAGED = (3, 5)


class Membership:
    """`/consumer_groups/{g}`, its `/consumers`, and `/consumers/{c}/consumer_groups`."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self.entities = resources.entities
        self.store = self.entities.store

    def find(self, segments: list[str]) -> Resource | None:
        """The resource of such a path; None for any other."""
        match segments:
            case ["consumer_groups", group]:
                return self._group(group)
            case ["consumer_groups", group, "consumers"]:
                return self._members(group)
            case ["consumer_groups", group, "consumers", consumer]:
                return self._member(group, consumer)
            case ["consumers", consumer, "consumer_groups"]:
                return self._groups(consumer)
            case ["consumers", consumer, "consumer_groups", group]:
                return Resource({"DELETE": self._member(group, consumer).methods["DELETE"]})
        return None

    # -- what is there

    def _existing(self, kind: str, text: str) -> Entity:
        return self.resources.existing(self.resources.kinds[kind], text)

    def _named(self, kind: str, word: str, text: Any) -> Entity:
        """An entity that a body names; the answer tells which of them is missing."""
        found = None
        if isinstance(text, str):
            found = self.entities.find(kind, self.entities.keys(kind, text))
        if found is None:
            raise errors.Refusal(404, {"message": f"{word} '{text}' not found"})
        return found

    def _consumers_of(self, group: Entity) -> list[Entity]:
        members = self.store.children(MEMBERS, "consumer_group", group["id"])
        found = (self.store.get("consumers", member["consumer"]["id"]) for member in members)
        return [consumer for consumer in found if consumer is not None]

    def _groups_of(self, consumer: Entity) -> list[Entity]:
        members = self.store.children(MEMBERS, "consumer", consumer["id"])
        found = (self.store.get("consumer_groups", m["consumer_group"]["id"]) for m in members)
        return [group for group in found if group is not None]

    def _membership(self, group: Entity, consumer: Entity) -> Entity | None:
        keys = ({"id": group["id"]}, {"id": consumer["id"]})
        return self.store.find(MEMBERS, ("consumer_group", "consumer"), keys)

    # -- what is changed

    def _join(self, pairs: list[tuple[Entity, Entity]]) -> None:
        """Put consumers into groups; all of them, or none where one is in it already."""
        with self.store.lock:
            for group, consumer in pairs:
                if self._membership(group, consumer) is not None:
                    name = consumer.get("username") or consumer["id"]
                    message = f"Consumer '{name}' already in group '{group['id']}'"
                    raise errors.Refusal(409, {"message": message})
            for group, consumer in pairs:
                keys = {"consumer_group": {"id": group["id"]}, "consumer": {"id": consumer["id"]}}
                self.entities.insert(MEMBERS, keys)

    def _leave(self, pairs: list[tuple[Entity, Entity]]) -> None:
        with self.store.lock:
            for group, consumer in pairs:
                found = self._membership(group, consumer)
                if found is not None:
                    self.entities.delete(MEMBERS, found)

    # -- the paths

    def _group(self, text: str) -> Resource | None:
        plain = self.resources.find(["consumer_groups", text])
        if plain is None:
            return None

        def select(call: Call) -> Answer:
            group = self._existing("consumer_groups", text)
            body: dict[str, Any] = {"consumer_group": group}
            if call.query.get("list_consumers") != "false":
                body["consumers"] = self._consumers_of(group)
            return 200, body

        return dataclasses.replace(plain, methods={**plain.methods, "GET": select})

    def _members(self, text: str) -> Resource:
        def page(call: Call) -> Answer:
            consumers = self._consumers_of(self._existing("consumer_groups", text))
            if self.entities.gateway.release < PAGED:
                return 200, {"consumers": consumers}
            kind = self.resources.kinds["consumers"]
            path = f"/consumer_groups/{text}/consumers"
            return 200, self.resources.page(kind, consumers, call, path)

        def join(call: Call) -> Answer:
            group = self._existing("consumer_groups", text)
            names = _names(call, "consumer")
            consumers = [self._named("consumers", "Consumer", name) for name in names]
            self._join([(group, consumer) for consumer in consumers])
            return 201, {"consumer_group": group, "consumers": consumers}

        def clear(call: Call) -> Answer:
            group = self._existing("consumer_groups", text)
            self._leave([(group, consumer) for consumer in self._consumers_of(group)])
            return 204, None

        return Resource({"GET": page, "POST": join, "DELETE": clear})

    def _member(self, group_text: str, consumer_text: str) -> Resource:
        def found() -> tuple[Entity, Entity]:
            group = self._existing("consumer_groups", group_text)
            consumer = self._existing("consumers", consumer_text)
            if self._membership(group, consumer) is None:
                raise errors.not_found()
            return group, consumer

        def select(call: Call) -> Answer:
            group, consumer = found()
            return 200, {"consumer_group": group, "consumers": [consumer]}

        def leave(call: Call) -> Answer:
            self._leave([found()])
            return 204, None

        return Resource({"GET": select, "DELETE": leave})

    def _groups(self, text: str) -> Resource:
        def page(call: Call) -> Answer:
            groups = self._groups_of(self._existing("consumers", text))
            if self.entities.gateway.release < PAGED:
                return 200, {"consumer_groups": groups}
            kind = self.resources.kinds["consumer_groups"]
            path = f"/consumers/{text}/consumer_groups"
            return 200, self.resources.page(kind, groups, call, path)

        def join(call: Call) -> Answer:
            consumer = self._existing("consumers", text)
            names = _names(call, "group")
            groups = [self._named("consumer_groups", "Consumer group", name) for name in names]
            self._join([(group, consumer) for group in groups])
            return 201, {"consumer": consumer, "consumer_groups": groups}

        def clear(call: Call) -> Answer:
            consumer = self._existing("consumers", text)
            self._leave([(group, consumer) for group in self._groups_of(consumer)])
            return 204, None

        return Resource({"GET": page, "POST": join, "DELETE": clear})


def _names(call: Call, field: str) -> list[Any]:
    """What a body names: one text or a list of them."""
    value = call.body.get(field)
    if not value:
        raise errors.Refusal(400, {"message": f"must provide {field}"})
    return list(dict.fromkeys(value)) if isinstance(value, list) else [value]
