# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields that are rewritten into others: of the dumps, and those that the dumps leave out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .schema import Record

PORTS = {"http": 80, "https": 443}
SCHEMES: dict[int | str, str] = {80: "http", 443: "https"}

#: Algorithms that `hash_on` decides between.
BY_HASH = (None, "round-robin", "consistent-hashing")

#: Algorithms that hash on nothing.
UNHASHED = ("least-connections", "latency")


URL = re.compile(
    r"(?:(?P<scheme>[A-Za-z0-9][A-Za-z0-9+.-]*):)?"
    r"(?://(?:[^@/?#]*@)?(?P<host>\[[^\]/]*\]|[^:/?#]*)(?::(?P<port>[^/?#]*))?)?"
    r"(?P<path>[^?;#]*)"
)


def service_url(data: dict[str, Any]) -> dict[str, Any]:
    """`url` of a service becomes protocol, host, port and path; a part it lacks becomes null."""
    found = URL.match(data["url"]) if isinstance(data.get("url"), str) else None
    if found is None:
        return data
    out = {name: value for name, value in data.items() if name != "url"}
    port = int(found["port"]) if (found["port"] or "").isdecimal() else found["port"]
    scheme = found["scheme"] or SCHEMES.get(port or 0, "http")
    out["protocol"] = scheme
    out["host"] = (found["host"] or "").strip("[]") or None
    out["port"] = PORTS.get(scheme, 80) if port is None else port
    out["path"] = found["path"] or None
    return out


def upstream_hashing(data: dict[str, Any]) -> dict[str, Any]:
    """`algorithm` and `hash_on` rewrite each other (conformance: hashing_against_stored)."""
    out = dict(data)
    if out.get("algorithm") in UNHASHED:
        out["hash_on"] = "none"
    elif "hash_on" in out and out.get("algorithm") != "sticky-sessions":
        if out["hash_on"] is None:
            out["hash_on"] = "none"
        elif out["hash_on"] == "none":
            if out.get("algorithm") in BY_HASH:
                out["algorithm"] = "round-robin"
        elif isinstance(out["hash_on"], str):
            out["algorithm"] = "consistent-hashing"
    return out


def opentelemetry_endpoint(data: dict[str, Any]) -> dict[str, Any]:
    """`endpoint` is the older name of `traces_endpoint`."""
    if "endpoint" not in data:
        return data
    out = dict(data)
    endpoint = out.pop("endpoint")
    out.setdefault("traces_endpoint", endpoint)
    return out


SESSION_NAMES = {
    "cookie_lifetime": "rolling_timeout",
    "cookie_idletime": "idling_timeout",
    "cookie_samesite": "cookie_same_site",
    "cookie_httponly": "cookie_http_only",
    "cookie_discard": "stale_ttl",
    "cookie_persistent": "remember",
}


def session_names(data: dict[str, Any]) -> dict[str, Any]:
    """The session plugin's names before version 3; `cookie_renew` has no successor."""
    out = {name: value for name, value in data.items() if name != "cookie_renew"}
    for old, new in SESSION_NAMES.items():
        if old in out:
            value = out.pop(old)
            out[new] = "Lax" if (old, value) == ("cookie_samesite", "off") else value
    return out


#: What the dumps leave out, by the path of the record.
REWRITES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "services": service_url,
    "upstreams": upstream_hashing,
    "plugins/opentelemetry.config": opentelemetry_endpoint,
    "plugins/session.config": session_names,
}


#: Fields that are rewritten only if they are strings, by the path of the record.
STRINGS = {"services": ("url",), "upstreams": ("algorithm", "hash_on")}


def _replacement(record: Record, name: str) -> list[str]:
    """Where the dump says that a deprecated field has gone, as a path."""
    deprecation = record.shorthands[name].spec.get("deprecation", {})
    replaced = deprecation.get("replaced_with") or [{"path": []}]
    path: list[str] = replaced[0]["path"]
    return path


def rewrite(record: Record, data: dict[str, Any]) -> dict[str, Any]:
    """`data` with its shorthands in the places that they stand for; a written place wins."""
    # In older versions opentelemetry's `endpoint` is a field of its own.
    rewrites = record.path in REWRITES and "endpoint" not in record.fields
    out = REWRITES[record.path](data) if rewrites else dict(data)
    for name in record.shorthands:
        path = _replacement(record, name)
        if name not in out or not path:
            continue
        _place(out, path, out.pop(name))
    return out


def _place(data: dict[str, Any], path: list[str], value: Any) -> None:
    """Set what nobody wrote at a path; a record on the way that is none is left to be refused."""
    for part in path[:-1]:
        inner = data.get(part)
        if inner is not None and not isinstance(inner, dict):
            return
        data[part] = dict(inner or {})
        data = data[part]
    data.setdefault(path[-1], value)


def mismatches(record: Record, data: dict[str, Any]) -> dict[str, Any]:
    """Errors by field where what is rewritten cannot be, or differs from its written successor."""
    found: dict[str, Any] = {
        name: "expected a string"
        for name in STRINGS.get(record.path, ())
        if not isinstance(data.get(name, ""), str | None)
    }
    for name, field in record.fields.items():
        if field.record is not None and isinstance(data.get(name), dict):
            inner = mismatches(field.record, data[name])
            found |= {name: inner} if inner else {}
    for name in record.shorthands:
        path = _replacement(record, name)
        old, new = data.get(name), _value_at(data, path) if path else None
        if old is not None and new is not None and old != new:
            found[name] = (
                "both deprecated and new field are used but their values mismatch: "
                f"{name} = {old} vs {'.'.join(path)} = {new}"
            )
    return found


def _value_at(data: Any, path: list[str]) -> Any:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def with_older_names(record: Record, data: dict[str, Any]) -> dict[str, Any]:
    """An answer that also shows the deprecated names of what has been moved."""
    out = dict(data)
    for name, field in record.fields.items():
        if field.record is not None and isinstance(out.get(name), dict):
            out[name] = with_older_names(field.record, out[name])
    for name in record.shorthands:
        path = _replacement(record, name)
        if path:
            out[name] = _value_at(data, path)
    return out
