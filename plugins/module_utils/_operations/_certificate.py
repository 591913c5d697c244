# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate together with its SNIs: the operation behind ``kong_certificate``."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from .._apply import apply, apply_all, complete, find
from .._argspec import ArgumentSpec
from .._entities._certificate import CERTIFICATE, SNI, generated_id
from .._entities._kind import Entity, Field
from .._errors import InputError
from .._gateway._errors import UniqueViolation
from .._plan import CREATE, DELETE, NONE, UPDATE, Plan, plan_absent, plan_present
from .._values import normalise
from ._base import Operation, Result, Task, add_to_diff, result_of_one
from ._entity import STATE, fields_with_id

SNIS = Field("snis", "list", elements="str", unordered=True)


def run_certificate(task: Task) -> Result:
    written = task.written(CERTIFICATE)
    # In the order written, each once; None if they are not written.
    wanted = list(dict.fromkeys(task.params["snis"] or ())) if "snis" in task.params else None
    with task.about(CERTIFICATE.describe({**written, "snis": wanted})):
        plan, before = _plan(task, written, wanted)
        _refuse_snis_of_others(task, plan, wanted or (), before)
    done = apply(task.gateway, plan)
    after = before if wanted is None or task.removes else sorted(wanted)
    # A new certificate is named by them, too.
    done = _with_snis(done, after)
    result = result_of_one(task, done)
    add_to_diff(result, "snis", before, after)
    if task.removes:
        return result

    def so_far(snis: Sequence[Plan | None]) -> Result:
        return {**result, "changed": done.changed or any(snis)}

    plans = _sni_plans(task, done, before, after)
    try:
        apply_all(task.gateway, plans, None, so_far)
    except UniqueViolation:
        # Somebody created the same SNI meanwhile: a second attempt finds its certificate.
        if done.operation == CREATE and not _listed(task, done.entity):
            apply(task.gateway, plan_absent(CERTIFICATE, done.entity))
        return run_certificate(task)
    if plans and done.operation == NONE:
        result.update(changed=True, operation=UPDATE)
    return result


def _plan(task: Task, written: Entity, wanted: list[str] | None) -> tuple[Plan, list[str]]:
    """The plan of the certificate itself, and the SNIs that it has."""
    desired = normalise(CERTIFICATE.fields, written)
    identified = {**desired, **({} if wanted is None else {"snis": wanted})}
    current = find(task.gateway, CERTIFICATE, identified)
    new = generated_id(desired, wanted or (), task.params.get("workspace"))
    if current is None and "cert" in desired and "id" not in desired:
        # Of a task that ended before it created the SNIs.
        current = task.gateway.find_by(CERTIFICATE, "id", new)
        if current is not None and set(_snis_of(task, current)) - set(wanted or ()):
            current, new = None, str(uuid.uuid4())
    before: list[str] = []
    if current is not None:
        before = _snis_of(task, current)
        current = {**current, "snis": before}
    if task.removes:
        return plan_absent(CERTIFICATE, current, None, identified), before
    desired = complete(task.gateway, CERTIFICATE, desired, current, task.warn)
    if current is None and not task.gateway.predicts:
        desired.setdefault("id", new)
    plan = plan_present(CERTIFICATE, desired, current)
    return _with_snis(plan, before if wanted is None else sorted(wanted)), before


def _with_snis(plan: Plan, names: list[str]) -> Plan:
    return plan if plan.after is None else replace(plan, after={**plan.after, "snis": names})


def _snis_of(task: Task, certificate: Entity) -> list[str]:
    """The SNIs of a certificate; not every gateway returns them, and no prediction has them."""
    returned = None if task.gateway.predicts else certificate.get("snis")
    listed = returned if returned is not None else map(SNI.label, _listed(task, certificate))
    return sorted(listed)


def _listed(task: Task, certificate: Entity) -> list[Entity]:
    return task.gateway.entities(SNI, certificate["id"], CERTIFICATE.name) or []


def _refuse_snis_of_others(
    task: Task, plan: Plan, wanted: Sequence[str], before: list[str]
) -> None:
    """An SNI of another certificate is neither taken over nor a reason to delete this one."""
    if plan.operation == CREATE:
        return  # none was found by an SNI: one that exists by now is met as it is created
    by_id_only = plan.operation == DELETE and "id" in task.params
    for name in wanted:
        if name in before:
            continue
        found = None if by_id_only else task.gateway.find_by(SNI, "name", name)
        is_others = found is not None and found[CERTIFICATE.name]["id"] != plan.stored.get("id")
        if by_id_only or is_others:
            raise InputError(f"sni {name} belongs to another certificate")


def _sni_plans(task: Task, certificate: Plan, before: list[str], after: list[str]) -> list[Plan]:
    """Plans to create the SNIs that are new and to delete those that are not written any more."""
    owner = {"id": certificate.entity["id"]}
    plans = [
        replace(plan_present(SNI, {"name": name, CERTIFICATE.name: owner}, None), exclusive=True)
        for name in after
        if name not in before
    ]
    if set(before) - set(after):
        surplus = (each for each in _listed(task, owner) if each["name"] not in after)
        plans += [plan_absent(SNI, each) for each in surplus]
    return plans


KONG_CERTIFICATE = Operation(run_certificate, ArgumentSpec(
    fields=(*fields_with_id(CERTIFICATE), SNIS),
    options=STATE,
    required_one_of=[("snis", "id")],
))
