# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Konnect has outside of a control plane's entities: control planes, certificates, nodes.

Knows no Ansible.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._client import Client
from .._entities._kind import Entity, Kind
from .._entities._konnect import CONTROL_PLANE, EXPECTED_CONFIG, GROUP_MEMBER
from .._errors import UNIQUE, InputError, UnexpectedAnswer, flat_reasons
from .._plan import DELETE, Plan
from ._admin import AdminGateway, path_of, unless_missing
from ._protocol import Traits

NOT_KONNECT = "{} does not respond as Konnect does: check konnect_url (it has no path such as /v2)"
TRAITS = Traits(
    name="Kong Konnect", edition="konnect", role="control_plane", has_balancer=False,
    compares_references=False,
)
_HINTS = {
    401: "; check konnect_token (or KONNECT_TOKEN)",
    403: "; check what konnect_token may do",
    429: "; Konnect limits requests",
}
_KEYS = {"data", "items", "page", EXPECTED_CONFIG.identity.field}
_SIZE = 100


def read_refusal(body: Mapping[str, Any], status: int) -> tuple[str, dict[str, Any]]:
    """Konnect's reason in one line, from the body of core entities or a problem document."""
    fields: dict[str, Any] = {}
    for path, reason in _reasons(body):
        _add(fields, path, reason)
    message = _line(body.get("detail") or body.get("message") or body.get("title") or "")
    reasons = "; ".join(flat_reasons(fields))
    status_text = f"{message} (HTTP {status})" if message else f"HTTP {status}"
    text = f"{message} ({reasons})" if reasons else status_text
    details = {name: body[name] for name in ("code",) if name in body}
    details.update({"name": UNIQUE if "(type: unique)" in reasons else message, "fields": fields})
    trace = str(body.get("instance") or "")
    if trace:
        details["trace_id"] = trace
    return f"{text}{_HINTS.get(status, '')}{f' (trace {trace})' if trace else ''}", details


def _reasons(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Paths of fields and reasons; a server between us and Konnect has other shapes."""
    for listed in (body.get("details") or (), body.get("invalid_parameters") or ()):
        for each in listed if isinstance(listed, (list, tuple)) else [listed]:
            record = each if isinstance(each, dict) else {"reason": each}
            found = record.get("messages") or record.get("reason") or record.get("rule")
            for reason in found if isinstance(found, list) else [found]:
                if reason:
                    yield str(record.get("field") or "@entity"), _line(reason).strip(" :")


def _line(text: Any) -> str:
    return " ".join(str(text).split())


def _add(fields: dict[str, Any], path: str, reason: str) -> None:
    """Add a reason where the body of an Admin API has it; a record can have one of its own, too."""
    name, _dot, rest = path.partition(".")
    known = fields.get(name)
    if rest or isinstance(known, dict):
        fields[name] = known if isinstance(known, dict) else {"@entity": known}
        _add(fields[name], rest or "@entity", reason)
    else:
        fields[name] = reason if known is None else f"{known}; {reason}"


class KonnectAccount(AdminGateway):
    """The control planes of a region, and what each has beside its entities."""

    omits_nulls = True
    takes_names = False

    def __init__(self, client: Client) -> None:
        super().__init__(client.at("/v2", read_refusal))
        self.url = client.connection.url

    def traits(self) -> Traits:
        return TRAITS

    def schema(self, name: str) -> dict[str, Any] | None:
        return None

    def entities(
        self, kind: Kind, parent: str | None = None, of: str = "", tags: Sequence[str] = ()
    ) -> list[Entity] | None:
        return self._entities(kind, parent)

    def _entities(self, kind: Kind, parent: str | None, **query: str) -> list[Entity] | None:
        found = unless_missing(lambda: list(self._listed(path_of(kind, parent), query)))
        if found is None and parent is None:
            raise UnexpectedAnswer(NOT_KONNECT.format(self.url))
        return found and [self._read(kind, each, parent) for each in found]

    def find_by(
        self, kind: Kind, field: str, value: str, parent: str | None = None
    ) -> Entity | None:
        if field != CONTROL_PLANE.path_key:
            return super().find_by(kind, field, value, parent)
        listed = self._entities(kind, None, **{f"filter[{field}][eq]": value}) or ()
        return next((each for each in listed if each[field] == value), None)

    def write_at_once(self, plans: Sequence[Plan], parent: str | None) -> None:
        path = path_of(GROUP_MEMBER, parent, "remove" if plans[0].operation == DELETE else "add")
        body = {"members": [plan.entity["member"] for plan in plans]}
        self._client.request("POST", path, body, repeatable=True)

    def missing(self, kind: Kind, key: str) -> str:
        raise InputError(
            f"control plane {key} does not exist at {self.url}: check its name, and "
            "konnect_region or konnect_url (one of another region is not found, either)"
        )

    def _listed(self, path: str, query: dict[str, str]) -> Iterator[Entity]:
        """A list of Konnect, paged by numbers or by a cursor, in its older shape or its newer."""
        query["page[size]"] = str(_SIZE)
        while True:
            response = self._client.request("GET", path, params=query)
            if not isinstance(response, dict) or not response.keys() & _KEYS:
                raise UnexpectedAnswer(NOT_KONNECT.format(self.url))
            # What is no list is a list of one.
            one = [response] if EXPECTED_CONFIG.identity.field in response else ()
            found = response.get("data") or response.get("items") or one
            yield from found
            page = (response.get("meta") or response).get("page") or {}
            after = page.get("next_cursor") or _cursor(str(page.get("next") or ""))
            if after and after != query.get("page[after]"):
                query["page[after]"] = after
            elif "number" in page and len(found) == _SIZE:
                query["page[number]"] = str(int(page["number"]) + 1)
            else:
                return


def _cursor(link: str) -> str:
    """Where the next page begins, of a link to it; some responses have the bare value."""
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)
    return query.get("page[after]", [link if "=" not in link else ""])[0]
