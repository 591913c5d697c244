# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strings of a state file as they are written there, also where YAML takes them for something else.

Private to the collection.

``007`` is a number for YAML, and ``yes`` a boolean. A field that is a string takes what stands in
the file; only declarations and the gateway's schemas tell which fields those are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._entities._kind import Field
from .._errors import InputError
from ._located import Strings, strings_of

_NO_STRINGS: Strings = {}


def string_at(container: Any, key: Any) -> Any:
    """What is written at a key or a position: its string where one is kept, else its value."""
    return getattr(container, "strings", _NO_STRINGS).get(key, container[key])


def strings_in(values: list[Any]) -> list[Any]:
    """The items of a list of strings as they are written."""
    return [string_at(values, position) for position in range(len(values))]


def as_written(
    fields: Iterable[Field], written: Mapping[str, Any], strings: Strings
) -> dict[str, Any]:
    """A record whose strings are as they are written; everything else keeps its value.

    :param strings: of the record's fields, as ``strings_of`` gives them.
    """
    by_name = {field.name: field for field in fields}
    return {
        name: _value_as_written(by_name[name], value, strings.get(name))
        if name in by_name
        else value
        for name, value in written.items()
    }


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


def refuse_unclear_fields(
    fields: Iterable[Field], record: Mapping[str, Any], strings: Strings
) -> None:
    """The same for the free-form fields of a record.

    :raises InputError: names the place, and never the value.
    """
    for field in fields:
        if field.open and not field.fields and isinstance(strings.get(field.name), Mapping):
            refuse_unclear(record[field.name], strings[field.name], field.name)


def _value_as_written(field: Field, value: Any, text: Any) -> Any:
    if isinstance(text, str):
        return text if field.type in ("str", "json") else value
    if type(value) in (int, float):
        return str(value) if field.type == "str" else value
    below: Strings = text or _NO_STRINGS
    if isinstance(value, list):
        element = field.element or _element_of(field)
        return [_value_as_written(element, item, below.get(at)) for at, item in enumerate(value)]
    if isinstance(value, Mapping) and field.element is not None:
        return {
            key: _value_as_written(field.element, item, below.get(key))
            for key, item in value.items()
        }
    if isinstance(value, Mapping) and field.fields:
        return as_written(field.fields, value, below)
    return value


def _element_of(field: Field) -> Field:
    """An item of a list whose declaration names its type only."""
    return Field("", field.elements or "raw", fields=field.fields)
