# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway's own schemas (data/kong-*.json) as fields and records that code can ask."""

from __future__ import annotations

import copy
import json
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

DATA = pathlib.Path(__file__).with_name("data")

#: The dumps by the versions that the sandbox can be.
VERSIONS = ("3.4", "3.5", "3.9", "3.10")

Validator = Callable[[Any], str | None]
#: Validators that the dumps leave out, by the dotted path of a field.
Validators = Mapping[str, Validator]


class Missing:
    """What stands for a field that nobody wrote; null is a value of its own."""

    def __bool__(self) -> bool:
        return False


MISSING = Missing()


class Field:
    """One field: its type, its declared checks (`spec`), and what is inside it."""

    def __init__(self, spec: dict[str, Any], path: str, validators: Validators) -> None:
        self.spec = spec
        self.type: str = spec.get("type", "any")
        self.required: bool = spec.get("required") is True
        self.abstract: bool = spec.get("abstract") is True
        self.auto: bool = spec.get("auto") is True
        self.reference: str | None = spec.get("reference")
        # What is wrong with fields of the kind that a foreign key points to.
        self.referenced_errors: Callable[[dict[str, Any]], dict[str, Any]] = lambda data: {}
        self.validator = validators.get(path)
        inner = {name: spec[name] for name in ("elements", "keys", "values") if name in spec}
        parts = {
            name: Field(
                {"required": True, **part} if name == "elements" else part,
                f"{path}[]" if name == "elements" else f"{path}.{name}",
                validators,
            )
            for name, part in inner.items()
        }
        self.elements = parts.get("elements")
        self.keys = parts.get("keys")
        self.values = parts.get("values")
        self.record: Record | None = None
        if self.type == "record" and "fields" in spec:
            self.record = Record(spec, path, validators)

    def default(self) -> Any:
        """What takes the place of a field that nobody wrote; MISSING where it is required."""
        if self.spec.get("default") is not None:
            return copy.deepcopy(self.spec["default"])
        if self.required:
            return {} if self.record is not None else MISSING
        return None


class Record:
    """Fields in order, checks across them, and shorthands that are rewritten into them."""

    def __init__(self, spec: dict[str, Any], path: str, validators: Validators) -> None:
        self.path = path
        prefix = f"{path}." if path else ""
        self.fields: dict[str, Field] = {
            name: Field(field, f"{prefix}{name}", validators)
            for entry in spec.get("fields", [])
            for name, field in entry.items()
        }
        self.checks: list[tuple[str, Any]] = [
            (name, argument)
            for entry in spec.get("entity_checks", [])
            for name, argument in entry.items()
        ]
        self.shorthands: dict[str, Field] = {
            name: Field(field, f"{prefix}{name}", validators)
            for entry in spec.get("shorthand_fields", [])
            for name, field in entry.items()
        }

    def at(self, path: str) -> Field | None:
        """The field at a dotted path, or None."""
        name, dot, rest = path.partition(".")
        field = self.fields.get(name)
        if field is None or not dot:
            return field
        return None if field.record is None else field.record.at(rest)


def specialised(base: Record, special: Record) -> Record:
    """`base` with the fields of `special` in their places, and the checks of both."""
    out = copy.copy(base)
    out.path = special.path
    out.fields = {name: special.fields.get(name, field) for name, field in base.fields.items()}
    out.checks = base.checks + special.checks
    return out


def field_of(spec: dict[str, Any], name: str) -> dict[str, Any]:
    """A field of a dump's record by its name."""
    found: dict[str, Any] = next(field[name] for field in spec["fields"] if name in field)
    return found


def dump(version: str) -> dict[str, Any]:
    """The schemas of one gateway as it answered them: entities, plugins, version."""
    text = (DATA / f"kong-{version}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
