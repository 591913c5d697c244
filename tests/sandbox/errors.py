# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Admin API answers when it refuses: codes, names and the wording of the gateway."""

from __future__ import annotations

import json
import re
from typing import Any

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


JSON = "application/json; charset=utf-8"


class Refusal(Exception):
    """A request that is answered with an error: HTTP status, JSON body and its content type."""

    def __init__(self, status: int, body: dict[str, Any], media: str = JSON) -> None:
        super().__init__(body.get("message", ""))
        self.status = status
        self.body = body
        self.media = media


def _entries(value: dict[str, Any] | list[Any]) -> list[tuple[str, Any]]:
    """The entries of an error table as Lua counts and sorts them."""
    if isinstance(value, list):
        return [(str(index + 1), item) for index, item in enumerate(value) if item is not None]
    return sorted(value.items())


def pretty(value: Any, indent: str = "") -> str:
    """A table as the gateway writes it into a message: one entry a line, sorted, two spaces."""
    if not isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    inner = indent + "  "
    lines = []
    for key, item in _entries(value):
        name = key if IDENTIFIER.fullmatch(key) else f'["{key}"]'
        prefix = f"{name} = "
        if isinstance(value, list):
            prefix = f"[{key}] = " if None in value else ""
        lines.append(f"{inner}{prefix}{pretty(item, inner)}")
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def keys_text(keys: dict[str, Any]) -> str:
    """Key values on one line, as `{name="a",upstream={id="…"}}`."""
    parts = []
    for key, value in sorted(keys.items()):
        if isinstance(value, dict):
            parts.append(f"{key}={keys_text(value)}")
        else:
            parts.append(f"{key}={json.dumps(value, ensure_ascii=False)}")
    return "{" + ",".join(parts) + "}"


def _messages(errors: dict[str, Any]) -> list[str]:
    """One text an error: those of the whole entity first, then by field, two levels deep."""
    out = list(errors.get("@entity", []))
    for name, error in sorted(errors.items()):
        if name == "@entity":
            continue
        if isinstance(error, (dict, list)):
            out += [
                f"{name}.{key}: {item if isinstance(item, str) else pretty(item)}"
                for key, item in _entries(error)
            ]
        else:
            out.append(f"{name}: {error}")
    return out


def schema_violation(errors: dict[str, Any]) -> Refusal:
    """Code 2: `errors` by field; "@entity" holds those of the whole."""
    messages = _messages(errors)
    count = f"{len(messages)} schema violations" if len(messages) > 1 else "schema violation"
    return _refusal(400, 2, "schema violation", f"{count} ({'; '.join(messages)})", errors)


def _refusal(
    status: int, code: int, name: str, message: str, fields: dict[str, Any] | None = None
) -> Refusal:
    body: dict[str, Any] = {"code": code, "name": name, "message": message}
    if fields is not None:
        body["fields"] = fields
    return Refusal(status, body)


def invalid_primary_key(errors: dict[str, Any]) -> Refusal:
    """Code 1: an id that is none."""
    return _refusal(
        400, 1, "invalid primary key", f"invalid primary key: '{keys_text(errors)}'", errors
    )


def primary_key_violation(keys: dict[str, Any]) -> Refusal:
    """Code 3: an id that is taken, and a null where the database takes none."""
    shown = {name: "userdata: NULL" if key is None else key for name, key in keys.items()}
    message = f"primary key violation on key '{keys_text(shown)}'"
    return _refusal(400, 3, "primary key violation", message, keys)


def foreign_key_missing(field: str, value: dict[str, Any], kind: str) -> Refusal:
    """Code 4: a foreign key to an entity that is not there."""
    message = (
        f"the foreign key '{keys_text(value)}' does not reference an existing '{kind}' entity."
    )
    return _refusal(400, 4, "foreign key violation", message, {field: value})


def still_referenced(kind: str, by: str) -> Refusal:
    """Code 4: a delete of what others point to."""
    message = f"an existing '{by}' entity references this '{kind}' entity"
    return _refusal(400, 4, "foreign key violation", message, {"@referenced_by": by})


def unique_violation(keys: dict[str, Any]) -> Refusal:
    """Code 5: `keys` are the fields that are taken, foreign keys as {"id": …}."""
    message = f"UNIQUE violation detected on '{keys_text(keys)}'"
    return _refusal(409, 5, "unique constraint violation", message, keys)


def no_such_entity(keys: dict[str, Any]) -> Refusal:
    """Code 6: a PATCH of what is not there."""
    kind_of_key = "primary key " if "id" in keys else ""
    message = f"could not find the entity with {kind_of_key}'{keys_text(keys)}'"
    return _refusal(404, 6, "not found", message, keys)


def invalid_offset(offset: str, reason: str) -> Refusal:
    """Code 7: an offset that no page answered."""
    return _refusal(400, 7, "invalid offset", f"'{offset}' is not a valid offset: {reason}")


def invalid_size(message: str) -> Refusal:
    """Code 9: a page size out of range."""
    return _refusal(400, 9, "invalid size", message)


def invalid_unique(field: str, message: str) -> Refusal:
    """Code 10: a name in a path that no entity could have."""
    return _refusal(400, 10, f"invalid unique {field}", message)


def invalid_option(name: str, reason: str) -> Refusal:
    """Code 11: a filter that cannot be read."""
    refusal = _refusal(400, 11, "invalid options", f"invalid option ({name}: {reason})")
    refusal.body["options"] = {name: reason}
    return refusal


def foreign_keys_unresolved(field: str, key: str, value: Any, kind: str) -> Refusal:
    """Code 13: a foreign key given by a name that nothing has."""
    reason = (
        f"the foreign key cannot be resolved with '{keys_text({key: value})}' "
        f"for an existing '{kind}' entity"
    )
    message = f"foreign key unresolved ({field}.{key}: {reason})"
    return _refusal(400, 13, "foreign keys unresolved", message, {field: {key: reason}})


def unsupported(operation: str, kind: str, key: str) -> Refusal:
    """Code 12: a write without a database; `key` is the field that the path went by."""
    by = "" if key == "id" else f" by '{key}'"
    message = f"cannot {operation} '{kind}' entities{by} when not using a database"
    return _refusal(405, 12, "operation unsupported", message)


def _table_text(value: Any) -> str:
    """A table on one line as the gateway writes it; a list with holes names its places."""
    if isinstance(value, list):
        holes = None in value
        parts = [
            f"[{index}]={_table_text(item)}" if holes else _table_text(item)
            for index, item in enumerate(value, 1)
            if item is not None
        ]
    elif isinstance(value, dict):
        names = [key if IDENTIFIER.fullmatch(key) else f'["{key}"]' for key in sorted(value)]
        items = [_table_text(value[key]) for key in sorted(value)]
        parts = [f"{name}={item}" for name, item in zip(names, items, strict=True)]
    else:
        return json.dumps(value, ensure_ascii=False)
    return "{" + ",".join(parts) + "}"


def declarative_config(errors: dict[str, Any]) -> Refusal:
    """Code 14: a document that is none; `errors` by kind and place, or by "error"."""
    message = f"declarative config is invalid: {_table_text(errors)}"
    return _refusal(400, 14, "invalid declarative configuration", message, errors)


def referenced_by_others(message: str) -> Refusal:
    """Code 19: a delete of what others hold in a list of ids."""
    return _refusal(400, 19, "referenced by others", message)


def not_found() -> Refusal:
    """404 without a code: no such path, or no such entity in it."""
    return Refusal(404, {"message": "Not found"})


def method_not_allowed() -> Refusal:
    """405 without a code."""
    return Refusal(405, {"message": "Method not allowed"})


def unexpected() -> Refusal:
    """500: what the gateway answers where its own code fails."""
    return Refusal(500, {"message": "An unexpected error occurred"})
