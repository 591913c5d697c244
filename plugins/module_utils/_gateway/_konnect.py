# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dialect of a control plane of Konnect: no PATCH, IDs in paths, refusals of its own.

PRIVATE to the collection: it can change in any release.

Knows no Ansible.
"""

from __future__ import annotations

import re
import threading
import urllib.parse
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Callable

from .._client import Client
from .._connection import segment
from .._entities._identity import find_by_reference, looks_like_id
from .._entities._kind import Entity, Kind
from .._entities._registry import KINDS, parent_of
from .._errors import UNIQUE, InputError, Refused, UnexpectedAnswer
from .._parallel import for_each
from .._plan import Plan
from .._schema import from_json_schema
from ._admin import AdminGateway, unless_missing
from ._errors import ParentMissing, UniqueViolation
from ._protocol import Traits

MANAGED = {"konnect-managed", "konnect-managed-plugin"}
NO_HEALTH = (
    "Konnect does not have the health of targets: set status_urls (of kong_info, and of "
    "kong_target with wait) to the status URLs of the data planes; drain a target with "
    "state drained of kong_target"
)
NOT_KONNECT = "{} does not answer as Konnect does: check konnect_url"
_HINTS = {
    401: "; check konnect_token (or KONNECT_TOKEN)",
    403: "; check what konnect_token may do",
    429: "; Konnect limits requests",
}
# The parts of a host's name that say which region it is of.
_REGIONAL = re.compile(r"^https://[a-z]+\.(api|svc)\.konghq\.")
# Credentials that Konnect's data planes do not have.
_NOT_OFFERED = ("oauth2",)
_ONE = {"size": "1"}
# Remembers the ID that it is given a function for.
Remember = Callable[[Callable[[], str]], str]


def read_refusal(body: Mapping[str, Any], status: int) -> tuple[str, dict[str, Any]]:
    """Konnect's reason in one line, from the body of core entities or a problem document."""
    found = list(_reasons(body))
    fields: dict[str, Any] = {}
    for field, reason in found:
        *above, name = (field or "@entity").split(".")
        at = fields
        for step in above:
            at = at.setdefault(step, {})
        at[name] = reason
    message = str(body.get("detail") or body.get("message") or body.get("title") or "")
    texts = "; ".join(f"{field}: {why}" if field else why for field, why in found)
    text = f"{message} ({texts})" if found else f"{message} (HTTP {status})".strip()
    taken = any("(type: unique)" in reason for _field, reason in found)
    details = {name: body[name] for name in ("code",) if name in body}
    details.update({"name": UNIQUE if taken else message, "fields": fields})
    trace = str(body.get("instance") or "")
    if trace:
        details["trace_id"] = trace
    return f"{text}{_HINTS.get(status, '')}{f' (trace {trace})' if trace else ''}", details


def _reasons(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in body.get("details") or ():
        messages = each.get("messages") or ()
        yield str(each.get("field") or ""), "; ".join(text.strip(" :") for text in messages)
    for each in body.get("invalid_parameters") or ():
        yield str(each.get("field") or ""), str(each.get("reason") or each.get("rule") or "")


class KonnectGateway(AdminGateway):
    """The core entities of one control plane, which is looked up when the first one is asked for.

    :param remember: keeps the control plane's ID for the rest of a run.
    """

    lists_all = frozenset({"target"})
    not_offered = "Konnect does not have {}"

    def __init__(self, client: Client, remember: Remember) -> None:
        super().__init__(client.at("", read_refusal))
        self._remember = remember
        self._core: Client | None = None
        self._path = ""
        # Threads of a task look up what they share once.
        self._lock = threading.RLock()
        self._above: dict[tuple[str, str], str | None] = {}
        self.control_plane = client.connection.control_plane
        self.url = f"control plane {self.control_plane} of {client.connection.url}"

    @property
    def _client(self) -> Client:
        """Requests about the control plane's entities."""
        with self._lock:
            if self._core is None:
                path, workspace = f"{self.path}/core-entities", self.region.connection.workspace
                if workspace and workspace != "default":
                    self._find_workspace(path, workspace)
                    path += f"/{segment(workspace)}"
                self._core = self.region.at(path)
            return self._core

    @_client.setter
    def _client(self, client: Client) -> None:
        self.region = client

    @property
    def path(self) -> str:
        """The path of the control plane itself."""
        with self._lock:
            self._path = self._path or f"{CONTROL_PLANES}/{self._remember(self._look_up)}"
            return self._path

    def _look_up(self) -> str:
        wanted = str(self.region.connection.control_plane)
        found = find_control_plane(self.region, wanted)
        if found is None:
            raise InputError(
                f"control plane {wanted} does not exist at {self.region.url}: check control_plane, "
                f"and {self.region.connection.where} (a control plane of another region is not "
                "found, either)"
            )
        return str(found["id"])

    def _find_workspace(self, path: str, workspace: str) -> None:
        path += f"/workspaces/{segment(workspace)}"
        if unless_missing(lambda: self.region.request("GET", path)) is None:
            raise InputError(f"Workspace '{workspace}' does not exist at {self.url}")

    def identify(self) -> dict[str, Any]:
        host = _REGIONAL.sub(r"https://global.\1.konghq.", self.region.url)
        asked = self.region.at("", base=host)
        organization = asked.request("GET", "/v2/organizations/me") or {}
        if not organization.get("name"):
            raise UnexpectedAnswer(NOT_KONNECT.format(host))
        return {
            "version": None,
            "edition": "konnect",
            "role": "control_plane",
            "database": None,
            "hostname": None,
            "organization": organization["name"],
            "control_plane": self.path.rpartition("/")[2],
        }

    def describe(self, found: Mapping[str, Any]) -> str:
        return f"Successfully Konnected to the {found['organization']} organization!"

    def traits(self) -> Traits:
        return Traits(
            name="Kong Konnect", edition="konnect", role="control_plane", has_balancer=False,
            omits_nulls=True,
        )  # fmt: skip

    def offers(self, kind: Kind) -> bool:
        return kind.name not in _NOT_OFFERED

    def _parent(self, kind: Kind, parent: str | None) -> str | None:
        """The ID of a parent, as Konnect takes no names in paths; None: there is none."""
        if kind.parent is None or parent is None or looks_like_id(parent):
            return parent
        above = parent_of(kind)
        with self._lock:
            if (above.path, parent) not in self._above:
                found = find_by_reference(self, above, parent)
                self._above[above.path, parent] = None if found is None else str(found["id"])
            return self._above[above.path, parent]

    def _is_orphan(self, kind: Kind, parent: str | None) -> bool:
        return parent is not None and self._parent(kind, parent) is None

    def find_by(
        self, kind: Kind, field: str, value: str, parent: str | None = None
    ) -> Entity | None:
        if self._is_orphan(kind, parent):
            return None
        return super().find_by(kind, field, value, self._parent(kind, parent))

    def _is_in_path(self, kind: Kind, field: str, value: str) -> bool:
        takes_no_name = bool(kind.parent) or kind.path_key == "instance_name"
        return super()._is_in_path(kind, field, value) and (field == "id" or not takes_no_name)

    def entities(
        self, kind: Kind, parent: str | None = None, of: str = "", tags: Sequence[str] = ()
    ) -> list[Entity] | None:
        if parent is None and kind.name in self.lists_all:
            params = {"tags": ",".join(tags)} if tags else None
            return self._pages(kind, f"/{kind.path}", None, params)
        if of or parent is None:
            return super().entities(kind, parent, of, tags)
        above = self._parent(kind, parent)
        return None if above is None else super().entities(kind, above, of, tags)

    def _pages(
        self, kind: Kind, path: str, parent: str | None, params: Mapping[str, str] | None = None
    ) -> list[Entity]:
        return [each for each in super()._pages(kind, path, parent, params) if not _managed(each)]

    def create(self, kind: Kind, body: Entity, parent: str | None = None) -> Entity:
        if not self.offers(kind):
            raise InputError(self.not_offered.format(kind.schema_name))
        if self._is_orphan(kind, parent):
            raise ParentMissing(Refused("not found", 404))
        try:
            return super().create(kind, body, self._parent(kind, parent))
        except UniqueViolation as exc:
            # Konnect names the field; the value is the one that was sent.
            exc.taken = {name: body.get(name) for name in exc.fields}
            raise

    def update(self, plan: Plan, parent: str | None = None) -> Entity:
        _refuse_managed(plan.stored)
        kind, body = plan.kind, dict(plan.full_body)
        params = None
        if body.get("hash_on") == "none" and "hash_on" not in plan.body:
            # Written, it would turn the algorithm into round-robin; left out, it stays none.
            del body["hash_on"]
        if "password" in body and "password" not in plan.body:
            params = {"skip_hash": "true"}
        above = self._parent(kind, parent)
        return self._entity("PUT", kind, above, plan.stored["id"], body, params=params)

    def delete(self, kind: Kind, current: Entity, parent: str | None = None) -> None:
        _refuse_managed(current)
        if not self._is_orphan(kind, parent):
            super().delete(kind, current, self._parent(kind, parent))

    def _read_schema(self, name: str) -> dict[str, Any] | None:
        if "/" in name:
            return super()._read_schema(name)
        path = f"/v1/schemas/json/{_json_name(name)}"
        found = unless_missing(lambda: self._client.request("GET", path))
        return None if found is None else from_json_schema(found)

    def _validation_path(self, kind: Kind) -> str:
        return f"/schemas/{_json_name(kind.schema_name)}/validate"

    def plugin_names(self) -> list[str]:
        return []

    def kinds_tagged(self, tag: str, known: Collection[str] = ()) -> set[str]:
        """Konnect has no list by tag, so each kind that is not known to matter is asked for."""
        asked = [
            kind
            for kind in KINDS.values()
            if kind.name not in known
            and self.offers(kind)
            and any(field.name == "tags" for field in kind.fields)
        ]
        lists = for_each(lambda kind: self.entities(kind, tags=(tag,)) or [], asked)
        return {kind.name for kind, listed in zip(asked, lists) if listed}

    def data_planes(self) -> list[Entity]:
        return [{**node, "last_seen": node.get("last_ping")} for node in self.nodes()]

    def nodes(self) -> list[Entity]:
        """The data planes as Konnect lists them, those that are long gone included."""
        return list(items(self.region, f"{self.path}/nodes"))

    def holds(self) -> list[str]:
        """The paths of the kinds of which it has entities, and of its data planes."""
        kinds = [each for each in KINDS.values() if not each.parent and self.offers(each)]
        paths = [kind.path for kind in kinds if kind.name != "workspace"]
        pages = for_each(lambda path: self._client.request("GET", f"/{path}", params=_ONE), paths)
        held = [path for path, page in zip(paths, pages) if (page or {}).get("data")]
        return [*held, *(["data planes"] if self.nodes() else [])]

    def health(self, upstream: str) -> list[Entity] | None:
        raise InputError(NO_HEALTH)

    def set_health(self, upstream: str, target: str, address: str | None, to: str) -> None:
        raise InputError(NO_HEALTH)


CONTROL_PLANES = "/v2/control-planes"


def control_planes(region: Client, **filters: str) -> Iterator[Entity]:
    """The control planes of a region, page by page.

    :param filters: of the query, such as ``filter[name][eq]``.
    """
    page = 1
    while True:
        query = {"page[size]": "100", "page[number]": str(page), **filters}
        answer = region.request("GET", CONTROL_PLANES, params=query)
        listed = answer.get("data") if isinstance(answer, dict) else None
        if listed is None:
            raise UnexpectedAnswer(NOT_KONNECT.format(region.url))
        yield from listed
        if len(listed) < 100:
            return
        page += 1


def find_control_plane(region: Client, wanted: str) -> Entity | None:
    """The control plane of an ID or a name; a name can look like an ID."""
    found = None
    if looks_like_id(wanted):
        path = f"{CONTROL_PLANES}/{segment(wanted)}"
        found = unless_missing(lambda: region.request("GET", path))
    named = (each for each in control_planes(region, **{"filter[name][eq]": wanted}))
    return found or next((each for each in named if each["name"] == wanted), None)


def items(region: Client, path: str) -> Iterator[Entity]:
    """A list that is paged by a cursor, in Konnect's older shape or its newer one."""
    query = {"page[size]": "100"}
    while True:
        answer = region.request("GET", path, params=query) or {}
        yield from answer.get("items") or answer.get("data") or ()
        page = (answer.get("meta") or answer).get("page") or {}
        after = page.get("next_cursor") or _cursor(str(page.get("next") or ""))
        if not after or after == query.get("page[after]"):
            return
        query["page[after]"] = after


def _cursor(link: str) -> str:
    """What a link to the next page goes on after; some answers have the bare value."""
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)
    return query.get("page[after]", [link if "=" not in link else ""])[0]


def _json_name(schema: str) -> str:
    kind = next((each for each in KINDS.values() if each.schema_name == schema), None)
    if kind is None:
        return schema.removesuffix("s")
    return kind.name.replace("_", "-") if "-" in kind.path else kind.name


def _managed(entity: Entity) -> bool:
    return bool(MANAGED & set(entity.get("tags") or ()))


def _refuse_managed(entity: Entity) -> None:
    if _managed(entity):
        raise InputError("Konnect manages it itself (the tag konnect-managed): it is left alone")


class KonnectAccount(AdminGateway):
    """What belongs to no control plane's entities: control planes themselves, and certificates.

    :param gateway: the control plane of the task, where ``within`` it.
    """

    def __init__(self, gateway: KonnectGateway, within: bool) -> None:
        super().__init__(gateway.region)
        self.plane = gateway
        self.within = within
        self.url = gateway.url if within else gateway.region.url

    @property
    def _client(self) -> Client:
        return self.region.at(self.plane.path if self.within else "/v2")

    @_client.setter
    def _client(self, client: Client) -> None:
        self.region = client

    def traits(self) -> Traits:
        return self.plane.traits()

    def entities(
        self, kind: Kind, parent: str | None = None, of: str = "", tags: Sequence[str] = ()
    ) -> list[Entity] | None:
        path = f"{self.plane.path}/{kind.path}" if self.within else ""
        listed = items(self.region, path) if path else control_planes(self.region)
        return [kind.read(each, None) for each in listed]

    def find_by(
        self, kind: Kind, field: str, value: str, parent: str | None = None
    ) -> Entity | None:
        if field != "name":
            return super().find_by(kind, field, value, parent)
        found = next((each for each in self.listed(name=value) if each["name"] == value), None)
        return found and kind.read(found, None)

    def listed(self, labels: Mapping[str, str] | None = None, **equal: str | None) -> list[Entity]:
        """Control planes as Konnect returns them.

        :param labels: what they must have.
        :param equal: what their fields must be; None: anything.
        """
        filters = {f"filter[{name}][eq]": value for name, value in equal.items() if value}
        if labels:
            filters["labels"] = ",".join(f"{key}:{value}" for key, value in labels.items())
        return list(control_planes(self.region, **filters))

    def schema(self, name: str) -> dict[str, Any] | None:
        return None

    def data_planes(self) -> list[Entity]:
        return self.plane.data_planes()

    def of(self, control_plane: str) -> KonnectGateway:
        """The entities of another control plane, by its ID."""
        return KonnectGateway(self.region, lambda look_up: control_plane)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """What no kind of entity stands for."""
        return self._client.request(method, path, body, repeatable=True)
