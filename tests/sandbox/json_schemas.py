# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kind's schema as JSON Schema, the form in which Konnect serves those of entities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .schema import Field, Missing, Record

Schema = dict[str, Any]

TYPES = {"set": "array", "record": "object", "map": "object", "foreign": "object"}

#: Limits of the gateway's schemas that JSON Schema has under another name.
LIMITS = {"len_min": "minLength", "len_max": "maxLength", "one_of": "enum"}


def of_record(record: Record) -> Schema:
    """The schema of an entity, or of a record in one."""
    required = [name for name, field in record.fields.items() if _must_be_written(field)]
    shown: Schema = {
        "type": "object",
        "properties": {name: of_field(field) for name, field in record.fields.items()},
    }
    return {**shown, "required": required} if required else shown


def _must_be_written(field: Field) -> bool:
    """Whether an entity is refused without it: nothing takes its place."""
    return field.required and not field.auto and isinstance(field.default(), Missing)


def of_vaults(record: Record, types: Mapping[str, Record]) -> Schema:
    """The schema of vaults: what `config` is depends on the name of the type."""
    conditions = [
        {
            "if": {"properties": {"name": {"const": name}}, "required": ["name"]},
            "then": {"properties": {"config": {
                "type": "object", "properties": {name: of_field(special.fields["config"])},
            }}},
        }
        for name, special in types.items()
    ]
    return {**of_record(record), "allOf": conditions}


def of_field(field: Field) -> Schema:
    """The schema of one field."""
    spec = field.spec
    shown: Schema = {} if field.type == "any" else {"type": TYPES.get(field.type, field.type)}
    shown |= {name: spec[key] for key, name in LIMITS.items() if key in spec}
    if "between" in spec:
        shown["minimum"], shown["maximum"] = spec["between"]
    if spec.get("default") is not None:
        shown["default"] = spec["default"]
    if field.type == "foreign":
        # Which kind it leads to is not said.
        shown |= {
            "description": "foreign", "properties": {"id": {"type": "string"}},
            "required": ["id"], "additionalProperties": False,
        }  # fmt: skip
    if field.record is not None:
        shown |= of_record(field.record)
    if field.elements is not None:
        shown["items"] = of_field(field.elements)
    if field.type == "set":
        shown["uniqueItems"] = True
    if field.type == "map" and field.values is not None:
        shown["patternProperties"] = {"^.+$": of_field(field.values)}
        shown["additionalProperties"] = False
    return shown
