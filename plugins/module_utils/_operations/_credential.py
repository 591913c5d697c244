# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials of a consumer: the operation behind ``kong_credential``."""

from __future__ import annotations

from dataclasses import replace

from .._apply import apply, parent_key
from .._argspec import ArgumentSpec
from .._entities._credential import CREDENTIALS, stored_as_hash
from .._entities._kind import Field, Kind
from .._errors import InputError
from ._base import Operation, Result, Task, result_of_one
from ._entity import STATE, plan_state


def run_credential(task: Task) -> Result:
    kind = CREDENTIALS[task.params["type"]]
    consumer = task.params["consumer"]
    with task.about(f"{kind.name} of consumer {consumer}"):
        _refuse_fields_of_other_types(task, kind)
        key = parent_key(task.gateway, kind, consumer, needed=not task.removes)
        if not task.removes:
            kind = _with_password(task, kind, str(key))
        plan = plan_state(task, kind, task.written(kind), key, consumer)
    result = result_of_one(task, apply(task.gateway, plan, key))
    result["credential"] = result.pop(kind.name)
    return result


def _refuse_fields_of_other_types(task: Task, kind: Kind) -> None:
    own = {field.name for field in kind.fields} | {"id"}
    for field in _FIELDS:
        if field.name in task.params and field.name not in own:
            raise InputError(f"{field.name} is not a field of credentials of type {kind.name}")
    kind.identity.check(kind, task.written(kind))


def _with_password(task: Task, kind: Kind, consumer: str) -> Kind:
    """Compare a password with the hash that the gateway stores, or not at all."""
    if task.params["update_password"] == "on_create":
        return kind.comparing(dict.fromkeys(_STORED_HASHED, bool))
    return stored_as_hash(kind, dict(task.params), consumer)


# What a gateway stores as a hash: always, or with hash_secret.
_STORED_HASHED = ("password", "client_secret")


def _all_fields() -> tuple[Field, ...]:
    """The fields of all types, each once; which of them a type has is checked by the operation."""
    fields: dict[str, Field] = {"id": Field("id", nullable=False)}
    for kind in CREDENTIALS.values():
        fields.update((field.name, field) for field in kind.fields)
    # A key is a secret for one type and a name for another: the option keeps both.
    return tuple(
        replace(each, secret=True) if each.name == "key" else each for each in fields.values()
    )


_FIELDS = _all_fields()

KONG_CREDENTIAL = Operation(run_credential, ArgumentSpec(
    fields=_FIELDS,
    options={
        "type": {"type": "str", "required": True, "choices": list(CREDENTIALS)},
        "consumer": {"type": "str", "required": True},
        "update_password": {"type": "str", "choices": ["always", "on_create"], "default": "always"},
        **STATE,
    },
))
