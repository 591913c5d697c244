# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Konnect's OpenAPI documents (data/konnect-*.json): its paths, and what request bodies must be."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from .schema import DATA

Schema = dict[str, Any]

#: One thing that is wrong with a body: `field`, `rule`, `reason`, and what the rule compares with.
Problem = dict[str, Any]

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


class Specification:
    """One OpenAPI document."""

    def __init__(self, name: str) -> None:
        """`name`: of the file in `data/`, without its suffix."""
        text = (DATA / f"{name}.json").read_text(encoding="utf-8")
        self.document: dict[str, Any] = json.loads(text)

    def methods(self, segments: Sequence[str]) -> set[str]:
        """The methods of the path of decoded segments; empty where there is no such path."""
        for template in self._templates.get(len(segments), ()):
            if all(_fits(part, text) for part, text in zip(template, segments, strict=True)):
                item = self.document["paths"]["/" + "/".join(template)]
                return {name.upper() for name in item}
        return set()

    @functools.cached_property
    def _templates(self) -> dict[int, list[tuple[str, ...]]]:
        """The templates of paths by their length, those with fewer parameters first."""
        found: dict[int, list[tuple[str, ...]]] = {}
        for path in sorted(self.document["paths"], key=lambda path: (path.count("{"), path)):
            parts = tuple(path.strip("/").split("/"))
            found.setdefault(len(parts), []).append(parts)
        return found

    def resolved(self, schema: Schema) -> Schema:
        """A schema, or the one that it refers to."""
        while "$ref" in schema:
            place: Any = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                place = place[part]
            schema = place
        return schema

    def problems(self, name: str, body: Any) -> list[Problem]:
        """What is wrong with a body that must be what the document calls `name`."""
        return list(self._problems({"$ref": f"#/components/schemas/{name}"}, body, ""))

    def _problems(self, schema: Schema, value: Any, field: str) -> Iterator[Problem]:
        schema = self.resolved(schema)
        kind = schema.get("type")
        if kind in TYPES and not _is(kind, value):
            yield _problem(field, f"is_{kind}", f"must be {_article(kind)}")
            return
        yield from _of_value(schema, value, field)
        if isinstance(value, dict):
            yield from self._of_object(schema, value, field)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._problems(schema.get("items", {}), item, f"{field}[{index}]")

    def _of_object(self, schema: Schema, value: dict[str, Any], field: str) -> Iterator[Problem]:
        prefix = f"{field}." if field else ""
        known = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        for name in schema.get("required", ()):
            if name not in value:
                yield _problem(f"{prefix}{name}", "required", "must be present")
        for name, item in value.items():
            if name in known:
                yield from self._problems(known[name], item, f"{prefix}{name}")
            elif others is False:
                yield _problem(f"{prefix}{name}", "unknown_property",
                               f"property {name} should not exist")
            elif isinstance(others, dict):
                yield from self._problems(others, item, f"{prefix}{name}")


def _fits(part: str, text: str) -> bool:
    return part.startswith("{") or part == text


def _is(kind: str, value: Any) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aio" else f"a {kind}"


def _problem(field: str, rule: str, reason: str, **more: Any) -> Problem:
    return {"field": field, "rule": rule, "reason": reason, "source": "body", **more}


def _of_value(schema: Schema, value: Any, field: str) -> Iterator[Problem]:
    """Limits of a single value."""
    if "enum" in schema and value not in schema["enum"]:
        choices = schema["enum"]
        reason = f"must be one of {', '.join(map(str, choices))}"
        yield _problem(field, "enum", reason, choices=choices)
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        yield _problem(field, "matches_regex", f"must match pattern \"{schema['pattern']}\"")
    for limit, rule, counted in (
        ("maxLength", "max_length", str), ("maxItems", "max_items", list),
    ):
        if limit in schema and isinstance(value, counted) and len(value) > schema[limit]:
            reason = f"must not have more than {schema[limit]}"
            yield _problem(field, rule, reason, maximum=schema[limit])
    if "minLength" in schema and isinstance(value, str) and len(value) < schema["minLength"]:
        reason = f"must have at least {schema['minLength']} characters"
        yield _problem(field, "min_length", reason, minimum=schema["minLength"])
    if "minimum" in schema and isinstance(value, int) and value < schema["minimum"]:
        reason = f"must be at least {schema['minimum']}"
        yield _problem(field, "min", reason, minimum=schema["minimum"])
