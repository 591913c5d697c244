# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates, found by one of their SNIs: the operation behind ``kong_certificate``.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from ansible_collections.irishtek.kong.plugins.module_utils._apply import carry_out, complete
from ansible_collections.irishtek.kong.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.irishtek.kong.plugins.module_utils._entities._certificate import (
    CERTIFICATE,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError, KongError
from ansible_collections.irishtek.kong.plugins.module_utils._operations._base import (
    Operation,
    Result,
    Task,
    result_of_one,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._entity import (
    STATE,
    fields_with_id,
)
from ansible_collections.irishtek.kong.plugins.module_utils._plan import (
    Plan,
    plan_absent,
    plan_present,
)
from ansible_collections.irishtek.kong.plugins.module_utils._values import normalise


def run_certificate(task: Task) -> Result:
    written = task.written(CERTIFICATE)
    try:
        plan = _plan(task, written)
    except KongError as exc:
        exc.within(f"{CERTIFICATE.describe(written)} at {task.gateway.url}")
        raise
    return result_of_one(task, carry_out(task.gateway, plan))


def _plan(task: Task, written: Entity) -> Plan:
    desired = normalise(CERTIFICATE.fields, written)
    current = _find(task, desired)
    if task.params["state"] == "absent":
        return plan_absent(CERTIFICATE, current)
    desired = complete(task.gateway, CERTIFICATE, desired, current, task.warn)
    return plan_present(CERTIFICATE, desired, current)


def _find(task: Task, desired: Entity) -> Entity | None:
    """By id, else by the written SNIs, which must not belong to different certificates."""
    current = task.gateway.get(CERTIFICATE, desired["id"]) if desired.get("id") else None
    if current is not None and not task.gateway.predicts:
        # The gateway itself refuses SNIs of another certificate.
        return current
    owners: dict[str, Entity] = {} if current is None else {current["id"]: current}
    names: dict[str, str] = {each: each for each in owners}
    for sni in desired.get("snis") or ():
        found = task.gateway.get(CERTIFICATE, sni)
        if found is not None:
            owners[found["id"]] = found
            names[found["id"]] = sni
    if len(owners) > 1:
        raise InputError(
            f"its snis {' and '.join(names.values())} belong to different certificates"
        )
    return next(iter(owners.values()), None)


KONG_CERTIFICATE = Operation(
    name="kong_certificate",
    spec=ArgumentSpec(
        fields=fields_with_id(CERTIFICATE),
        options=STATE,
        required_one_of=[("id", "snis")],
    ),
    run=run_certificate,
)
