# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a synced document resets: the fields of stored entities that it leaves out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .._entities._kind import TIMESTAMPS, Entity, Field, Kind
from .._schema import GENERATED_VALUE, Schema, complete, fields_in, nulls_to_defaults

# Not reset when they are left out: the gateway made them up.
_LEFT_ALONE = ("id", *TIMESTAMPS)


@dataclass(frozen=True)
class Defaults:
    """The defaults of a kind by the gateway's schema, read once for all of its entities.

    :param specs: the schemas of its fields.
    :param fields: those that a document can write.
    :param values: of those that are reset when they are left out.
    :param needed: fields that must have a value, so that a null there resets nothing.
    :param own: the defaults of one entity that differ.
    """

    specs: Mapping[str, Schema]
    fields: Mapping[str, Field]
    values: Entity
    needed: frozenset[str]
    own: Callable[[Entity], Entity]

    def fill_in(self, written: Entity, current: Entity) -> Entity:
        """``written``, with the default of each field that it leaves out and ``current`` has not.

        Secrets and made-up values that are left out stay as they are.
        """
        own = self.own({**self.values, **written})
        written = {
            name: own.get(name) if value is None else value for name, value in written.items()
        }
        desired = {}
        for name in written:
            value = self._completed(name, written[name])
            if name in self.fields and not (value is None and name in self.needed):
                desired[name] = value
        for name, value in (self.values | own).items():
            if name not in written and (name not in current or current[name] != value):
                desired[name] = copy.deepcopy(value)
        return desired

    def _completed(self, name: str, value: Any) -> Any:
        """A written value: records and lists with the defaults of what they leave out, no nulls.

        Secrets that a record leaves out stay as they are.
        """
        spec, field = self.specs.get(name), self.fields.get(name)
        is_scalar = value is not None and not isinstance(value, (dict, list))
        if is_scalar or spec is None or field is None:
            return value
        schema = {"fields": [{name: spec}]}
        full = complete(schema, nulls_to_defaults(schema, {name: value}))[name]
        if field.fields and isinstance(full, dict):
            return _without_unwritten_secrets(field.fields, full, value or {})
        return full


def leaves_out(fields: Iterable[Field], written: Entity, current: Entity) -> bool:
    """Whether a stored value is not written, so that its default has to be known."""
    names = (each.name for each in fields if each.name not in _LEFT_ALONE)
    return any(_is_left_out(written.get(name), current[name]) for name in names if name in current)


def _is_left_out(written: Any, stored: Any) -> bool:
    """Whether a value is not written as a whole; what is in a list of records is not compared."""
    if written is None:
        return True
    if isinstance(stored, dict) and isinstance(written, dict):
        return any(_is_left_out(written.get(name), value) for name, value in stored.items())
    return isinstance(stored, list) and any(isinstance(each, dict) for each in stored)


def defaults_of(kind: Kind, schema: Schema) -> Defaults:
    """The defaults of a kind; the settings of a plugin are in its own schema."""
    specs = fields_in(schema)
    full = complete(schema, {})
    # A record that has to be there and has no default, as a vault's, cannot be reset.
    needed = {name for name, spec in specs.items() if spec.get("required") or spec.get("abstract")}
    fields = {each.name: each for each in kind.fields if each.name not in _LEFT_ALONE}
    kept = {
        name: value
        for name, value in full.items()
        if name in fields and not (value is None and name in needed)
    }
    values = _without_unwritten_secrets(kind.fields, kept, {})
    return Defaults(specs, fields, values, frozenset(needed), kind.own_defaults)


def _without_unwritten_secrets(fields: Iterable[Field], desired: Entity, written: Entity) -> Entity:
    """What is written and not known is kept, for the gateway to refuse."""
    known = {each.name: each for each in fields}
    kept: Entity = {name: value for name, value in written.items() if name not in known}
    for each in known.values():
        value, is_written = desired.get(each.name), each.name in written
        is_generated = each.secret or value == GENERATED_VALUE
        if each.name not in desired or (is_generated and not is_written):
            continue
        if each.fields and isinstance(value, dict):
            inner = written.get(each.name)
            inside = inner if isinstance(inner, dict) else {}
            value = _without_unwritten_secrets(each.fields, value, inside)
        kept[each.name] = value
    return kept
