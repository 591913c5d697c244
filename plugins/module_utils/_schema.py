# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a gateway's own ``/schemas/…`` says about defaults. Pure.

There is no table of defaults: the schema of the gateway itself is the source, so a
newer or older version predicts as it behaves.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Replaces in predictions a value that only the gateway can generate.
GENERATED_VALUE = "(generated)"
_IDS_AND_TIMES = ("id", "created_at", "updated_at")

Schema = Mapping[str, Any]


def fields_in(schema: Schema, group: str = "fields") -> dict[str, Schema]:
    """The schemas of a record's fields by name."""
    return {name: spec for entry in schema.get(group) or () for name, spec in entry.items()}


def old_fields_in(schema: Schema) -> dict[str, Schema]:
    """Those of the fields of older versions that a gateway still takes."""
    return fields_in(schema, "shorthand_fields")


def complete(schema: Schema, entity: Mapping[str, Any]) -> dict[str, Any]:
    """``entity`` as a gateway completes it on a create: defaults filled in, records deep.

    IDs and times are left out, other values that the gateway generates (``auto``: keys) say so;
    what is written and not in the schema is kept, for the gateway to validate.
    """
    completed = {
        name: _completed(spec, entity.get(name), name in entity)
        for name, spec in fields_in(schema).items()
        if name in entity or name not in _IDS_AND_TIMES
    }
    completed.update((name, entity[name]) for name in entity if name not in completed)
    # A gateway returns a value a second time, under the name of the field in older versions.
    old = {name: value_at(completed, path) for name, path in replacements(schema).items()}
    return {**completed, **old}


def replacements(schema: Schema) -> dict[str, tuple[str, ...]]:
    """Old names of a record's fields and the paths, from that record, that replaced them."""
    found: dict[str, tuple[str, ...]] = {}
    for name, spec in old_fields_in(schema).items():
        replaced = (spec.get("deprecation") or {}).get("replaced_with") or []
        if len(replaced) == 1:
            found[name] = tuple(replaced[0]["path"])
    return found


def without_old_names(schema: Schema, record: Mapping[str, Any]) -> dict[str, Any]:
    """A record to send: each setting once, under its present name."""
    old_names, specs = replacements(schema), fields_in(schema)
    return {
        name: without_old_names(specs[name], value)
        if name in specs and specs[name].get("type") == "record" and isinstance(value, Mapping)
        else value
        for name, value in record.items()
        if name not in old_names
    }


def value_at(value: Any, path: Sequence[Any]) -> Any:
    """The value at a path of keys and positions, None where there is none."""
    for key in path:
        inside = dict(enumerate(value)) if isinstance(value, list) else value
        value = inside.get(key) if isinstance(inside, Mapping) else None
    return value


def _completed(spec: Schema, value: Any, written: bool) -> Any:
    if not written:
        value = default_of(spec)
    if spec.get("type") == "record" and isinstance(value, Mapping):
        return complete(spec, value)
    items = spec.get("elements") or spec.get("values") or {}
    if items.get("type") == "record" and isinstance(value, list):
        return [_completed(items, item, written=True) for item in value]
    if items.get("type") == "record" and isinstance(value, Mapping):
        return {key: _completed(items, item, written=True) for key, item in value.items()}
    return value


def missing_in(schema: Schema, entity: Mapping[str, Any]) -> list[str]:
    """The paths of required fields that an entity does not have, defaults filled in."""
    return list(_missing(schema, complete(schema, entity), ""))


def _missing(schema: Schema, record: Mapping[str, Any], at: str) -> Iterator[str]:
    for name, spec in fields_in(schema).items():
        value = record.get(name)
        if isinstance(value, Mapping) and spec.get("type") == "record":
            yield from _missing(spec, value, f"{at}{name}.")
        elif value is None and spec.get("required") and name not in _IDS_AND_TIMES:
            yield at + name


def merged_schema(base: Schema, details: Schema | None) -> Schema:
    """A schema with the fields of ``details`` in place of those of the same name."""
    if details is None:
        return base
    fields = {**fields_in(base), **fields_in(details)}
    return {**base, "fields": [{name: spec} for name, spec in fields.items()]}


def names_at(schema: Schema, path: Sequence[str]) -> set[str]:
    """The names of fields in a record at a path, old ones included; none of other values."""
    for key in path:
        spec = fields_in(schema).get(key, {})
        schema = spec.get("elements") or spec.get("values") or spec
    return {*fields_in(schema), *old_fields_in(schema)}


def default_of(spec: Schema) -> Any:
    """The value of a field that is not written; null if the schema has no default."""
    if spec.get("auto"):
        return GENERATED_VALUE
    if spec.get("default") is not None:
        return copy.deepcopy(spec["default"])
    if spec.get("type") == "record" and spec.get("required"):
        return {}
    return None


def nulls_to_defaults(schema: Schema, written: Mapping[str, Any]) -> dict[str, Any]:
    """Explicit nulls become the default, and null if there is none.

    A gateway refuses ``slots: null`` as a key violation and stores others as null (conformance case
    nulls); a task that clears a field means neither.
    """
    specs = fields_in(schema)
    meant: dict[str, Any] = {}
    for name, value in written.items():
        spec = specs.get(name, {})
        if value is None:
            meant[name] = _completed(spec, None, written=False)
        elif spec.get("type") == "record" and isinstance(value, Mapping):
            meant[name] = nulls_to_defaults(spec, value)
        else:
            meant[name] = value
    return meant


def from_json_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON Schema, as Konnect has them of entities, in the form of a gateway's own schema."""
    properties: Mapping[str, Any] = schema.get("properties") or {}
    return {"fields": [{name: _from_json(spec, name)} for name, spec in properties.items()]}


def _from_json(spec: Mapping[str, Any], name: str = "") -> dict[str, Any]:
    kind, properties = spec.get("type"), spec.get("properties")
    values = next(iter((spec.get("patternProperties") or {}).values()), None)
    found: dict[str, Any] = {"type": kind}
    if "default" in spec:
        found["default"] = spec["default"]
    if "enum" in spec:
        found["one_of"] = spec["enum"]
    if kind == "array":
        found["type"] = "set" if spec.get("uniqueItems") else "array"
        found["elements"] = _from_json(spec.get("items") or {})
    elif kind == "object" and properties and set(properties) == {"id"}:
        # No schema of Konnect says which kind it points at; most foreign keys have its name.
        found.update(type="foreign", reference=f"{name}s")
    elif kind == "object" and properties:
        found.update(type="record", **from_json_schema(spec))
        # A record that has defaults inside is never null.
        inner = fields_in(found).values()
        found["required"] = any("default" in each or each.get("required") for each in inner)
    elif kind == "object" and isinstance(values, Mapping):
        found.update(type="map", values=_from_json(values))
    elif kind == "object":
        # Its fields depend on the entity, such as a vault's own settings.
        found.update(type="record", fields=[], required=True)
    return found
