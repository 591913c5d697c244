# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of a state file in their declared types, validated before the first request.

Private to the collection.

The argument spec of a module does this for options; a document has no argument spec.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .._entities._kind import Entity, Field
from .._errors import MASKED, InputError
from .._freeform import as_type


def typed(fields: Iterable[Field], written: Mapping[str, Any], at: str = "") -> Entity:
    """``written`` with each declared field in its type; ``'5'`` is a number where one is meant.

    :param at: where ``written`` stands in the entity, for messages.
    :raises InputError: names the field, and never its value.
    """
    by_name = {field.name: field for field in fields}
    return {
        name: _value(by_name[name], value, f"{at}{name}") if name in by_name else value
        for name, value in written.items()
    }


def refuse_masks(value: Any, at: str) -> None:
    """Refuse what a dump with masked secrets holds: it would replace a secret with asterisks.

    :raises InputError: with the path.
    """
    if value == MASKED:
        raise InputError(
            f"{at} is masked with asterisks; set secrets of kong_dump to env or keep"
        )
    if isinstance(value, Mapping):
        for name, item in value.items():
            refuse_masks(item, f"{at}.{name}" if at else str(name))
    elif isinstance(value, list):
        for position, item in enumerate(value, 1):
            refuse_masks(item, f"{at}.{position}")


def _value(field: Field, value: Any, at: str) -> Any:
    if value is None:
        if not field.nullable:
            raise InputError(f"{at} cannot be null")
        return None
    if field.reference:
        return value
    value = _of_type(field.type, value, at)
    if field.is_list_of_records:
        return [
            typed(field.fields, _of_type("dict", item, f"{at}.{position}"), f"{at}.{position}.")
            for position, item in enumerate(value, 1)
        ]
    if field.type == "list" and field.elements:
        return [
            _of_type(field.elements, item, f"{at}.{position}")
            for position, item in enumerate(value, 1)
        ]
    return typed(field.fields, value, f"{at}.") if field.is_record else value


def _of_type(kind: str, value: Any, at: str) -> Any:
    if kind == "json":
        return json.dumps(value) if isinstance(value, Mapping) else _of_type("str", value, at)
    try:
        return as_type(kind, value)
    except InputError as exc:
        raise InputError(f"{at}: {exc.message}") from exc
