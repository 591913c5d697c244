# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Workspaces, and what is inside of one: ``kong_workspace``."""

from __future__ import annotations

from .._entities._consumer import WORKSPACE
from .._entities._registry import KINDS
from .._errors import InputError
from .._gateway._protocol import Gateway
from .._parallel import for_each
from .._plan import DELETE, Plan
from ._base import Task
from ._entity import operation_of


def held_in(place: Gateway) -> list[str]:
    """The paths of the kinds that a control plane or a workspace has entities of."""
    kinds = [
        each
        for each in KINDS.values()
        if not each.parent and each is not WORKSPACE and place.offers(each)
    ]
    lists = for_each(place.entities, kinds)
    return [kind.path for kind, listed in zip(kinds, lists) if listed]


def _refuse_full(task: Task, plan: Plan) -> None:
    """Predict that a gateway refuses to delete a workspace that is not empty."""
    gateway = task.gateway
    if not gateway.predicts or plan.operation != DELETE or gateway.traits().edition == "community":
        return
    held = held_in(task.inside(plan.stored))
    if held:
        raise InputError(f"it has {', '.join(held)}: delete these first")


KONG_WORKSPACE = operation_of(WORKSPACE, {}, _refuse_full)
