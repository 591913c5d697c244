# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's operation in the tests' own process, where the way to run it is not the point."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.irishtek.kong.plugins.module_utils._argspec import (
    remove_nulls,
    restore_nulls,
)
from ansible_collections.irishtek.kong.plugins.module_utils._connection import Connection
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._module import Session, failed, run
from ansible_collections.irishtek.kong.plugins.module_utils._operations._base import Operation
from ansible_collections.irishtek.kong.plugins.module_utils._predict import Predictions
from harness.gateway import Gateway

Result = dict[str, Any]


def operation_of(module: str) -> Operation:
    """What a module does, as both ways to run it know it."""
    stub = importlib.import_module(f"ansible_collections.irishtek.kong.plugins.action.{module}")
    operation: Operation = stub.ActionModule.operation
    return operation


class RunSession(Session):
    """What a playbook run keeps: clients, and what check mode predicted."""

    def __init__(self) -> None:
        super().__init__()
        self.memory: dict[str, Any] = {}

    @contextmanager
    def predictions(self, connection: Connection) -> Iterator[Predictions]:
        """All that this run predicted of a gateway."""
        memory = self.memory.setdefault(connection.memory_key, {})
        yield Predictions(memory, complete=True)

    def predicted(self, connection: Connection) -> Predictions:
        """What was predicted so far."""
        return Predictions(self.memory.get(connection.memory_key))


@dataclass
class Engine:
    """Calls operations by their module's name; options are as in a playbook."""

    gateway: Gateway
    session: RunSession = field(default_factory=RunSession)

    def __call__(
        self, module: str, /, *, check: bool = False, diff: bool = True, **options: Any
    ) -> Result:
        """Run a task and return its result, warnings included; a failure is a result, too."""
        operation = operation_of(module)
        spec = operation.spec
        raw = {**(self.gateway.connection if spec.connects else {}), **options}
        warnings: list[str] = []
        try:
            raw, nulls = remove_nulls(spec.fields, spec.to_spec(), raw, warnings.append)
        except InputError as exc:
            return failed(exc)
        checked = ArgumentSpecValidator(spec.to_spec(), **spec.constraints()).validate(raw)
        if checked.error_messages:
            return {"changed": False, "failed": True, "msg": checked.errors.msg}
        result = run(
            operation,
            restore_nulls(checked.validated_parameters, spec.fields, nulls),
            check_mode=check, diff=diff, warn=warnings.append, session=self.session,
        )
        return {**result, "warnings": warnings}

    def ok(self, module: str, /, **options: Any) -> Result:
        """Run a task that has to succeed."""
        result = self(module, **options)
        assert not result.get("failed"), result
        return result

    def refused(self, module: str, /, **options: Any) -> Result:
        """Run a task that has to fail, and to say why in one line."""
        result = self(module, **options)
        assert result.get("failed"), result
        assert "\n" not in result["msg"] and result["msg"].strip(), result["msg"]
        return result

    def forget(self) -> None:
        """Begin a new run of a playbook: nothing was predicted yet."""
        self.session = RunSession()
