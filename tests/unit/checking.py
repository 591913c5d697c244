# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode against a gateway that must not be written to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._apply import (
    absent,
    apply,
    parent_key,
    present,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity, Kind
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._operations._base import (
    Operation,
    Result,
    Task,
)
from ansible_collections.irishtek.kong.plugins.module_utils._plan import Plan, plan_present
from ansible_collections.irishtek.kong.plugins.module_utils._predict import (
    PredictingGateway,
    Predictions,
)
from unit.recordings import plugin_schemas, schemas
from unit.scripted import answer, gateway_for

TARGET = KINDS["target"]


class ReadOnly:
    """A gateway that fails the test on anything but a read or a validation.

    :param stored: answers by path; what is not there is 404.
    """

    def __init__(
        self, stored: Mapping[str, Any], database: str = "postgres", edition: str = "community"
    ) -> None:
        root = {"configuration": {"database": database}, "edition": edition}
        offered: dict[str, Any] = {
            f"/{path}": {"data": []} for path in ("consumer_groups", "workspaces")
        }
        self._stored = {"/": root, **(offered if edition == "enterprise" else {}), **stored}
        self.judged: list[tuple[str, Entity]] = []
        self.verdict = answer(200, {"message": "schema validation successful"})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "POST" and path.startswith("/schemas/") and "validate" in path:
            self.judged.append((path.split("/")[2], json.loads(request.content)))
            return self.verdict
        assert request.method == "GET", f"check mode wrote: {request.method} {path}"
        found = self._stored.get(path)
        found = self._schema(path) if found is None and path.startswith("/schemas/") else found
        return answer(404, {"message": "Not found"}) if found is None else answer(200, found)

    def _schema(self, path: str) -> Any:
        group = plugin_schemas if path.startswith("/schemas/plugins/") else schemas
        return group("3.10").get(path.rpartition("/")[2])


class Run:
    """The tasks of one check-mode run: each has a gateway of its own and shares predictions."""

    def __init__(
        self, handler: ReadOnly, monkeypatch: pytest.MonkeyPatch, complete: bool = True
    ) -> None:
        self.warnings: list[str] = []
        self._handler, self._patch, self._complete = handler, monkeypatch, complete
        self.memory: dict[str, Any] = {}

    def gateway(self) -> PredictingGateway:
        # The memory goes from task to task as JSON.
        self.memory = json.loads(json.dumps(self.memory))
        predictions = Predictions(self.memory, self._complete)
        behind = gateway_for(self._handler, self._patch)
        return PredictingGateway(behind, predictions, self.warnings.append)

    def present(self, kind: Kind, **written: Any) -> Plan:
        gateway = self.gateway()
        return apply(gateway, present(gateway, kind, written, self.warnings.append))

    def absent(self, kind: Kind, **written: Any) -> Plan:
        gateway = self.gateway()
        return apply(gateway, absent(gateway, kind, written))

    def of(self, parent: str, kind: Kind, **written: Any) -> Plan:
        """An entity of a parent, present."""
        gateway = self.gateway()
        key = parent_key(gateway, kind, parent, needed=True)
        plan = present(gateway, kind, written, self.warnings.append, key, called=parent)
        return apply(gateway, plan, key)

    def task(self, operation: Operation, state: str = "present", **params: Any) -> Result:
        """A whole module's run, its diff included."""
        given = {"state": state, **params}
        return operation.run(Task(given, self.gateway(), True, True, self.warnings.append))

    def target(self, upstream: str, **written: Any) -> Plan:
        gateway = self.gateway()
        key = parent_key(gateway, TARGET, upstream, needed=True)
        current = gateway.find_by(TARGET, "target", written["target"], key)
        return apply(gateway, plan_present(TARGET, written, current, upstream), key)
