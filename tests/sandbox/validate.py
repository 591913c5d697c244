# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a filled record hold what its schema asks? Errors are worded as the gateway words them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from . import checks, patterns
from .errors import unexpected
from .schema import Field, Record

REQUIRED = "required field missing"
UNKNOWN_FIELD = "unknown field"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)

#: An error in a field: a text, or errors by field (list: by index) of what is inside.
Error = str | dict[str, Any] | list[Any]


def is_uuid(text: object) -> bool:
    """Whether a text is an id and no name."""
    return isinstance(text, str) and UUID.fullmatch(text) is not None


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "string": (lambda value: isinstance(value, str), "expected a string"),
    "number": (_number, "expected a number"),
    "integer": (
        lambda value: _number(value) and float(value).is_integer(),
        "expected an integer",
    ),
    "boolean": (lambda value: isinstance(value, bool), "expected a boolean"),
    "array": (lambda value: isinstance(value, list), "expected an array"),
    "set": (lambda value: isinstance(value, list), "expected a set"),
    "map": (lambda value: isinstance(value, dict), "expected a map"),
    "record": (lambda value: isinstance(value, dict), "expected a record"),
}


def _quoted(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _text_of(options: list[Any]) -> str:
    return ", ".join(str(option) for option in options)


def _subsets(value: list[Any], subsets: list[list[str]]) -> str | None:
    """Values of more than one of the subsets; the message names these whole, as they are met."""
    met: list[list[str]] = []
    for item in value:
        met += [subset for subset in subsets if item in subset and subset not in met]
    if len(met) < 2:
        return None
    names = ", ".join("('" + "', '".join(subset) + "')" for subset in met)
    return f"these sets are mutually exclusive: {names}"


def _patterns_all(value: str, entries: list[dict[str, str]]) -> str | None:
    for entry in entries:
        if not patterns.matches(entry["pattern"], value):
            return entry.get("err") or f"invalid value: {value}"
    return None


def _patterns_none(value: str, entries: list[dict[str, str]]) -> str | None:
    for entry in entries:
        if patterns.matches(entry["pattern"], value):
            return entry.get("err") or f"invalid value: {value}"
    return None


def _patterns_any(value: str, argument: dict[str, Any]) -> str | None:
    if any(patterns.matches(pattern, value) for pattern in argument["patterns"]):
        return None
    return argument.get("err") or f"invalid value: {value}"


def _regex(value: str) -> str | None:
    try:
        patterns.python_pattern(value)
    except re.error:
        return f"not a valid regex: {value}"
    return None


def _when(good: bool, message: str) -> str | None:
    return None if good else message


#: The declared checks in the order in which the gateway makes them; each gives a text or None.
VALIDATORS: dict[str, Callable[[Any, Any], str | None]] = {
    "eq": lambda value, arg: _when(value == arg, f"value must be {_quoted(arg)}"),
    "ne": lambda value, arg: _when(value != arg, f"value must not be {_quoted(arg)}"),
    "not_one_of": lambda value, arg: _when(
        value not in arg, f"must not be one of: {_text_of(arg)}"
    ),
    "one_of": lambda value, arg: _when(value in arg, f"expected one of: {_text_of(arg)}"),
    "gt": lambda value, arg: _when(value > arg, f"value must be greater than {arg}"),
    "timestamp": lambda value, arg: _when(value > 0, "expected a valid timestamp"),
    "uuid": lambda value, arg: _when(is_uuid(value), "expected a valid UUID"),
    "is_regex": lambda value, arg: _regex(value),
    "between": lambda value, arg: _when(
        arg[0] <= value <= arg[1], f"value should be between {arg[0]} and {arg[1]}"
    ),
    "len_eq": lambda value, arg: _when(len(value) == arg, f"length must be {arg}"),
    "len_min": lambda value, arg: _when(len(value) >= arg, f"length must be at least {arg}"),
    "len_max": lambda value, arg: _when(len(value) <= arg, f"length must be at most {arg}"),
    "starts_with": lambda value, arg: _when(value.startswith(arg), f"should start with: {arg}"),
    "match_none": _patterns_none,
    "match": lambda value, arg: _when(patterns.matches(arg, value), f"invalid value: {value}"),
    "match_all": _patterns_all,
    "match_any": _patterns_any,
    "contains": lambda value, arg: _when(arg in value, f"expected to contain: {arg}"),
}


def field_error(field: Field, value: Any) -> Error | None:
    """What is wrong with one value, or None. `field` may be a check's view of a field."""
    spec = field.spec
    if value is None:
        if "eq" in spec and spec["eq"] is not None:
            return f"value must be {_quoted(spec['eq'])}"
        return REQUIRED if field.required else None
    if "eq" in spec and spec["eq"] is None:
        return str(spec.get("err") or "value must be null")
    if field.type == "foreign":
        return foreign_error(field, value)
    error = _type_error(field, value)
    if error is not None:
        return error
    return _inner_error(field, value) or _declared_error(field, value)


def _type_error(field: Field, value: Any) -> str | None:
    if field.type not in TYPES:
        return None
    right, message = TYPES[field.type]
    return None if right(value) else message


def foreign_error(field: Field, value: Any) -> Error | None:
    """A foreign key is {"id": …}; whether the entity exists is the database's question.

    What has no id is judged as an entity of the kind that the key points to.
    """
    if isinstance(value, (bool, int, float)):
        raise unexpected()
    keys = value if isinstance(value, dict) else {}
    if not keys.get("id", False):
        error = REQUIRED if keys.get("id", False) is None else "missing primary key"
    elif not isinstance(keys["id"], str):
        error = "expected a string"
    elif is_uuid(keys["id"]):
        return None
    else:
        error = "expected a valid UUID"
    if isinstance(value, list) and value:
        return [UNKNOWN_FIELD for _item in value]
    inside = field.referenced_errors(keys) if isinstance(value, (dict, list)) else {}
    return inside or {"id": error}


def _inner_error(field: Field, value: Any) -> Error | None:
    if field.record is not None:
        return record_errors(field.record, value) or None
    if field.elements is not None and isinstance(value, list):
        return _elements_error(field.elements, value)
    if field.keys is not None and field.values is not None and isinstance(value, dict):
        for key, item in value.items():
            error = field_error(field.keys, key) or field_error(field.values, item)
            if error is not None:
                return error
    return None


def _elements_error(element: Field, values: list[Any]) -> list[Error | None] | None:
    errors = [field_error(element, value) for value in values]
    while errors and errors[-1] is None:
        errors.pop()
    return errors or None


def _declared_error(field: Field, value: Any) -> str | None:
    # A string is not empty unless its schema says so.
    spec = {"len_min": 1, **field.spec} if field.type == "string" else field.spec
    for name, validator in VALIDATORS.items():
        if spec.get(name) is not None:
            error = validator(value, spec[name])
            if error is not None:
                return spec.get("err") or error
    if field.validator is not None:
        error = field.validator(value)
        if error is not None:
            return error
    if "mutually_exclusive_subsets" in spec:
        return _subsets(value, spec["mutually_exclusive_subsets"])
    return None


def record_errors(record: Record, data: dict[str, Any], full: bool = True) -> dict[str, Any]:
    """Every error of a filled record by field, those of the whole under "@entity".

    Not `full`: the record is an entity that was changed, not a new one.
    """
    errors: dict[str, Any] = {}
    for name, value in data.items():
        field = record.fields.get(name)
        error = UNKNOWN_FIELD if field is None else field_error(field, value)
        if error is not None:
            errors[name] = error
    for name, field in record.fields.items():
        if field.required and data.get(name) is None:
            errors[name] = REQUIRED
    checks.run(record, data, errors, full)
    return errors
