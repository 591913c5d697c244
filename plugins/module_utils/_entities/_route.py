# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes: which requests go to which service."""

from __future__ import annotations

import re
from typing import Any

from .._errors import InputError
from ._identity import Identity
from ._kind import RESTRICT, Entity, Field, Kind, tags_field
from ._service import PROTOCOLS


def string_lists(value: Any) -> Any:
    """A map of header names to lists of strings, as the gateway wants it: YAML's ``[1, 2]`` too."""
    if not isinstance(value, dict):
        return value
    for name, items in value.items():
        if items is not None and not isinstance(items, list):
            raise InputError(f"the values of the header {name} must be a list")
    return {str(name): items and [_string(item) for item in items] for name, items in value.items()}


def _string(item: Any) -> Any:
    if isinstance(item, bool):
        raise InputError("the value of a header must be a string; put it in quotes")
    return str(item) if isinstance(item, (int, float)) else item


def is_expression_without_tilde(path: str) -> bool:
    """Whether a path has signs of a regular expression, and lacks what makes it one since 3.0."""
    return not path.startswith("~") and bool(_EXPRESSION.search(path))


def path_warnings(paths: list[str]) -> list[str]:
    """A warning for each path that was a regular expression before 3.0 and matches as text now."""
    return [
        f"the path {path} is plain text for the gateway, though it looks like a regular "
        f"expression; write ~{path} if it is one"
        for path in paths
        if is_expression_without_tilde(path)
    ]


def headers_field(**more: Any) -> Field:
    """A map of header names to values."""
    values = Field("", "list", elements="str")
    return Field(
        "headers", "dict", unordered=True, empty_is_null=True, normalise=string_lists,
        element=values, **more,
    )


def _any_order(name: str, **more: Any) -> Field:
    # The router makes no difference between orders, though some of these are arrays in the schema.
    return Field(name, "list", unordered=True, empty_is_null=True, **{"elements": "str", **more})


def _own_defaults(route: Entity) -> Entity:
    # Only the gateway's inner schema of such routes says so (conformance: grpc_routes).
    is_grpc = bool({"grpc", "grpcs"} & {*(route.get("protocols") or ())})
    return {"strip_path": False} if is_grpc else {}


def _write_own_defaults(desired: Entity, current: Entity | None) -> list[str]:
    # 3.4 with the expressions router has another default: what is written is the same everywhere.
    if current is None:
        desired.update({**_own_defaults(desired), **desired})
    return []


_EXPRESSION = re.compile(r"[\\\[\](){}^$|*+?]")
_ENDPOINT = (Field("ip"), Field("port", "int", between=(0, 65535)))

ROUTE = Kind(
    name="route", path="routes", identity=Identity("name"), own_defaults=_own_defaults,
    apply_field_rules=_write_own_defaults,
    fields=(
        Field("name", nullable=False),
        Field("service", reference="service", on_delete=RESTRICT, nested=True),
        Field("protocols", "list", elements="str", choices=PROTOCOLS, unordered=True),
        _any_order("methods"),
        _any_order("hosts", repeats=True),
        _any_order("paths", repeats=True, warnings=path_warnings),
        headers_field(),
        _any_order("snis"),
        _any_order("sources", elements="dict", fields=_ENDPOINT),
        _any_order("destinations", elements="dict", fields=_ENDPOINT),
        Field("https_redirect_status_code", "int", choices=(426, 301, 302, 307, 308)),
        Field("regex_priority", "int"),
        Field("strip_path", "bool"),
        Field("path_handling", choices=("v0", "v1")),
        Field("preserve_host", "bool"),
        Field("request_buffering", "bool"),
        Field("response_buffering", "bool"),
        Field("expression", always_returned=False),
        Field("priority", "int", between=(0, 70368744177663), always_returned=False),
        tags_field(),
    ),
)

KINDS = (ROUTE,)
