# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any entity of any path, typed by the gateway: the operation behind ``kong_entity``.

PRIVATE to the collection: it can change in any release.

For what has no module: entities of custom plugins, and kinds newer than the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from .._apply import absent, carry_out, present
from .._argspec import ArgumentSpec
from .._entities._kind import GENERATED, Entity, Field, Kind
from .._entities._plugin import PLUGIN
from .._entities._registry import KINDS
from .._errors import InputError, KongError
from .._freeform import fields_from
from .._spelling import did_you_mean
from ._base import Operation, Result, Task, result_of_one
from ._entity import STATE


def run_entity(task: Task) -> Result:
    written: Entity = dict(task.params["entity"])
    kind = _kind(task, written)
    if task.params["state"] == "absent":
        plan = absent(task.gateway, kind, written)
    else:
        plan = present(task.gateway, kind, {**written, **_above(task, kind)}, task.warn)
    return result_of_one(task, carry_out(task.gateway, plan))


def _kind(task: Task, written: Entity) -> Kind:
    """The kind of the entities at the path, from the gateway's own schema.

    :raises InputError: the gateway has no schema of that name, or nothing identifies the entity.
    """
    path = task.params["path"].strip("/")
    name = task.params.get("schema") or path.rpartition("/")[2].replace("-", "_")
    if name == PLUGIN.path:
        raise InputError(
            "the settings of plugins are described by a schema for each, secrets included: "
            "use kong_plugin"
        )
    schema = task.gateway.schema(name)
    if schema is None:
        near = did_you_mean(name, {kind.schema_name for kind in KINDS.values()})
        raise InputError(
            f"the gateway at {task.gateway.url} has no entities named {name}: "
            f"check path, or name its schema with the option schema{near}"
        )
    identity = task.params["identity"]
    if not written.get(identity) and not written.get("id"):
        raise InputError(f"entity has neither {identity} nor id, by which it could be found")
    fields = _fields(schema)
    is_secret = any(field.secret for field in fields if field.name == identity)
    return Kind(
        name="entity",
        path=path,
        schema=name,
        identity=identity,
        named_by=("id",) if is_secret else (),
        fields=fields,
        matches=_match_by(identity) if task.params["search"] else None,
    )


def _above(task: Task, kind: Kind) -> Entity:
    """The foreign key that a nested path stands for, which no body that is judged may lack.

    :raises InputError: there is no such entity, and no earlier task that may have made it.
    """
    parts = kind.path.split("/")
    schema = task.gateway.schema(kind.schema_name) or {}
    references = {
        spec.get("reference"): name
        for entry in schema.get("fields") or ()
        for name, spec in entry.items()
        if spec.get("type") == "foreign"
    }
    for position, part in enumerate(parts[:-2]):
        name = references.get(part.replace("-", "_"))
        if name is not None:
            known = (each for each in KINDS.values() if each.path == part and not each.parent)
            path = "/".join(parts[: position + 1])
            above = next(known, Kind(name=name, path=path, identity="name", fields=()))
            return {name: {"id": _id_of(task, above, unquote(parts[position + 1]))}}
    return {}


def _id_of(task: Task, kind: Kind, key: str) -> str:
    try:
        found = task.gateway.get(kind, key)
        return task.gateway.missing(kind, key) if found is None else str(found["id"])
    except KongError as exc:
        exc.within(f"{kind.name} {key} at {task.gateway.url}")
        raise


def _fields(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    return tuple(field for field in fields_from(schema) if field.name not in ("id", *GENERATED))


def _match_by(identity: str) -> Any:
    return lambda desired, stored: stored.get(identity) == desired.get(identity)


KONG_ENTITY = Operation(
    name="kong_entity",
    spec=ArgumentSpec(
        fields=(Field("entity", "dict", open=True, required=True, nullable=False),),
        options={
            "path": {"type": "str", "required": True},
            "schema": {"type": "str"},
            "identity": {"type": "str", "default": "name"},
            "search": {"type": "bool", "default": False},
            **STATE,
        },
    ),
    run=run_entity,
)
