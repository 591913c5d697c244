# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Defaults, generated values and merges: what the gateway adds to what was written."""

from __future__ import annotations

import copy
import secrets
import string
import time
import uuid
from typing import Any

from .schema import MISSING, Field, Record
from .shorthands import rewrite

ALPHABET = string.ascii_letters + string.digits


def _generated(name: str, field: Field) -> Any:
    """A value that the gateway makes when none is written."""
    if field.spec.get("uuid"):
        return str(uuid.uuid4())
    if field.type == "string":
        return "".join(secrets.choice(ALPHABET) for place in range(32))
    if name in ("created_at", "updated_at"):
        return round(time.time(), 3) if field.type == "number" else int(time.time())
    return MISSING


def _is_due(name: str, value: Any, partial: bool) -> bool:
    """Whether a value is generated: a time of change always, others where none is written."""
    if name == "updated_at":
        return True
    return not partial and (value is MISSING or (name == "created_at" and value is None))


def filled(record: Record, data: dict[str, Any], partial: bool = False) -> dict[str, Any]:
    """A copy of `data` with shorthands rewritten and, unless `partial`, everything filled in.

    Fields that the record does not know stay, for the validation to name.
    """
    written = rewrite(record, data)
    out = {name: value for name, value in written.items() if name not in record.fields}
    for name, field in record.fields.items():
        value = written.get(name, MISSING)
        if field.auto and _is_due(name, value, partial):
            value = _generated(name, field)
        value = _field(field, value, partial)
        if value is not MISSING:
            out[name] = value
    return out


def _field(field: Field, value: Any, partial: bool) -> Any:
    if value is MISSING:
        if partial:
            return MISSING
        value = field.default()
    if value is None or value is MISSING or field.abstract:
        return value
    return _inside(field, value, partial)


def _inside(field: Field, value: Any, partial: bool) -> Any:
    """Records, lists and maps, filled on their own; an empty table is what its type says."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if field.record is not None:
        value = {} if value == [] else value
        return filled(field.record, value, partial) if isinstance(value, dict) else value
    if field.type in ("array", "set") and field.elements is not None:
        value = [] if value == {} else value
        if isinstance(value, list):
            items = [_field(field.elements, item, False) for item in value]
            return unrepeated(items) if field.type == "set" else items
    if field.type == "map" and field.values is not None:
        value = {} if value == [] else value
        if isinstance(value, dict):
            return {key: _field(field.values, item, False) for key, item in value.items()}
    return value


def unrepeated(items: list[Any]) -> list[Any]:
    """A set's elements, each once, in the order they were written; records stay as they are."""
    out: list[Any] = []
    for item in items:
        if isinstance(item, dict) or item not in out:
            out.append(item)
    return out


def merged(record: Record, top: dict[str, Any], bottom: dict[str, Any]) -> dict[str, Any]:
    """`bottom` with what `top` writes: records deep, everything else replaced."""
    out = copy.deepcopy(bottom)
    for name, value in top.items():
        field = record.fields.get(name)
        inner = field.record if field is not None else None
        if inner is not None and isinstance(value, dict) and isinstance(out.get(name), dict):
            out[name] = merged(inner, value, out[name])
        else:
            out[name] = value
    return out
