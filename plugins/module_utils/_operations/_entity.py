# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One entity, present or absent: the operation behind most modules.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.irishtek.kong.plugins.module_utils._apply import (
    absent,
    carry_out,
    present,
)
from ansible_collections.irishtek.kong.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.irishtek.kong.plugins.module_utils._entities._certificate import (
    CA_CERTIFICATE,
    SNI,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._consumer import (
    CONSUMER,
    WORKSPACE,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._keys import (
    KEY,
    KEY_SET,
    VAULT,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Field, Kind
from ansible_collections.irishtek.kong.plugins.module_utils._entities._route import ROUTE
from ansible_collections.irishtek.kong.plugins.module_utils._entities._service import SERVICE
from ansible_collections.irishtek.kong.plugins.module_utils._operations._base import (
    Operation,
    Result,
    Task,
    result_of_one,
)

STATE: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"}
}


def fields_with_id(kind: Kind) -> tuple[Field, ...]:
    return (Field("id", nullable=False), *kind.fields)


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
            required_one_of=[(kind.identity, *kind.unique, "id")],
        ),
        run=run,
    )


KONG_SERVICE = entity_operation(SERVICE)
KONG_ROUTE = entity_operation(ROUTE)
KONG_CONSUMER = entity_operation(CONSUMER)
KONG_SNI = entity_operation(SNI)
KONG_CA_CERTIFICATE = entity_operation(CA_CERTIFICATE)
KONG_VAULT = entity_operation(VAULT)
KONG_KEY = entity_operation(KEY)
KONG_KEY_SET = entity_operation(KEY_SET)
KONG_WORKSPACE = entity_operation(WORKSPACE)
