# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put back what the steps of a document did."""

from __future__ import annotations

from .._apply import apply
from .._entities._kind import TIMESTAMPS, Entity, Kind
from .._errors import InputError, KongError, Unreachable
from .._gateway._protocol import Gateway
from .._plan import CREATE, DELETE, UPDATE, Plan
from .._values import canonical, without_nulls
from ._match import Step, is_hashed
from ._run import Report


def undo(gateway: Gateway, report: Report) -> tuple[list[Plan], list[str]]:
    """Put back what was done, in reverse order; what somebody changed since is left alone.

    :returns: what was put back, and what was left as it is, with the reason.
    """
    back = [
        (plan, step)
        for step in reversed(report.done)
        for plan in (step.plan, *step.cascaded)
        if plan.changed
    ]
    undone: list[Plan] = []
    left: list[str] = []
    gone: KongError | None = None
    for plan, step in back:
        try:
            if gone is not None:
                raise gone
            undone.append(_undo_one(gateway, plan, step))
        except KongError as exc:
            # Asking again for each of thousands of entities would take hours.
            gone = exc if isinstance(exc, Unreachable) else gone
            left.append(f"{plan.description}: {exc.message}")
    return undone, left


def _undo_one(gateway: Gateway, plan: Plan, step: Step) -> Plan:
    kind = plan.kind
    has_secret = plan.operation == DELETE or bool(plan.body.keys() & {"password", "client_secret"})
    if is_hashed(plan) and has_secret and plan.operation != CREATE:
        raise InputError("its secret cannot be put back: the gateway has only a hash of it")
    if plan.operation == DELETE:
        return _recreate(gateway, plan)
    current = gateway.find_by(kind, "id", str(plan.entity["id"]), step.owner)
    if current is None or _differs(kind, current, plan.entity):
        raise InputError("somebody else has changed it since")
    if plan.operation == CREATE:
        back = Plan(kind, DELETE, before=current, parent=plan.parent)
    else:
        body = {name: plan.stored.get(name) for name in plan.body}
        back = Plan(kind, UPDATE, current, plan.before, body, plan.parent)
    return apply(gateway, back, step.owner)


def _differs(kind: Kind, one: Entity, other: Entity) -> bool:
    fields = {each.name: each for each in kind.fields}
    # What is read only, as the SNIs of a certificate, changes with other entities.
    return any(
        canonical(fields.get(name), one.get(name)) != canonical(fields.get(name), other.get(name))
        for name in (one.keys() | other.keys()) - {*kind.read_only}
    )


def _recreate(gateway: Gateway, plan: Plan) -> Plan:
    """Create a deleted entity again with the same ID."""
    owner = (plan.stored.get(plan.kind.parent or "") or {}).get("id")
    body = {
        name: value
        for name, value in plan.stored.items()
        if name not in (*TIMESTAMPS, *plan.kind.read_only, plan.kind.parent)
    }
    again = Plan(plan.kind, CREATE, None, None, without_nulls(body), plan.parent)
    return apply(gateway, again, owner)
