# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that are not quite right: old spellings of settings, and misspelled ones. Pure.

A gateway accepts and returns both the old and the new name of a setting (flat ``redis_host`` and
nested ``redis.host``), so only one of them is sent and compared.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ._errors import InputError
from ._schema import Schema, fields_in, names_at, old_fields_in, replacements

_AS_NEAR_AS = 0.65
_UNKNOWN = "unknown field"
# Names that no gateway from 3.0 on knows, as they are still in older files.
_NAMES_BEFORE_3 = {"whitelist": "allow", "blacklist": "deny"}

# Old names for which a schema does not name the new one, by plugin. They are not returned.
RENAMED: Mapping[str, Mapping[str, str]] = {
    "opentelemetry": {"endpoint": "traces_endpoint"},
    "session": {
        "cookie_lifetime": "rolling_timeout",
        "cookie_idletime": "idling_timeout",
        "cookie_samesite": "cookie_same_site",
        "cookie_httponly": "cookie_http_only",
        "cookie_discard": "stale_ttl",
        "cookie_persistent": "remember",
    },
}
# Values of an old name that the new one does not take (plugin, name, value), and what is stored.
RENAMED_VALUES = {("session", "cookie_samesite", "off"): "Lax"}
# Old names that gateways accept and do nothing with.
IGNORED: Mapping[str, frozenset[str]] = {"session": frozenset({"cookie_renew"})}


def with_new_names(
    schema: Schema, written: Mapping[str, Any], plugin: str, at: str = "config"
) -> dict[str, Any]:
    """``written`` with every old name replaced, deep along the schema's records.

    :raises InputError: old and new name are both written, or an old one has no successor.
    """
    old = old_fields_in(schema).keys() & written.keys()
    ignored = old & IGNORED.get(plugin, frozenset())
    moved = {name: value for name, value in written.items() if name not in ignored}
    paths = replacements(schema)
    for name in sorted(old - ignored):
        successor = RENAMED.get(plugin, {}).get(name)
        path = paths.get(name) or ((successor,) if successor else ())
        if not path:
            raise InputError(f"{at}.{name} is an old name; use the name that the gateway stores")
        for (of, old_name, value), stored in RENAMED_VALUES.items():
            if (of, old_name, value) == (plugin, name, moved[name]):
                moved[name] = stored
        _move(moved, name, path, at)
    for name, spec in fields_in(schema).items():
        if spec.get("type") == "record" and isinstance(moved.get(name), Mapping):
            moved[name] = with_new_names(spec, moved[name], plugin, f"{at}.{name}")
    return moved


def _move(record: dict[str, Any], name: str, path: tuple[str, ...], at: str) -> None:
    value = record.pop(name)
    inner = record
    for key in path[:-1]:
        nested = inner.get(key)
        inner[key] = dict(nested) if isinstance(nested, Mapping) else {}
        inner = inner[key]
    if path[-1] in inner and inner[path[-1]] != value:
        new = f"{at}.{'.'.join(path)}"
        raise InputError(f"{at}.{name} and {new} are the same setting; set one of them")
    inner[path[-1]] = value


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` for the nearest known name, empty if none is near."""
    by_form = {each.casefold(): each for each in known if each != name}
    if _NAMES_BEFORE_3.get(name) in by_form:
        return f"; did you mean {_NAMES_BEFORE_3[name]}?"
    near = difflib.get_close_matches(name.casefold(), sorted(by_form), 1, _AS_NEAR_AS)
    return f"; did you mean {by_form[near[0]]}?" if near else ""


def with_nearest_fields(message: str, unknown: Iterable[tuple[str, ...]], schema: Schema) -> str:
    """A gateway's refusal, with the nearest known name for each field that it does not know."""
    for path in unknown:
        # Not within the reason of a field whose name has the same end.
        reason = re.search(rf"(?<![\w.-]){re.escape('.'.join(path))}: {_UNKNOWN}", message)
        if reason:
            hint = did_you_mean(path[-1], names_at(schema, path[:-1]))
            message = message[: reason.end()] + hint + message[reason.end() :]
    return message


def unknown_fields(fields: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The paths that a gateway does not know, in the ``fields`` of the body of its refusal."""
    for name in sorted(fields):
        reason = fields[name]
        if reason == _UNKNOWN:
            yield (name,)
        elif isinstance(reason, Mapping):
            yield from ((name, *path) for path in unknown_fields(reason))
