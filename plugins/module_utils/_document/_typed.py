# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of a state file in their declared types, validated before the first request.

The argument spec of a module does this for options; a document has no argument spec. ``007`` is a
number for YAML, and ``yes`` a boolean: a field that is a string takes what stands in the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .._entities._kind import Entity, Field
from .._errors import MASKED, InputError
from .._freeform import as_type
from ._located import Strings, strings_of

_NO_STRINGS: Strings = {}


def string_at(container: Any, key: Any) -> Any:
    """What is written at a key or a position: its string where one is kept, else its value."""
    return getattr(container, "strings", _NO_STRINGS).get(key, container[key])


def strings_in(values: list[Any]) -> list[Any]:
    """The items of a list of strings as they are written."""
    return [string_at(values, position) for position in range(len(values))]


def typed(
    fields: Iterable[Field], written: Mapping[str, Any], strings: Strings, at: str = ""
) -> Entity:
    """``written`` with each declared field in its type; ``'5'`` is a number where one is meant.

    :param strings: of the record's fields as they are written, as ``strings_of`` gives them.
    :param at: where ``written`` stands in the entity, for messages.
    :raises InputError: names the field, and never its value.
    """
    by_name = {field.name: field for field in fields}
    return {
        name: _value(by_name[name], value, strings.get(name), f"{at}{name}")
        if name in by_name
        else value
        for name, value in written.items()
    }


def _value(field: Field, value: Any, text: Any, at: str) -> Any:
    """:param text: the value as it is written, or what is inside it."""
    if isinstance(text, str) and field.type in ("str", "json"):
        value = text
    if value is None:
        if not field.nullable:
            raise InputError(f"{at} cannot be null")
        return None
    if field.reference:
        return value
    value = _of_type(field.type, value, at)
    strings: Strings = text if isinstance(text, Mapping) else _NO_STRINGS

    def inside(inner: Field | None, item: Any, key: Any) -> Any:
        if item is None and not field.is_record:
            raise InputError(f"{at}.{key} cannot be null")
        own = strings.get(key - 1 if isinstance(value, list) else key)
        return item if inner is None else _value(inner, item, own, f"{at}.{key}")

    has_inside = field.is_record or field.item or isinstance(value, list)
    return field.map_inside(value, inside) if has_inside else value


def _of_type(kind: str, value: Any, at: str) -> Any:
    if kind == "json":
        return json.dumps(value) if isinstance(value, Mapping) else _of_type("str", value, at)
    try:
        return as_type(kind, value)
    except InputError as exc:
        raise InputError(f"{at}: {exc.message}") from exc


def merged_strings(under: Strings, over: Mapping[str, Any]) -> dict[Any, Any]:
    """The strings of a record that is merged deep over another one.

    :param under: the strings of the other one.
    """
    merged = dict(under)
    own = strings_of(over)
    for key, value in over.items():
        below = merged.pop(key, None)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = merged_strings(below, value)
        elif key in own:
            merged[key] = own[key]
    return merged


def refuse_unclear(value: Any, strings: Strings, at: str) -> None:
    """Refuse numbers that are written in another form where no schema says that a string is meant.

    :raises InputError: names the place, and never the value.
    """
    for key, text in strings.items():
        name = f"{at}.{key + 1 if isinstance(key, int) else key}"
        if isinstance(text, Mapping):
            refuse_unclear(value[key], text, name)
        elif not isinstance(value[key], bool) and str(value[key]) != text:
            raise InputError(
                f"{name} can be a string or a number; put it in quotes, or write the number plainly"
            )


def refuse_masks(value: Any, at: str) -> None:
    """Refuse what a dump with masked secrets holds: it would replace a secret with asterisks.

    :raises InputError: with the path.
    """
    if value == MASKED:
        raise InputError(f"{at} is masked with asterisks; set secrets of kong_dump to env or keep")
    if isinstance(value, Mapping):
        for name, item in value.items():
            refuse_masks(item, f"{at}.{name}" if at else str(name))
    elif isinstance(value, list):
        for position, item in enumerate(value, 1):
            refuse_masks(item, f"{at}.{position}")
