# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring entities of a gateway to what is wanted: find, complete, plan, write, handle races.

Works alike on a gateway that is written to and on one that predicts (check mode).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, Callable, TypeVar

from ._entities._identity import find_by_reference, looks_like_id, refuse_empty, stored_id
from ._entities._kind import Entity, Field, Kind
from ._entities._plugin import PLUGIN
from ._entities._registry import KINDS, parent_of
from ._errors import InputError, KongError, Refused, error_context
from ._freeform import config_schema, with_details
from ._gateway._errors import ParentMissing, StillReferenced, UniqueViolation
from ._gateway._protocol import Gateway
from ._parallel import for_each
from ._partials import as_linked, links_of
from ._plan import CREATE, DELETE, UPDATE, Plan, plan_absent, plan_present
from ._schema import fields_in, nulls_to_defaults
from ._secrets import redact
from ._spelling import did_you_mean, unknown_fields, with_nearest_fields, with_new_names
from ._values import normalise, warnings_about

T = TypeVar("T")
Warn = Callable[[str], None]


def present(
    gateway: Gateway,
    kind: Kind,
    written: Entity,
    warn: Warn,
    parent: str | None = None,
    *,
    called: str | None = None,
) -> Plan:
    """Plan (not yet apply) that an entity is as ``written``.

    :param written: the fields that the user wrote; explicit nulls as None.
    :param parent: name or ID of the parent, for kinds that have one.
    :param called: what the user calls the parent, if that is something else.
    :raises InputError: contradictions, a missing reference, nothing that identifies.
    """
    called = called or parent
    described = kind.describe(written, called)
    with error_context(f"{described} at {gateway.url}"), _redacted(kind, written):
        desired = _untyped(kind, written)
        for warning in warnings_about(kind.fields, written):
            warn(f"{described}: {warning}")
        desired, current = _located(gateway, kind, desired, parent)
        if kind.typed_by_name:
            name = _name_of(kind, desired, current)
            kind = plugin_kind(gateway, name)
            desired = with_typed_config(kind, {**written, **desired}, name)
            desired = _with_links(gateway, kind, desired, current)
        desired = complete(gateway, kind, desired, current, warn)
        return plan_present(kind, desired, current, called)


def absent(
    gateway: Gateway,
    kind: Kind,
    written: Entity,
    parent: str | None = None,
    *,
    called: str | None = None,
) -> Plan:
    """Plan that an entity does not exist; without its parent it does not.

    :param parent: None also where the parent that the user wrote (``called``) does not exist.
    :raises InputError: what is written contradicts the entity that was found.
    """
    has_no_parent = parent is None and called is not None
    called = called or parent
    with error_context(f"{kind.describe(written, called)} at {gateway.url}"):
        desired = _untyped(kind, written)
        kind.identity.check(kind, desired)
        if has_no_parent or _scope_is_missing(gateway, kind, desired):
            return plan_absent(kind, None, called)
        desired, current = _located(gateway, kind, desired, parent)
        if kind.typed_by_name and (current or desired.get("name")):
            kind = plugin_kind(gateway, _name_of(kind, desired, current))
        if current is not None:
            desired = resolve(gateway, kind, desired, current, kind.identity.fixed)
        return plan_absent(kind, current, called, desired)


def _untyped(kind: Kind, written: Entity) -> Entity:
    """What is written, normalised, but for what only a schema of the entity's own types."""
    if kind.typed_by_name:
        written = {name: value for name, value in written.items() if name != "config"}
    return normalise(kind.fields, written)


def _name_of(kind: Kind, desired: Entity, current: Entity | None) -> str:
    name = desired.get("name") or (current or {}).get("name")
    if name is None:
        raise InputError(f"it does not exist, and a new {kind.name} needs name")
    return str(name)


def with_typed_config(kind: Kind, written: Entity, name: str) -> Entity:
    """A plugin whose settings have the types, and the present names, of its own schema."""
    config = written.get("config")
    if isinstance(config, dict):
        written = {**written, "config": with_new_names(config_schema(kind), config, name)}
    return normalise(kind.fields, written)


def _with_links(
    gateway: Gateway, kind: Kind, desired: Entity, current: Entity | None
) -> Entity:
    """A plugin with its links to partials by ID, where they are written."""
    if "partials" not in desired:
        return desired

    def id_of(key: str) -> str:
        refuse_empty("partials", key)
        return _reference(gateway, kind.field("partials"), key)

    listed = desired["partials"] or ()
    written = [(each.get("id") or each.get("name") or "", each.get("path")) for each in listed]
    links = links_of(kind, desired, current, written, id_of)
    return as_linked(kind, {**desired, "partials": links})


def _located(
    gateway: Gateway, kind: Kind, desired: Entity, parent: str | None
) -> tuple[Entity, Entity | None]:
    """What is desired with the IDs of its scope, and the entity that it identifies.

    A scope that is written as an ID is one, if the entity is found there; else it is looked up.
    """
    kind.identity.check(kind, desired)
    written = _written_scopes(kind, desired)
    if written and all(map(looks_like_id, written.values())):
        as_ids = {scope: {"id": stored_id(key)} for scope, key in written.items()}
        current = find(gateway, kind, {**desired, **as_ids}, parent)
        if current is not None and all(current.get(scope) == as_ids[scope] for scope in as_ids):
            return {**desired, **as_ids}, current
    desired = resolve(gateway, kind, desired, only=tuple(written))
    return desired, find(gateway, kind, desired, parent)


def _written_scopes(kind: Kind, desired: Entity) -> dict[str, str]:
    scopes = kind.identity.scope
    return {scope: desired[scope] for scope in scopes if isinstance(desired.get(scope), str)}


def _scope_is_missing(gateway: Gateway, kind: Kind, desired: Entity) -> bool:
    """Whether an entity cannot exist because what it is for does not."""
    scopes = _written_scopes(kind, desired).items()
    return any(find_by_reference(gateway, KINDS[scope], key) is None for scope, key in scopes)


@contextmanager
def _redacted(kind: Kind, *entities: Entity) -> Iterator[None]:
    """Errors raised inside do not show the secrets of these entities."""
    try:
        yield
    except KongError as exc:
        redact(exc, kind, *entities)
        raise


def find(gateway: Gateway, kind: Kind, desired: Entity, parent: str | None = None) -> Entity | None:
    """The entity that ``desired`` identifies.

    :raises InputError: nothing identifies it, or what is written leads to different entities.
    """
    if kind.parent:
        refuse_empty(kind.parent, parent)
    return kind.identity.find(gateway, kind, desired, parent)


def complete(
    gateway: Gateway, kind: Kind, desired: Entity, current: Entity | None, warn: Warn
) -> Entity:
    """Nulls become defaults, names of references IDs, silent rules of the gateway visible."""
    desired = resolve(gateway, kind, fill_nulls(gateway, kind, desired, current), current)
    for warning in kind.apply_field_rules(desired, current):
        warn(f"{kind.describe(desired)}: {warning}")
    return desired


def resolve(
    gateway: Gateway,
    kind: Kind,
    desired: Entity,
    current: Entity | None = None,
    only: Sequence[str] | None = None,
) -> Entity:
    """Names of references become IDs.

    :param only: the names of the fields to resolve; None: all.
    :raises InputError: there is no such entity, and no earlier task that may create it.
    """
    resolved = dict(desired)
    for field in kind.references:
        key = desired.get(field.name)
        if isinstance(key, str) and (only is None or field.name in only):
            refuse_empty(field.name, key)
            have = ((current or {}).get(field.name) or {}).get("id")
            # What it points at already need not be looked up.
            resolved[field.name] = {"id": have if have == key else _reference(gateway, field, key)}
    return resolved


def fill_nulls(
    gateway: Gateway, kind: Kind, desired: Entity, current: Entity | None
) -> Entity:
    """What is desired, with the default of each field that is null."""
    declared = kind.fields_by_name
    cleared = {name for name in desired if _may_mean_default(declared.get(name), desired[name])}
    if not cleared:
        return desired
    if kind.details is not None and cleared <= fields_in(kind.details).keys():
        return nulls_to_defaults(kind.details, desired)
    own = kind.own_defaults({**(current or {}), **desired})
    meant = {name: own[name] for name in cleared & own.keys()}
    return nulls_to_defaults(gateway.schema_of(kind), desired | meant)


def plugin_kind(gateway: Gateway, name: str) -> Kind:
    """The kind of a plugin, its configuration typed by the gateway's schema of it.

    :raises InputError: the gateway does not have the plugin.
    """
    details = gateway.schema(PLUGIN.settings_schema(name))
    if details is None:
        near = did_you_mean(name, gateway.plugin_names())
        raise InputError(f"the gateway has no plugin {name}{near}")
    return with_details(details)


def kinds_of_plugins(gateway: Gateway, plugins: Iterable[Entity]) -> dict[str, Kind]:
    """The kinds of existing plugins by name, as far as the gateway has their schemas."""
    names = sorted({plugin["name"] for plugin in plugins})
    schemas = for_each(gateway.schema, map(PLUGIN.settings_schema, names))
    return {name: with_details(schema or {}) for name, schema in zip(names, schemas)}


def _may_mean_default(field: Field | None, value: Any) -> bool:
    """Whether a value is or holds a null that may mean a default, which only the schema knows."""
    if field is None or field.reference or field.empty_is_null:
        return False
    if not (field.is_record and isinstance(value, dict)):
        return value is None
    declared = field.fields_by_name
    return any(_may_mean_default(declared.get(name), item) for name, item in value.items())


def _reference(gateway: Gateway, field: Field, key: str) -> str:
    """The ID behind a reference by name or ID."""
    kind = KINDS[field.reference or field.lists or ""]
    found = find_by_reference(gateway, kind, key)
    return str(found["id"]) if found is not None else gateway.missing(kind, key)


def parent_key(gateway: Gateway, kind: Kind, parent: str, needed: bool = False) -> str | None:
    """The name or ID of a parent in paths; None where the parent does not exist.

    A name is sent as it is, where paths take it and cannot take it for an ID.

    :param needed: whether it is an error that the parent does not exist.
    :raises InputError: it is needed, and no earlier task may create it.
    """
    refuse_empty(str(kind.parent), parent)
    above = parent_of(kind)
    if gateway.takes_names and not above.unique and not looks_like_id(parent):
        return parent
    found = find_by_reference(gateway, above, parent)
    if found is None:
        return gateway.missing(above, parent) if needed else None
    return str(found["id"])


def apply(gateway: Gateway, plan: Plan, parent: str | None = None) -> Plan:
    """Write what is planned, and return the plan with the gateway's response.

    :raises KongError: says what was being done to which entity of which gateway, and whether the
        outcome is known.
    """
    with _explained(gateway, plan, parent):
        if plan.operation == CREATE:
            return _create(gateway, plan, parent)
        if plan.operation == UPDATE:
            return plan.done(gateway.update(plan, parent))
        if plan.operation == DELETE:
            gateway.delete(plan.kind, plan.stored, parent)
    return plan


@contextmanager
def _explained(
    gateway: Gateway, plan: Plan, parent: str | None, others: int = 0
) -> Iterator[None]:
    """Errors raised inside say what was being done, and why it was refused.

    :param others: how many more entities the same request writes.
    """
    try:
        yield
    except KongError as exc:
        redact(exc, plan.kind, plan.body, plan.stored)
        if isinstance(exc, Refused):
            _explain(gateway, plan, parent, exc)
        if exc.uncertain:
            _mark_uncertain(exc)
        more = f" and {others} more" if others else ""
        exc.within(f"Could not {plan.operation} {plan.description}{more} at {gateway.url}")
        raise


def apply_with(
    gateway: Gateway, plan: Plan, planned_below: Callable[[Plan], T]
) -> tuple[Plan, T]:
    """Apply the plan of an entity, and return what is planned for those below it, too.

    That is planned before the first write, and again where somebody else created the entity
    meanwhile, perhaps with others below it.
    """
    below = planned_below(plan)
    done = apply(gateway, plan)
    lost_race = plan.operation == CREATE and done.operation != CREATE
    return done, planned_below(done) if lost_race else below


def _explain(gateway: Gateway, plan: Plan, parent: str | None, exc: Refused) -> None:
    """Say by the sentence of check mode, which looks it up before, why a write was refused."""
    kind, unknown = plan.kind, list(unknown_fields(exc.fields))
    # Without what it reads, the refusal says enough.
    with suppress(KongError):
        try:
            if isinstance(exc, StillReferenced):
                gateway.refuse_referenced(kind, plan.stored)
            elif isinstance(exc, UniqueViolation):
                gateway.refuse_taken(kind, plan.body, plan.stored, parent)
            elif unknown:
                schema = gateway.schema_of(kind)
                exc.message = with_nearest_fields(exc.message, unknown, schema)
        except InputError as known:
            exc.message = known.message


def apply_all(
    gateway: Gateway,
    plans: Sequence[Plan],
    parent: str | None,
    so_far: Callable[[Sequence[Plan | None]], dict[str, Any]],
) -> list[Plan]:
    """Apply plans for entities of one kind and parent: deletes when everything else is done.

    :param so_far: what an error has as the result of the task, from the plans in their order, None
        for those not applied.
    """
    done: list[Plan | None] = [None if plan.changed else plan for plan in plans]

    def apply_at(positions: Sequence[int]) -> None:
        try:
            applied = _apply_at_once(gateway, [plans[at] for at in positions], parent)
        except Refused:
            if len(positions) == 1:
                raise
            # Sent alone, each is either written or named by its refusal.
            for at in positions:
                apply_at([at])
        else:
            for at, plan in zip(positions, applied):
                done[at] = plan

    todo = [position for position, plan in enumerate(plans) if plan.changed]
    size = plans[0].kind.at_once if plans else 1
    try:
        for deletes in (False, True):
            now = [at for at in todo if (plans[at].operation == DELETE) == deletes]
            for_each(apply_at, [now[at : at + size] for at in range(0, len(now), size)])
    except KongError as exc:
        exc.partial = so_far(done)
        raise
    return [plan for plan in done if plan is not None]


def _apply_at_once(gateway: Gateway, plans: Sequence[Plan], parent: str | None) -> Sequence[Plan]:
    """Apply as many plans of one kind and operation as one request can."""
    if plans[0].kind.at_once == 1:
        return [apply(gateway, plans[0], parent)]
    with _explained(gateway, plans[0], parent, len(plans) - 1):
        gateway.write_at_once(plans, parent)
    return plans


def _create(gateway: Gateway, plan: Plan, parent: str | None) -> Plan:
    try:
        return _created(gateway, plan, parent)
    except KongError as exc:
        if _lost_race(plan, exc):
            return _adopt(gateway, plan, parent, exc)
        if exc.uncertain:
            return _create_again(gateway, plan, parent, exc)
        raise


def _created(gateway: Gateway, plan: Plan, parent: str | None) -> Plan:
    try:
        return plan.done(gateway.create(plan.kind, plan.body, parent))
    except KongError as exc:
        if not isinstance(exc, ParentMissing):
            raise
        missing = InputError(f"{plan.kind.parent} {plan.parent} does not exist", **exc.failure)
        # The sentence of check mode, which looks the parent up before it plans.
        missing.within(f"{plan.description} at {gateway.url}")
        raise missing from exc


def _adopt(gateway: Gateway, plan: Plan, parent: str | None, cause: KongError) -> Plan:
    """Somebody created the entity since it was looked up: continue as an update, once."""
    current = None if plan.exclusive else find(gateway, plan.kind, plan.body, parent)
    if current is None:
        raise cause
    adopted = _as_update(plan, current)
    return apply(gateway, adopted, parent) if adopted.changed else adopted


def _as_update(plan: Plan, current: Entity) -> Plan:
    """The plan for an entity that exists after all, with the rules that then apply."""
    desired = dict(plan.body)
    if plan.generated_id:
        desired["id"] = current["id"]
    plan.kind.apply_field_rules(desired, current)
    return plan_present(plan.kind, desired, current, plan.parent)


def _create_again(gateway: Gateway, plan: Plan, parent: str | None, cause: KongError) -> Plan:
    """The response to a create was lost: look up the entity before it is sent again.

    :raises KongError: that of the last attempt which the options for retries allow.
    """
    try_again = cause.try_again
    while True:
        deadline = try_again()
        with deadline or nullcontext():
            try:
                current = find(gateway, plan.kind, plan.body, parent)
            except KongError as exc:
                _mark_uncertain(exc)
                raise
            if current is not None:
                adopted = _as_update(plan, current)
                if adopted.changed and plan.exclusive:
                    raise cause
                done = apply(gateway, adopted, parent) if adopted.changed else None
                return done or plan.done(current)
            if deadline is None:
                raise cause
            try:
                return _created(gateway, plan, parent)
            except KongError as exc:
                if _lost_race(plan, exc):
                    return _adopt(gateway, plan, parent, exc)
                if not exc.uncertain:
                    raise
                cause = exc


def _lost_race(plan: Plan, exc: KongError) -> bool:
    """Whether somebody else created the very entity."""
    if not isinstance(exc, UniqueViolation):
        return False
    kind, taken = plan.kind, exc.fields.keys()
    # What is no field, as an index or the ID, can be that of the identity: it is looked up.
    is_other = kind.path_id is None and taken & kind.fields_by_name.keys()
    return not is_other or not taken.isdisjoint(kind.identity.names(kind))


def _mark_uncertain(exc: KongError) -> None:
    """Add once that the outcome of the write is not known."""
    if "uncertain" not in exc.failure:
        exc.failure["uncertain"] = True
        exc.add("; it is not known whether the change was made")
