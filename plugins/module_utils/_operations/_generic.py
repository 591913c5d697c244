# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any entity of any path, typed by the gateway: the operation behind ``kong_entity``.

For what has no module: entities of custom plugins, and kinds newer than the collection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from .._apply import apply, parent_key
from .._argspec import ArgumentSpec
from .._entities._identity import ByComparison, Identity
from .._entities._kind import TIMESTAMPS, Entity, Field, Kind
from .._entities._plugin import PLUGIN
from .._entities._registry import KINDS
from .._errors import InputError
from .._freeform import fields_from
from .._schema import fields_in
from .._spelling import did_you_mean
from ._base import Operation, Result, Task, result_of_one
from ._entity import STATE, plan_state

_NO_PATH = re.compile(r"://|[?#]")


def run_entity(task: Task) -> Result:
    written: Entity = dict(task.params["entity"])
    kind, called = _kind(task)
    parent = None
    if called:
        with task.about(kind.describe(written, called)):
            parent = parent_key(task.gateway, kind, called, needed=not task.removes)
    plan = plan_state(task, kind, written, parent, called)
    return result_of_one(task, apply(task.gateway, plan, parent))


def _kind(task: Task) -> tuple[Kind, str | None]:
    """The kind of the entities at the path, from the gateway's own schema, and their parent."""
    path = task.params["path"].strip("/")
    if _NO_PATH.search(path):
        raise InputError(f"path {path} must be the path of a list, such as services, without a URL")
    name = task.params.get("schema") or path.rpartition("/")[2].replace("-", "_")
    if name == PLUGIN.path:
        raise InputError(
            "kong_entity does not manage plugins, as each has a schema of its own; use kong_plugin"
        )
    schema = task.gateway.schema(name)
    if schema is None:
        near = did_you_mean(name, {kind.schema_name for kind in KINDS.values()})
        raise InputError(
            f"the gateway at {task.gateway.url} has no schema {name}; check path, or set "
            f"schema{near}"
        )
    identity, fields = task.params["identity"], _fields(name, schema)
    is_secret = any(field.secret for field in fields if field.name == identity)
    above, parent = _above(path, schema)
    kind = Kind(
        name="entity",
        path=path.rpartition("/")[2] if above else path,
        schema=name,
        identity=ByComparison(identity) if task.params["search"] else Identity(identity),
        named_by=("id",) if is_secret else (),
        fields=fields,
        **_declared(name, schema, identity, nested=bool(above)),
        **above,
    )
    return kind, parent


def _above(path: str, schema: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The parent in a nested path: its declaration, and its name or ID."""
    parts = path.split("/")
    if len(parts) < 3:
        return {}, None
    collection, key = "/".join(parts[:-2]), unquote(parts[-2])
    wanted = parts[-3].replace("-", "_")
    for name, spec in fields_in(schema).items():
        if spec.get("type") == "foreign" and spec.get("reference") == wanted:
            known = (each for each in KINDS.values() if each.path == collection and not each.parent)
            made_up = Kind(name, collection, Identity("name"), ())
            return {"parent": name, "parent_kind": next(known, made_up)}, key
    return {}, None


def _declared(name: str, schema: Mapping[str, Any], identity: str, nested: bool) -> dict[str, Any]:
    """What only one entity of all parents can have, and what the schema of a known kind lacks."""
    declared = next((each for each in KINDS.values() if each.schema_name == name), None)
    unique = [each for each, spec in fields_in(schema).items() if spec.get("unique")]
    # What is identified by it is looked up before it is written, but in one parent only.
    found = {*unique, *(declared.unique if declared else ())} - (set() if nested else {identity})
    return {
        "predict": declared.predict if declared else Kind.predict,
        "keeps_nulls": declared.keeps_nulls if declared else (),
        "global_path": declared.global_path if declared and nested else "",
        "unique_together": (
            *(declared.unique_together if declared else ()),
            *((each,) for each in sorted(found)),
        ),
    }


def _fields(name: str, schema: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields of a schema, with the warnings that the declaration of a known kind has."""
    known = (kind for kind in KINDS.values() if kind.schema_name == name)
    warnings = {field.name: field.warnings for kind in known for field in kind.fields}
    return tuple(
        replace(field, warnings=warnings.get(field.name))
        for field in fields_from(schema)
        if field.name not in ("id", *TIMESTAMPS)
    )


KONG_ENTITY = Operation(run_entity, ArgumentSpec(
    fields=(Field("entity", "dict", open=True, required=True, nullable=False),),
    options={
        "path": {"type": "str", "required": True},
        "schema": {"type": "str"},
        "identity": {"type": "str", "default": "name"},
        "search": {"type": "bool", "default": False},
        **STATE,
    },
))
