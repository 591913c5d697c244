# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a gateway's own ``/schemas/…`` says about defaults. Pure.

PRIVATE to the collection: it can change in any release.

No table of defaults of ours: the answer of the gateway that is to be changed is the source, so a
newer or older version predicts as it behaves.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]


def _fields_of(schema: Schema) -> Iterator[tuple[str, Schema]]:
    for entry in schema.get("fields") or ():
        yield from entry.items()


def complete(schema: Schema, entity: Mapping[str, Any]) -> dict[str, Any]:
    """``entity`` as a gateway completes it on a create: defaults filled in, records deep.

    Fields that the gateway makes up itself (``auto``: ids and times) are left out; what is written
    and not in the schema is kept, for the gateway to judge.
    """
    completed = {
        name: _completed(spec, entity.get(name), name in entity)
        for name, spec in _fields_of(schema)
        if name in entity or not spec.get("auto")
    }
    return {**completed, **{name: entity[name] for name in entity if name not in completed}}


def _completed(spec: Schema, value: Any, written: bool) -> Any:
    if not written:
        value = default_of(spec)
    if spec.get("type") == "record" and isinstance(value, Mapping):
        return complete(spec, value)
    return value


def default_of(spec: Schema) -> Any:
    """The value that a field has when nobody wrote it; null where the schema names none."""
    if spec.get("default") is not None:
        return copy.deepcopy(spec["default"])
    if spec.get("type") == "record" and spec.get("required"):
        return {}
    return None


def without_nulls(schema: Schema, written: Mapping[str, Any]) -> dict[str, Any]:
    """Explicit nulls become what they mean: the default, and null where there is none.

    A gateway refuses ``slots: null`` as a key violation and stores others as null (conformance case
    nulls); neither is what someone who clears a field wants.
    """
    specs = dict(_fields_of(schema))
    meant: dict[str, Any] = {}
    for name, value in written.items():
        spec = specs.get(name, {})
        if value is None:
            meant[name] = _completed(spec, None, written=False)
        elif spec.get("type") == "record" and isinstance(value, Mapping):
            meant[name] = without_nulls(spec, value)
        else:
            meant[name] = value
    return meant


def has_null(value: Any) -> bool:
    """Whether an explicit null stands anywhere in a written record."""
    if isinstance(value, Mapping):
        return any(item is None or has_null(item) for item in value.values())
    return False
