# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One entity, present or absent: the operation behind most modules.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

import functools
from typing import Any

from .._apply import absent, carry_out, present
from .._argspec import ArgumentSpec
from .._entities._kind import Field, Kind
from ._base import Operation, Result, Task, result_of_one

STATE: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"}
}


def fields_with_id(kind: Kind) -> tuple[Field, ...]:
    return (Field("id", nullable=False), *kind.fields)


@functools.cache
def entity_operation(kind: Kind) -> Operation:
    """The operation of a kind that needs no more than its declaration."""

    def run(task: Task) -> Result:
        written = task.written(kind)
        if task.params["state"] == "absent":
            plan = absent(task.gateway, kind, written)
        else:
            plan = present(task.gateway, kind, written, task.warn)
        return result_of_one(task, carry_out(task.gateway, plan))

    return Operation(
        name=f"kong_{kind.name}",
        spec=ArgumentSpec(
            fields=fields_with_id(kind),
            options=STATE,
            required_one_of=[(*kind.identity.names(kind), "id")],
        ),
        run=run,
    )
