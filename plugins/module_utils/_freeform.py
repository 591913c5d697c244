# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fields that only the gateway knows: its schema's words turned into declarations. Pure.

A plugin's configuration, and entities newer than the collection, are thereby compared, predicted
and masked by the same code as declared fields. Written values are converted where nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ._entities._kind import Field, Kind
from ._entities._plugin import PLUGIN
from ._errors import InputError
from ._schema import Schema, complete, fields_in, old_fields_in, replacements
from ._secret_names import holds_secret, is_secret_name
from ._values import stored_number, type_of

_TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "list",
    "set": "list",
    "map": "dict",
    "record": "dict",
}
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")


def fields_from(schema: Schema) -> tuple[Field, ...]:
    """The fields of a record as a gateway's schema describes them, old names last.

    A gateway returns what has an old name a second time under that name, a secret, too.
    """
    fields = {name: _field(name, spec) for name, spec in fields_in(schema).items()}
    successors = replacements(schema)
    for name, spec in old_fields_in(schema).items():
        old = _field(name, spec)
        secret = old.secret or _is_secret_at(fields, successors.get(name, ()))
        fields.setdefault(name, replace(old, secret=secret))
    return tuple(fields.values())


def with_details(details: Schema, kind: Kind = PLUGIN) -> Kind:
    """The kind of one plugin or vault: its settings typed by the schema that a gateway has."""
    config = fields_in(details).get("config", {})
    typed = tuple(
        replace(field, fields=fields_from(config), open=not config.get("fields"))
        if field.name == "config"
        else field
        for field in kind.fields
    )
    return replace(kind, fields=typed, details=details)


def config_schema(kind: Kind) -> Schema:
    """The gateway's schema of a typed plugin's configuration."""
    return fields_in(kind.details or {}).get("config", {})


def _is_secret_at(fields: Mapping[str, Field], path: Sequence[str]) -> bool:
    field: Field | None = None
    for name in path:
        field = fields.get(name)
        fields = field.fields_by_name if field is not None else {}
    return field is not None and field.secret


def _field(name: str, spec: Schema) -> Field:
    kind = str(spec.get("type"))
    inside = spec.get("elements") if kind in ("array", "set") else spec.get("values")
    is_record = kind == "record"
    return Field(
        name,
        _TYPES.get(kind, "raw"),
        fields=fields_from(spec) if is_record else (),
        open=is_record and not spec.get("fields"),
        unordered=kind == "set",
        normalise=_CONVERTERS.get(_TYPES.get(kind, "")),
        element=_element(inside) if isinstance(inside, Mapping) else None,
        secret=bool(spec.get("encrypted")) or (kind == "string" and is_secret_name(name)),
        hides=holds_secret if kind == "string" else None,
        # Headers that a plugin sends itself authenticate it, with any name.
        sensitive=bool if kind == "map" and name == "headers" else None,
    )


def _element(spec: Schema) -> Field:
    """An item of a list or a value of a map, which the gateway completes with its defaults."""
    field = _field("", spec)
    if not field.is_record:
        return field
    return Field("", "dict", fields=field.fields, normalise=lambda item: _completed(spec, item))


def _completed(spec: Schema, item: Any) -> Any:
    return complete(spec, item) if isinstance(item, Mapping) else _to_dictionary(item)


def as_type(kind: str, value: Any) -> Any:
    """``value`` in a type of an argument spec, if nothing is lost in the conversion.

    :raises InputError: it cannot be converted; the value itself is not shown.
    """
    converter = _CONVERTERS.get(kind)
    return value if converter is None else converter(value)


def _to_string(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    advice = "" if isinstance(value, (list, Mapping)) else "; put it in quotes to make it one"
    raise InputError(f"{type_of(value)} is not a string{advice}")


def _to_integer(value: Any) -> Any:
    number = _to_number(value)
    if isinstance(number, float):
        raise InputError(f"{type_of(value)} is not an integer")
    return number


def _to_number(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = float(value) if re.search(r"[.eE]", value) else int(value)
        except ValueError:
            raise InputError("a string is not a number") from None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return stored_number(value)
    raise InputError(f"{type_of(value)} is not a number")


def _to_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in (*_TRUE, *_FALSE):
        return value.lower() in _TRUE
    raise InputError(f"{type_of(value)} is not a boolean")


def _to_list(value: Any) -> Any:
    if isinstance(value, list):
        return value
    raise InputError(f"{type_of(value)} is not a list")


def _to_dictionary(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise InputError(f"{type_of(value)} is not a dictionary")


_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "str": _to_string,
    "int": _to_integer,
    "float": _to_number,
    "bool": _to_boolean,
    "list": _to_list,
    "dict": _to_dictionary,
}
