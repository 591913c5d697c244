# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values as a gateway stores them, compared and merged along the declared fields. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from ._entities._identity import ID
from ._entities._kind import Entity, Field
from ._errors import InputError

SIGNIFICANT_DIGITS = 14
_END_OF_PEM = re.compile(r"-----END [A-Z0-9 ]+-----\s*\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")


def stored_number(value: float) -> float:
    """A number as a gateway keeps it: 14 significant digits, integral ones as integers.

    Source: gateway 3.9.1 returns ``33.333333333333`` for a written ``33.333333333333336``.

    :raises InputError: JSON has no such number.
    """
    if isinstance(value, int) and abs(value) < 10**SIGNIFICANT_DIGITS:
        return value
    try:
        rounded = float(f"{float(value):.{SIGNIFICANT_DIGITS}g}")
    except OverflowError:
        rounded = math.inf
    if not math.isfinite(rounded):
        raise InputError("must be a finite number")
    return int(rounded) if rounded.is_integer() else rounded


def as_stored(value: Any, at: str) -> Any:
    """``value`` with its numbers as a gateway keeps them, at any depth.

    :param at: its path, for messages.
    :raises InputError: JSON has no such value: an infinite number, a lone surrogate.
    """
    if isinstance(value, str):
        _refuse_surrogates(value, at)
        return value
    if isinstance(value, Mapping):
        for key in value:
            _refuse_surrogates(key, f"a key of {at}")
        return {key: as_stored(item, f"{at}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [as_stored(item, f"{at}.{position}") for position, item in enumerate(value, 1)]
    if _is_number(value):
        try:
            return stored_number(value)
        except InputError as exc:
            raise InputError(f"{at} {exc.message}") from exc
    return value


def map_items(value: Any, change: Callable[[Any, Any], Any]) -> Any:
    """A copy of a mapping or a list with its items changed; any other value as it is."""
    if isinstance(value, Mapping):
        return {key: change(key, item) for key, item in value.items()}
    is_list = isinstance(value, (list, tuple))
    return [change(*each) for each in enumerate(value)] if is_list else value


def items_of(value: Any) -> Iterator[tuple[Any, Any]]:
    """What is in a mapping or a list, with its key or position; nothing of any other value."""
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, (list, tuple)):
        yield from enumerate(value)


def map_scalars(value: Any, convert: Callable[[Any], Any]) -> Any:
    """A copy of a value with each of its scalars converted, at any depth; keys stay."""
    if isinstance(value, list):
        return [map_scalars(item, convert) for item in value]
    # The check for a mapping takes longer than all others.
    if not isinstance(value, str) and isinstance(value, Mapping):
        return {key: map_scalars(item, convert) for key, item in value.items()}
    return convert(value)


def same_value(value: Any) -> Any:
    """A form in which values are equal that a gateway keeps alike, at any depth.

    Numbers are equal to 14 digits, and white space after a PEM text makes no difference.
    """
    return map_scalars(value, _same_scalar)


def _same_scalar(value: Any) -> Any:
    if isinstance(value, str):
        return value.rstrip() if _END_OF_PEM.search(value) else value
    return stored_number(value) if _is_number(value) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _refuse_surrogates(value: Any, at: str) -> None:
    """Python strings can contain them, UTF-8 cannot."""
    if isinstance(value, str) and not value.isascii() and _SURROGATE.search(value):
        raise InputError(f"{at} contains a lone surrogate, which is not valid Unicode")


def type_of(value: Any) -> str:
    """What kind of value it is: the value itself may be a secret."""
    names = {"str": "a string", "bool": "a boolean", "list": "a list", "dict": "a dictionary"}
    return names.get(type(value).__name__, "a number")


def normalise(fields: Iterable[Field], written: Entity) -> Entity:
    """``written`` in the form in which the gateway stores it.

    Duplicates of sets go, empty values become null where that is the same, numbers keep 14
    significant digits, integral floats become integers (a gateway returns ``5`` for a number, not
    ``5.0``), elements of lists of records get all keys.

    :raises InputError: a value that its field's own rule refuses, or that JSON does not have.
    """
    for name, value in written.items():
        as_stored(value, name)
    by_name = {field.name: field for field in (*fields, ID)}
    return {
        name: _normalise_value(by_name.get(name), value, name)
        for name, value in written.items()
    }


def _normalise_value(field: Field | None, value: Any, at: str) -> Any:
    if field is None:
        return as_stored(value, at)
    # Gateways refuse [] where they take null: hosts of a stream route, methods of a gRPC one.
    if value is None or (field.empty_is_null and value in ([], {})):
        return None
    _check_range(field, value, at)
    if field.normalise is not None:
        try:
            value = field.normalise(value)
        except InputError as exc:
            raise InputError(f"{at}: {exc.message}" if "." in at else exc.message) from exc
    if not field.is_record and field.item is None:
        value = as_stored(value, at)
    else:
        value = field.map_inside(
            value, lambda inner, item, key: _normalise_value(inner, item, f"{at}.{key}")
        )
    if field.is_list_of_records:
        value = [{**dict.fromkeys(field.fields_by_name), **item} for item in value]
    return _without_duplicates(value) if field.is_set and isinstance(value, list) else value


def _check_range(field: Field, value: Any, at: str) -> None:
    fewest, most = field.length or (0, math.inf)
    if isinstance(value, (str, list)) and not fewest <= len(value) <= most:
        unit = "characters" if isinstance(value, str) else "items"
        limits = f"{fewest} to {most}" if fewest else f"at most {most}"
        raise InputError(f"{at} must have {limits} {unit}, got {len(value)}")
    lowest, highest = field.between or (-math.inf, math.inf)
    for number in value if isinstance(value, list) else [value]:
        if isinstance(number, (int, float)) and not lowest <= number <= highest:
            raise InputError(f"{at} must be from {lowest} to {highest}, got {number}")


def warnings_about(fields: Iterable[Field], written: Entity) -> list[str]:
    """Warnings about what is written, in its form before it is normalised."""
    return [
        warning
        for field in fields
        if field.warnings is not None and written.get(field.name) is not None
        for warning in field.warnings(written[field.name])
    ]


def difference(fields: Iterable[Field], desired: Entity, current: Entity) -> Entity:
    """The part of ``desired`` that differs from ``current``: the least to write.

    Records are looked into, so that a body holds the changed leaves only; everything else is
    compared, and replaced, as a whole.
    """
    by_name = {field.name: field for field in fields}
    changed: Entity = {}
    for name, want in desired.items():
        field, have = by_name.get(name), current.get(name)
        if field is not None and field.is_record and isinstance(want, dict):
            inner = difference(field.fields, want, have or {})
            if inner:
                changed[name] = inner
        elif want != have and canonical(field, want) != canonical(field, have):
            changed[name] = want
    return changed


def merge(fields: Iterable[Field], current: Entity, change: Entity) -> Entity:
    """``current`` after a ``PATCH`` of ``change``: records merge deep, the rest is replaced."""
    by_name = {field.name: field for field in fields}
    merged = dict(current)
    for name, value in change.items():
        field = by_name.get(name)
        if field is not None and field.is_record and isinstance(value, dict):
            merged[name] = merge(field.fields, current.get(name) or {}, value)
        else:
            merged[name] = value
    return merged


def without_nulls(entity: Entity, kept: Collection[str] = (), in_lists: bool = False) -> Entity:
    """What a create sends: a null there means the same as leaving the field out.

    :param kept: fields whose nulls are values.
    :param in_lists: also of the records in lists.
    """

    def inside(value: Any) -> Any:
        if isinstance(value, dict):
            return without_nulls(value, (), in_lists)
        if isinstance(value, list) and in_lists:
            return [inside(item) for item in value]
        return value

    return {
        name: value if name in kept else inside(value)
        for name, value in entity.items()
        if value is not None
    }


def with_nulls(fields: Iterable[Field], entity: Entity) -> Entity:
    """A response that leaves out what is null, as one that does not; so in its records."""
    full = dict(entity)
    for field in fields:
        if field.name not in full and not field.always_returned:
            continue
        value = full.setdefault(field.name, None)
        if field.is_record and isinstance(value, dict):
            full[field.name] = with_nulls(field.fields, value)
        elif field.is_list_of_records and isinstance(value, list):
            full[field.name] = [with_nulls(field.fields, each) for each in value]
    return full


def canonical(field: Field | None, value: Any) -> Any:
    """A form in which two values are equal when the gateway makes no difference between them."""
    if field is None or value is None:
        return same_value(value)
    if field.empty_is_null and value in ([], {}):
        return None
    if field.compare_as is not None:
        return field.compare_as(value)
    value = same_value(value) if field.item is None else field.map_inside(value, _canonical_item)
    if not field.unordered:
        return value
    if isinstance(value, dict):
        return {
            key: _sorted_set(item) if isinstance(item, list) else item
            for key, item in value.items()
        }
    return _sorted_set(value) if isinstance(value, list) else value


def _canonical_item(element: Field | None, item: Any, _key: Any) -> Any:
    if element is None or not element.is_record or not isinstance(item, dict):
        return canonical(element, item)
    # A key that is null and one that is missing are the same inside a list.
    inside = element.map_inside(item, lambda inner, value, key: canonical(inner, value))
    return {name: value for name, value in inside.items() if value is not None}


def _sorted_set(values: list[Any]) -> list[str]:
    return sorted({json.dumps(value, sort_keys=True) for value in values})


def _without_duplicates(values: list[Any]) -> list[Any]:
    kept = {json.dumps(value, sort_keys=True): value for value in reversed(values)}
    return list(reversed(list(kept.values())))


def map_strings(value: Any, convert: Callable[[str], Any]) -> Any:
    """A copy of a value with each of its strings converted, to any depth; keys stay."""
    return map_scalars(value, lambda each: convert(each) if isinstance(each, str) else each)
