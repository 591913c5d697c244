# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what a request carries: JSON, forms, and the inference of types in forms."""

from __future__ import annotations

import email.message
import email.parser
import email.policy
import json
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

from . import errors
from .schema import Field, Record

PART = re.compile(r"[^.\[\]]+|\[\d*\]")


#: The record that judges a body.
RecordOf = Callable[[dict[str, Any]], Record]


class UnsupportedMediaType(Exception):
    """A body in a form that the Admin API does not read."""


def parsed(content_type: str, raw: bytes, record_of: RecordOf | None) -> dict[str, Any]:
    """The fields of a body; {} without one. `record_of` tells the types in a form."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return _json(raw)
    if kind == "application/x-www-form-urlencoded":
        pairs = urllib.parse.parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)
        return _form(pairs, record_of)
    if kind == "multipart/form-data":
        return _form(_multipart(content_type, raw), record_of)
    if kind or raw:
        raise UnsupportedMediaType
    return {}


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _json(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw, parse_constant=_refuse_constant)
        json.dumps(body, ensure_ascii=False).encode()  # A lone surrogate is not Unicode.
    except ValueError as error:
        raise errors.Refusal(400, {"message": "Cannot parse JSON body"}) from error
    if body == []:
        return {}  # Lua has one empty table
    if not isinstance(body, dict):
        raise errors.unexpected()
    return body


def _multipart(content_type: str, raw: bytes) -> list[tuple[str, str]]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + raw)
    return [
        (str(part.get_param("name", "", "content-disposition")), _text(part))
        for part in message.iter_parts()
    ]


def _text(part: email.message.Message) -> str:
    """A part as text, whatever its own content type: a file comes as octets."""
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _form(pairs: list[tuple[str, str]], record_of: RecordOf | None) -> dict[str, Any]:
    """Pairs such as `config.minute=5` and `paths[]=/a` as nested fields with types."""
    out: dict[str, Any] = {}
    for key, value in pairs:
        _place(out, PART.findall(key), value)
    return _without_types(out) if record_of is None else _inferred_record(record_of(out), out)


def _without_types(value: Any) -> Any:
    """A form where no schema tells types (conformance: odd_requests)."""
    if isinstance(value, dict):
        return {name: _without_types(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_types(item) for item in value]
    return {"": None, "true": True, "false": False}.get(value, value)


def _place(target: dict[str, Any], parts: list[str], value: str) -> None:
    name, *rest = parts or [""]
    if rest and not rest[0].startswith("["):
        inner = target.setdefault(name, {})
        if isinstance(inner, dict):
            _place(inner, rest, value)
    elif rest or name in target:
        held = target.setdefault(name, [])
        if not isinstance(held, list):
            held = target[name] = [held]
        held.append(value)
    else:
        target[name] = value


def _inferred_record(record: Record, data: dict[str, Any]) -> dict[str, Any]:
    known = {**record.shorthands, **record.fields}
    return {
        name: inferred(known[name], value) if name in known else value
        for name, value in data.items()
    }


def inferred(field: Field, value: Any) -> Any:
    """A form's text as the type that its field has; "" is null."""
    if value == "":
        return None
    if field.record is not None and isinstance(value, dict):
        return _inferred_record(field.record, value)
    if field.elements is not None:
        values = value if isinstance(value, list) else [value]
        return [inferred(field.elements, item) for item in values]
    if field.values is not None and isinstance(value, dict):
        return {key: inferred(field.values, item) for key, item in value.items()}
    if field.type == "boolean":
        return {"true": True, "false": False}.get(value, value)
    if field.type in ("number", "integer"):
        return _as_number(value)
    if field.type == "foreign" and isinstance(value, str):
        return {"id": value}
    return value


def _as_number(value: Any) -> Any:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return int(number) if number.is_integer() else number
