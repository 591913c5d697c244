# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control planes of Konnect: `/v2/control-planes`, one of them, and the list that decK asks for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from . import konnect_errors
from .organization import Organization, now
from .paging import Query
from .resources import Answer, Call, Resource
from .specification import Specification
from .store import Entity

#: Where data planes of a control plane join: "https://host:port".
Endpoint = Callable[[str], str]

Filter = Callable[[Entity], bool]

DEFAULT_SIZE = 10
OLDER_SIZE = 100
MAXIMUM_SIZE = 1000

SORTABLE = ("name", "created_at", "updated_at", "id")

#: What labels may not begin with.
RESERVED = ("kong", "konnect", "mesh", "kic", "_", "insomnia", "kuma")

CONFIG = ("cluster_type", "auth_type", "cloud_gateway", "proxy_urls")

#: How filters compare: by the operator, from the wanted text and a control plane's value.
OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda wanted, value: value == wanted,
    "neq": lambda wanted, value: value != wanted,
    "oeq": lambda wanted, value: value in wanted.split(","),
    "contains": lambda wanted, value: wanted in value,
}


def number(query: Query, name: str, default: int, highest: int | None = None) -> int:
    """A positive number of a query; refused where it is none."""
    text = query.get(name) or str(default)
    if not text.isdigit() or int(text) < 1 or (highest is not None and int(text) > highest):
        limit = "" if highest is None else f" and at most {highest}"
        raise konnect_errors.invalid_query(name, f"must be an integer of at least 1{limit}")
    return int(text)


class ControlPlanes:
    """The control planes of an organization."""

    def __init__(
        self, organization: Organization, specification: Specification, endpoint: Endpoint
    ) -> None:
        self.organization = organization
        self.store = organization.store
        self.specification = specification
        self.endpoint = endpoint
        self._filters = specification.document["components"]["schemas"][
            "ControlPlaneFilterParameters"
        ]["properties"]

    def find(self, segments: list[str]) -> Resource | None:
        """The resource below `/v2/control-planes`; None for any other path."""
        match segments:
            case []:
                return Resource({"GET": self._page, "POST": self._create})
            case [identifier]:
                return Resource({
                    "GET": lambda call: (200, self.shown(self.existing(identifier))),
                    "PATCH": lambda call: self._update(identifier, call),
                    "DELETE": lambda call: self._delete(identifier),
                })
        return None

    def existing(self, identifier: str) -> Entity:
        """The control plane of an id; refused where there is none."""
        found = self.store.get("control_planes", identifier)
        if found is None:
            raise konnect_errors.problem(404, "Not found")
        return found

    def shown(self, entity: Entity) -> Entity:
        """A control plane as answers have it."""
        own = {name: value for name, value in entity.items() if name not in CONFIG}
        config = {name: entity[name] for name in CONFIG}
        joined = self.endpoint(entity["id"])
        config |= {"control_plane_endpoint": joined, "telemetry_endpoint": joined}
        return {**own, "config": config}

    # -- lists

    def _page(self, call: Call) -> Answer:
        query = call.query
        size = number(query, "page[size]", DEFAULT_SIZE, MAXIMUM_SIZE)
        page = number(query, "page[number]", 1)
        wanted = [*self._wanted(query), *_labelled(query.get("labels", ""))]
        found = [
            entity for entity in self.store.all("control_planes")
            if all(holds(entity) for holds in wanted)
        ]
        found = _sorted(found, query.get("sort"))
        shown = [self.shown(entity) for entity in found[(page - 1) * size : page * size]]
        meta = {"page": {"number": page, "size": size, "total": len(found)}}
        return 200, {"meta": meta, "data": shown}

    def _wanted(self, query: Query) -> list[Filter]:
        """What `filter[name][eq]` and its like ask for."""
        return [
            self._compared(key.removeprefix("filter[").rstrip("]").split("]["), key, value)
            for key, value in query.items() if key.startswith("filter")
        ]

    def _compared(self, path: list[str], key: str, wanted: str) -> Filter:
        field, operator = (*path, "eq")[:2]
        known = self._filters.get(field)
        operators = (known or {}).get("properties", {"eq": None} if known else {})
        if operator not in operators or len(path) > 2:
            raise konnect_errors.invalid_query(key, "is not a filter of control planes")
        if field == "cloud_gateway":
            return lambda entity: entity[field] is (wanted == "true")
        compare = OPERATORS[operator]
        return lambda entity: compare(wanted, entity[field])

    def older_page(self, call: Call) -> Answer:
        """The list under its older path and in its older shape."""
        size = number(call.query, "size", OLDER_SIZE, MAXIMUM_SIZE)
        page = number(call.query, "page", 1)
        found = list(self.store.all("control_planes"))
        shown = [self.shown(entity) for entity in found[(page - 1) * size : page * size]]
        pages = -(-len(found) // size)
        return 200, {"data": shown, "page": page, "pageCount": pages, "totalCount": len(found)}

    # -- writes

    def _judged(self, name: str, call: Call) -> dict[str, Any]:
        problems = self.specification.problems(name, call.body)
        problems += [
            {"field": f"labels.{key}", "rule": "is_label", "source": "body",
             "reason": "must have 1 to 63 characters and no reserved beginning"}
            for key in _keys(call.body.get("labels"))
            if not 1 <= len(key) <= 63 or key.startswith(RESERVED)
        ]
        if problems:
            raise konnect_errors.invalid(problems)
        return call.body

    def _refuse_taken(self, name: str, identifier: str | None) -> None:
        found = self.store.find("control_planes", ("name",), (name,))
        if found is not None and found["id"] != identifier:
            org = self.organization.id
            detail = f"Key (org_id, name)=({org}, {name}) already exists."
            raise konnect_errors.problem(409, detail)

    def _create(self, call: Call) -> Answer:
        body = self._judged("CreateControlPlaneRequest", call)
        with self.organization.lock:
            self._refuse_taken(body["name"], None)
            return 201, self.shown(self.organization.create(body))

    def _update(self, identifier: str, call: Call) -> Answer:
        body = self._judged("UpdateControlPlaneRequest", call)
        with self.organization.lock:
            old = self.existing(identifier)
            changed = {**old, **body, "updated_at": now()}
            self._refuse_taken(changed["name"], identifier)
            self.store.put("control_planes", changed)
            return 200, self.shown(changed)

    def _delete(self, identifier: str) -> Answer:
        with self.organization.lock:
            self.existing(identifier)
            self.organization.remove(identifier)
        return 204, None


def _keys(labels: Any) -> list[str]:
    return list(labels) if isinstance(labels, dict) else []


def _labelled(text: str) -> list[Filter]:
    """What `labels=key:value,existing` asks for."""
    return [_has_label(*part.partition(":")) for part in text.split(",") if part]


def _has_label(key: str, colon: str, value: str) -> Filter:
    if not colon:
        return lambda entity: key in entity["labels"]
    return lambda entity: entity["labels"].get(key) == value


def _sorted(found: list[Entity], text: str | None) -> list[Entity]:
    field, _space, order = (text or "created_at").partition(" ")
    if field not in SORTABLE or order not in ("", "asc", "desc"):
        raise konnect_errors.invalid_query("sort", f"must be one of {', '.join(SORTABLE)}")
    return sorted(found, key=lambda entity: entity[field], reverse=order == "desc")


def restricted(resource: Resource, methods: set[str]) -> Resource:
    """A resource with those of its methods that are named."""
    kept = {name: handler for name, handler in resource.methods.items() if name in methods}
    return dataclasses.replace(resource, methods=kept)
