# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks across the fields of a record ("entity checks" of the dumps)."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable
from typing import Any

from . import validate
from .crosschecks import CUSTOM
from .pem import key_error
from .schema import MISSING, Field, Record


def value_at(data: Any, path: str) -> Any:
    """The value at a dotted path; MISSING where a record on the way is not there."""
    for part in path.split("."):
        if not isinstance(data, dict) or part not in data:
            return MISSING
        data = data[part]
    return data


def _set_error(errors: dict[str, Any], path: str, error: Any) -> None:
    *parents, name = path.split(".")
    for part in parents:
        if not isinstance(errors.get(part), dict):
            errors[part] = {}
        errors = errors[part]
    errors[name] = error


def _filled_in(value: Any) -> bool:
    return value is not MISSING and value is not None and value not in ("", [], {})


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _count(data: dict[str, Any], names: list[str]) -> int:
    return sum(_filled_in(value_at(data, name)) for name in names)


def _at_least_one_of(data: dict[str, Any], names: list[str]) -> str | None:
    if _count(data, names):
        return None
    return f"at least one of these fields must be non-empty: {_quoted(names)}"


def _only_one_of(data: dict[str, Any], names: list[str]) -> str | None:
    if _count(data, names) == 1:
        return None
    return f"exactly one of these fields must be non-empty: {_quoted(names)}"


def _mutually_exclusive(data: dict[str, Any], names: list[str]) -> str | None:
    if _count(data, names) < 2:
        return None
    return f"only one or none of these fields must be set: {_quoted(names)}"


def _mutually_required(data: dict[str, Any], names: list[str]) -> str | None:
    if _count(data, names) in (0, len(names)):
        return None
    return f"all or none of these fields must be set: {_quoted(names)}"


def _distinct(data: dict[str, Any], names: list[str]) -> str | None:
    values = [value for name in names if _filled_in(value := value_at(data, name))]
    if all(value not in values[:index] for index, value in enumerate(values)):
        return None
    return f"values of these fields must be distinct: {_quoted(names)}"


#: Checks that take a list of names and give an error for the whole.
BY_NAMES: dict[str, Callable[[dict[str, Any], list[str]], str | None]] = {
    "at_least_one_of": _at_least_one_of,
    "only_one_of": _only_one_of,
    "mutually_exclusive": _mutually_exclusive,
    "mutually_required": _mutually_required,
    "distinct": _distinct,
}

#: Those of them that are left out where one of the fields is wrong on its own.
UNLESS_WRONG = ("mutually_exclusive", "mutually_required")

#: What a condition wants of a field and the dumps leave out, by the entity's kind and the field.
IN_CONDITIONS: dict[tuple[str, str], Callable[[str], str | None]] = {
    ("jwt_secrets", "rsa_public_key"): functools.partial(key_error, private=False),
}


@functools.cache
def _view(field: Field | None, match: str) -> Field:
    """A field seen through a condition: the condition's checks over the field's own."""
    written = json.loads(match)
    spec = {**({} if field is None else field.spec), **written}
    view = Field(spec, "", {})
    if field is not None:
        view.validator = field.validator
        if "elements" not in written:
            view.elements = field.elements
    return view


def _holds(record: Record, path: str, match: dict[str, Any], value: Any) -> Any:
    """The error of `value` under a condition, None when it holds."""
    return validate.field_error(_view(record.at(path), json.dumps(match, sort_keys=True)), value)


def _conditional(
    record: Record, data: dict[str, Any], argument: dict[str, Any], errors: dict[str, Any]
) -> str | None:
    condition = value_at(data, argument["if_field"])
    if condition is MISSING:
        return None
    if _holds(record, argument["if_field"], argument["if_match"], condition) is not None:
        return None
    value = value_at(data, argument["then_field"])
    value = None if value is MISSING else value
    error = _holds(record, argument["then_field"], argument["then_match"], value)
    check = IN_CONDITIONS.get((record.path, argument["then_field"]))
    if error is None and check is not None and isinstance(value, str):
        error = check(value)
    if error is None:
        return None
    _set_error(errors, argument["then_field"], error)
    wording: str | None = argument.get("then_err")
    return wording or f"failed conditional validation given value of field '{argument['if_field']}'"


def _conditional_at_least_one_of(
    record: Record, data: dict[str, Any], argument: dict[str, Any]
) -> str | None:
    condition = value_at(data, argument["if_field"])
    if condition is MISSING:
        return None
    names = argument.get("then_at_least_one_of", [])
    wording = argument.get("then_err")
    if _holds(record, argument["if_field"], argument["if_match"], condition) is not None:
        if "else_match" not in argument:
            return None
        if _holds(record, argument["if_field"], argument["else_match"], condition) is not None:
            return None
        names = argument["else_then_at_least_one_of"]
        wording = argument.get("else_then_err")
    error = _at_least_one_of(data, names)
    if error is None or wording is None:
        return error
    return str(wording).replace("%s", _quoted(names))


def _custom(
    record: Record,
    data: dict[str, Any],
    argument: dict[str, Any],
    errors: dict[str, Any],
    wrong: set[str],
) -> list[str]:
    """A check that the dumps only announce: what `crosschecks` knows of it.

    It is left out where one of its fields is wrong on its own (`wrong`).
    """
    sources = argument["field_sources"]
    check = CUSTOM.get((record.path, tuple(sources)))
    if check is None or any(name.partition(".")[0] in wrong for name in sources):
        return []
    whole, fields = check(data)
    for name, error in fields.items():
        _set_error(errors, name, error)
    return whole


def run(record: Record, data: dict[str, Any], errors: dict[str, Any], full: bool) -> None:
    """Add what the checks of `record` find to `errors`. Not `full`: `data` is a changed entity."""
    whole: list[str] = []
    wrong = set(errors)
    for name, argument in record.checks:
        found: str | None = None
        if name in UNLESS_WRONG and wrong.intersection(argument):
            continue
        if name in BY_NAMES:
            if full or any(value_at(data, field) is not MISSING for field in argument):
                found = BY_NAMES[name](data, argument)
        elif name == "conditional":
            found = _conditional(record, data, argument, errors)
        elif name == "conditional_at_least_one_of":
            found = _conditional_at_least_one_of(record, data, argument)
        elif name == "custom_entity_check":
            whole += _custom(record, data, argument, errors, wrong)
        if found is not None:
            whole.append(found)
    if whole:
        errors["@entity"] = whole
