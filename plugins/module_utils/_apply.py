# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring entities of a gateway to what is wanted: find, complete, plan, write, survive races.

PRIVATE to the collection: it can change in any release.

Works alike on a gateway that is written to and on one that predicts (check mode).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from typing import Callable

from ._entities._kind import GENERATED, NEEDS_ENTERPRISE, Entity, Field, Kind
from ._entities._plugin import without_linked
from ._entities._registry import kind_named
from ._errors import InputError, KongError, Refused, Unreachable
from ._freeform import with_details
from ._gateway import Gateway
from ._parallel import PartlyDone, for_each
from ._plan import CREATE, DELETE, UPDATE, Plan, plan_absent, plan_present
from ._plan import without_nulls as without_empty
from ._schema import Schema, composed, names_in, without_nulls, without_old_spellings
from ._secrets import redact
from ._spelling import did_you_mean, unknown_fields, with_nearest_fields
from ._values import doubts_about, normalise

Warn = Callable[[str], None]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def present(
    gateway: Gateway, kind: Kind, written: Entity, warn: Warn, parent: str | None = None
) -> Plan:
    """Plan (not yet carry out) that an entity is as ``written``.

    :param written: the fields that the user wrote; explicit nulls as None.
    :param parent: name or id of the parent, for kinds that have one.
    :raises InputError: contradictions, a missing reference, a changed id.
    """
    try:
        desired = normalise(kind.fields, written)
        for doubt in doubts_about(kind.fields, written):
            warn(f"{kind.describe(written, parent)}: {doubt}")
        current = find(gateway, kind, desired, parent)
        desired = complete(gateway, kind, desired, current, warn)
        return plan_present(kind, desired, current, parent)
    except KongError as exc:
        redact(exc, kind, written)
        exc.within(f"{kind.describe(written, parent)} at {gateway.url}")
        raise


def absent(gateway: Gateway, kind: Kind, written: Entity, parent: str | None = None) -> Plan:
    """Plan that an entity is gone; one whose parent is missing is."""
    try:
        current = find(gateway, kind, normalise(kind.fields, written), parent)
        return plan_absent(kind, current, parent)
    except KongError as exc:
        exc.within(f"{kind.describe(written, parent)} at {gateway.url}")
        raise


def find(gateway: Gateway, kind: Kind, desired: Entity, parent: str | None = None) -> Entity | None:
    """By id where one is written, else (and if that id is free) by identity.

    :raises InputError: what is written leads to different entities.
    """
    key, identity = desired.get("id"), desired.get(kind.identity)
    current = gateway.get(kind, key, parent) if key else None
    # In a run the gateway itself refuses keys of another entity beside an id.
    if current is not None and not (kind.keys and gateway.predicts):
        return current
    if kind.matches is not None:
        stored = gateway.entities(kind, parent) or ()
        return next((entity for entity in stored if kind.matches(desired, entity)), None)
    if kind.keys:
        return _owner_of(gateway, kind, desired.get(kind.keys) or (), current)
    if identity:
        return gateway.get(kind, identity, parent)
    for name in kind.unique:
        if desired.get(name):
            return gateway.holder(kind, name, desired[name])
    return None


def _owner_of(
    gateway: Gateway, kind: Kind, keys: Sequence[str], current: Entity | None
) -> Entity | None:
    """The one entity that the keys lead to; ``current`` is the one of the written id."""
    owners: dict[str, Entity] = {} if current is None else {current["id"]: current}
    names: dict[str, str] = {each: each for each in owners}
    for key in keys:
        found = gateway.get(kind, key)
        if found is not None:
            owners[found["id"]] = found
            names[found["id"]] = key
    if len(owners) > 1:
        raise InputError(
            f"its {kind.keys} {' and '.join(names.values())} belong to different {kind.path}"
        )
    return next(iter(owners.values()), None)


def complete(
    gateway: Gateway, kind: Kind, desired: Entity, current: Entity | None, warn: Warn
) -> Entity:
    """Nulls become defaults, names of references ids, silent rules of the gateway visible."""
    desired = resolve(gateway, kind, without_defaults(gateway, kind, desired))
    if kind.settle is not None:
        for warning in kind.settle(desired, current):
            warn(f"{kind.describe(desired)}: {warning}")
    return desired


def resolve(gateway: Gateway, kind: Kind, desired: Entity) -> Entity:
    """Names of references become ids.

    :raises InputError: there is no such entity, and no earlier task that may have made it.
    """
    resolved = dict(desired)
    for field in kind.fields:
        if field.reference and isinstance(desired.get(field.name), str):
            resolved[field.name] = {"id": _reference(gateway, field, desired[field.name])}
    return resolved


def without_defaults(gateway: Gateway, kind: Kind, desired: Entity) -> Entity:
    cleared = {
        name for name, value in desired.items() if _clears_a_default(kind.fields, {name: value})
    }
    if not cleared:
        return desired
    if kind.details is not None and cleared <= names_in(kind.details):
        return without_nulls(kind.details, desired)
    return without_nulls(schema_of(gateway, kind), desired)


def schema_of(gateway: Gateway, kind: Kind) -> Schema:
    """The whole schema of an entity, as the gateway describes it."""
    return composed(gateway.schema(kind.schema_name) or {}, kind.details)


def plugin_kind(gateway: Gateway, name: str) -> Kind:
    """The kind of a plugin, its configuration typed by the gateway's schema of it.

    :raises InputError: the gateway does not have the plugin.
    """
    details = gateway.schema(f"plugins/{name}")
    if details is None:
        near = did_you_mean(name, gateway.plugin_names())
        raise InputError(f"the gateway has no plugin {name}{near}")
    return with_details(details)


def _clears_a_default(fields: Sequence[Field], desired: Entity) -> bool:
    """Whether a null is written that may mean a default, which only the gateway's schema knows."""
    by_name = {field.name: field for field in fields}
    for name, value in desired.items():
        field = by_name.get(name)
        if field is None or field.reference or field.empty_is_null:
            continue
        if value is None or (field.is_record and _clears_a_default(field.fields, value)):
            return True
    return False


def _reference(gateway: Gateway, field: Field, key: str) -> str:
    """The id behind a reference by name or id.

    An id is looked up in check mode only: a write with a wrong one is refused by the gateway.
    """
    if _UUID.fullmatch(key) and not gateway.predicts:
        return key
    kind = kind_named(field.reference or "")
    found = gateway.get(kind, key)
    return str(found["id"]) if found is not None else gateway.missing(kind, key)


def carry_out(gateway: Gateway, plan: Plan, parent: str | None = None) -> Plan:
    """Do what a plan says and return it with the gateway's answer.

    :raises KongError: says what was being done to which entity of which gateway, and whether the
        outcome is known.
    """
    try:
        if plan.operation == CREATE:
            return _create(gateway, plan, parent)
        if plan.operation == UPDATE and "partials" in plan.body:
            return plan.done(gateway.replace(plan.kind, plan.stored, _whole(plan)))
        if plan.operation == UPDATE:
            return plan.done(gateway.update(plan.kind, plan.stored, plan.body, parent))
        if plan.operation == DELETE:
            gateway.delete(plan.kind, plan.stored, parent)
        return plan
    except KongError as exc:
        redact(exc, plan.kind, plan.body, plan.stored)
        if isinstance(exc, Refused):
            _name_nearest_fields(gateway, plan.kind, exc)
        if _outcome_unknown(exc):
            _say_uncertain(exc)
        exc.within(f"Could not {plan.operation} {plan.description} at {gateway.url}")
        raise


def _name_nearest_fields(gateway: Gateway, kind: Kind, exc: Refused) -> None:
    """Say what a field that the gateway does not know may have been meant to be."""
    unknown = list(unknown_fields(exc.fields))
    if unknown:
        # Without the schema the refusal says enough.
        with suppress(KongError):
            exc.message = with_nearest_fields(exc.message, unknown, schema_of(gateway, kind))


def _whole(plan: Plan) -> Entity:
    """A plugin as a PUT takes it, the only write that takes links to partials off again."""
    entity = {name: value for name, value in plan.entity.items() if name not in GENERATED}
    if plan.kind.details is not None:
        entity = without_old_spellings(plan.kind.details, entity)
    return without_empty(without_linked(entity))


def carry_out_all(gateway: Gateway, plans: Sequence[Plan], parent: str) -> list[Plan]:
    """Carry out plans for entities of one parent: deletes when everything else is done.

    :raises PartlyDone: ``results`` are the plans in their order, None for those not carried out.
    """
    done: list[Plan | None] = [None if plan.changed else plan for plan in plans]
    for deleting in (False, True):
        turn = [
            position
            for position, plan in enumerate(plans)
            if plan.changed and (plan.operation == DELETE) == deleting
        ]
        try:
            results = for_each(lambda at: carry_out(gateway, plans[at], parent), turn)
        except PartlyDone as exc:
            for position, result in zip(turn, exc.results):
                done[position] = result
            exc.results = done
            raise
        for position, result in zip(turn, results):
            done[position] = result
    return [plan for plan in done if plan is not None]


def _create(gateway: Gateway, plan: Plan, parent: str | None) -> Plan:
    try:
        return plan.done(gateway.create(plan.kind, plan.body, parent))
    except KongError as exc:
        if _lost_race(plan, exc):
            return _adopt(gateway, plan, parent, exc)
        if _outcome_unknown(exc):
            return _create_again(gateway, plan, parent, exc)
        if isinstance(exc, Refused) and exc.status == 404 and plan.kind.parent:
            raise InputError(
                f"{plan.kind.parent} {plan.parent} does not exist", **exc.failure
            ) from exc
        if isinstance(exc, Refused) and exc.status == 404 and plan.kind.enterprise:
            raise InputError(NEEDS_ENTERPRISE, **exc.failure) from exc
        raise


def _adopt(gateway: Gateway, plan: Plan, parent: str | None, cause: KongError) -> Plan:
    """Somebody created the entity since we looked: go on as an update, once."""
    current = find(gateway, plan.kind, plan.body, parent)
    if current is None:
        if plan.kind.parent:
            # Unique among all, but found within one parent only.
            cause.message += f"; it belongs to another {plan.kind.parent}"
            cause.args = (cause.message,)
        raise cause
    adopted = _as_update(plan, current)
    return carry_out(gateway, adopted, parent) if adopted.changed else adopted


def _as_update(plan: Plan, current: Entity) -> Plan:
    """The plan for an entity that turned out to be there, with the rules that then apply."""
    desired = dict(plan.body)
    if plan.kind.settle is not None:
        plan.kind.settle(desired, current)
    return plan_present(plan.kind, desired, current, plan.parent)


def _create_again(gateway: Gateway, plan: Plan, parent: str | None, cause: KongError) -> Plan:
    """The response to a create was lost: look each time before it is sent again.

    :raises KongError: that of the last attempt which the options for retries allow.
    """
    try_again = cause.try_again
    while True:
        deadline = try_again()
        with deadline or nullcontext():
            try:
                current = find(gateway, plan.kind, plan.body, parent)
            except KongError as exc:
                _say_uncertain(exc)
                raise
            if current is not None:
                adopted = _as_update(plan, current)
                done = carry_out(gateway, adopted, parent) if adopted.changed else None
                return done or plan.done(current)
            if deadline is None:
                raise cause
            try:
                return plan.done(gateway.create(plan.kind, plan.body, parent))
            except KongError as exc:
                if _lost_race(plan, exc):
                    return _adopt(gateway, plan, parent, exc)
                if not _outcome_unknown(exc):
                    raise
                cause = exc


def _lost_race(plan: Plan, exc: KongError) -> bool:
    if not isinstance(exc, Refused):
        return False
    if plan.kind.keys:
        # Refused as a violation of the schema (conformance case certificates).
        return "already associated with existing" in str(exc.fields.get(plan.kind.keys))
    names = (plan.kind.identity, *plan.kind.unique)
    return exc.is_unique_violation and any(
        name in exc.fields and exc.fields[name] == plan.body.get(name) for name in names
    )


def _outcome_unknown(exc: KongError) -> bool:
    return (isinstance(exc, Unreachable) and exc.sent) or (
        isinstance(exc, Refused) and exc.may_have_been_done
    )


def _say_uncertain(exc: KongError) -> None:
    """Add once that nobody knows whether the write was done."""
    if "uncertain" not in exc.failure:
        exc.failure["uncertain"] = True
        exc.message += "; whether it was done is not known"
        exc.args = (exc.message,)
