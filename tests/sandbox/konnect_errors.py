# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of Konnect: problem documents, and the gateway's errors as core entities report them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from .errors import Refusal, keys_text

PROBLEM = "application/problem+json"

DETAIL = "type.googleapis.com/kong.admin.model.v1.ErrorDetail"

#: Codes of core entities.
INVALID, NOT_FOUND, NOT_PERMITTED, NO_METHOD = 3, 5, 7, 12

TITLES = {
    400: "Bad Request",
    401: "Unauthenticated",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    415: "Unsupported Media Type",
    500: "Internal Server Error",
}

_traces = itertools.count(1)


class KonnectRefusal(Refusal):
    """An error in Konnect's own form."""


def problem(status: int, detail: str, **more: Any) -> KonnectRefusal:
    """A problem document, with the trace ID that Konnect's support asks for."""
    body = {
        "status": status,
        "title": TITLES[status],
        "instance": f"konnect:trace:{next(_traces):019d}",
        "detail": detail,
        **more,
    }
    return KonnectRefusal(status, body, PROBLEM)


def invalid(problems: list[dict[str, Any]]) -> KonnectRefusal:
    """A body or a query that is not valid."""
    return problem(400, "Invalid Parameters", invalid_parameters=problems)


def invalid_query(field: str, reason: str) -> KonnectRefusal:
    """A query parameter that is not valid."""
    return invalid([{"field": field, "rule": "invalid", "reason": reason, "source": "query"}])


def as_problem(refusal: Refusal) -> KonnectRefusal:
    """An error of the Admin API as a problem document."""
    message = str(refusal.body.get("message"))
    if refusal.status == 400:
        wrong = {"field": "body", "rule": "invalid", "reason": message, "source": "body"}
        return invalid([wrong])
    return problem(refusal.status, message)


def unauthorized(message: str) -> KonnectRefusal:
    """401 of a control plane's own paths."""
    return KonnectRefusal(401, {"message": message, "status": 401})


def not_found() -> KonnectRefusal:
    """404 of a control plane's own paths."""
    return KonnectRefusal(404, {"code": NOT_FOUND, "message": "not found"})


def _detail(kind: str, messages: list[str], field: str | None = None) -> dict[str, Any]:
    named = {} if field is None else {"field": field}
    return {"@type": DETAIL, "type": f"ERROR_TYPE_{kind}", **named, "messages": messages}


def _refusal(
    message: str, details: list[dict[str, Any]], status: int = 400, code: int = INVALID
) -> KonnectRefusal:
    return KonnectRefusal(status, {"code": code, "message": message, "details": details})


def bad_request(message: str) -> KonnectRefusal:
    """400 without details."""
    return KonnectRefusal(400, {"code": INVALID, "message": message})


def not_permitted(message: str) -> KonnectRefusal:
    """403: a control plane whose entities cannot be changed through the API."""
    return _refusal("usage constraint error", [_detail("ENTITY", [message])], 403, NOT_PERMITTED)


def translated(refusal: Refusal) -> KonnectRefusal:
    """An error of the Admin API as core entities report it: never 409, and codes of their own."""
    body, status = refusal.body, refusal.status
    fields = body.get("fields", {})
    if status == 404:
        return not_found()
    if status == 405:
        return KonnectRefusal(405, {"code": NO_METHOD, "message": "Method Not Allowed"})
    if body.get("name") == "schema violation":
        return _refusal("validation error", list(_violations(fields)))
    if body.get("name") in ("unique constraint violation", "primary key violation"):
        return _refusal("data constraint error", [_taken(fields)])
    if body.get("name") in ("foreign key violation", "foreign keys unresolved"):
        return _refusal("data constraint error", [_dangling(fields, body["message"])])
    return bad_request(body["message"]) if status in (400, 409) else KonnectRefusal(status, body)


def _taken(keys: dict[str, Any]) -> dict[str, Any]:
    """The field whose value is in use; of several, the entity's own and not its parent."""
    if {"name", "route"} <= keys.keys():
        # The index of a plugin is of many fields, and names none.
        message = "unique-plugin-per-entity (type: unique) constraint failed for value "
        return _detail("REFERENCE", [f"{message}'{keys['name']}...': "])
    own = {name: value for name, value in keys.items() if isinstance(value, str)}
    field = list(own)[-1] if own else next(iter(keys))
    value = own.get(field, keys_text(keys))
    message = f"{field} (type: unique) constraint failed for value '{value}': "
    return _detail("REFERENCE", [message], field)


def _dangling(fields: dict[str, Any], message: str) -> dict[str, Any]:
    field, value = next(iter(fields.items()))
    if field == "@referenced_by":
        return _detail("REFERENCE", [message])
    known = value.get("id") if isinstance(value, dict) else value
    said = f"{field}_id (type: foreign) constraint failed for value '{known}': "
    return _detail("REFERENCE", [said], f"{field}.id")


def _violations(fields: dict[str, Any], path: str = "") -> Iterator[dict[str, Any]]:
    """One detail for each field of an error table."""
    for name, error in fields.items():
        if name == "@entity":
            yield _detail("ENTITY", list(error), path or None)
            continue
        field = f"{path}.{name}" if path else name
        if isinstance(error, dict):
            yield from _violations(error, field)
        elif isinstance(error, list):
            for index, item in enumerate(error):
                found = item if isinstance(item, dict) else {}
                yield from _violations(found, f"{field}[{index}]")
                if isinstance(item, str):
                    yield _detail("FIELD", [item], f"{field}[{index}]")
        else:
            yield _detail("FIELD", [str(error)], field)
