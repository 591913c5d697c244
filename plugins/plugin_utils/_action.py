# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run an operation in the controller's own process.

The strategy imports an action plugin before it forks, so httpx and the TLS context are loaded once
a run. Arguments are validated, converted to plain values and masked as in ``AnsibleModule``.
"""

from __future__ import annotations

import datetime
import gc
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display

from ..module_utils._argspec import remove_nulls, restore_nulls
from ..module_utils._connection_options import secrets_in, with_environment
from ..module_utils._document._located import rebuilt
from ..module_utils._errors import InputError, KongError
from ..module_utils._module import Session, failed, run
from ..module_utils._operations._base import Operation, Result, silent
from ..module_utils._transport import HTTPX_IMPORT_ERROR, prepare
from ._session import worker_session

SECONDS_BETWEEN_LINES = 2.0
SWITCH = "KONG_ANSIBLE_IN_PROCESS"

prepare()
# Tasks run in forks, where a search for garbage would copy the memory of all objects of the parent.
gc.freeze()


class KongAction(NormalAction):
    """Base of the action plugins: one for each module, of the module's own name."""

    operation: Operation

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            self._task.args = self._arguments()
        except KongError as exc:
            return {**ActionBase.run(self, tmp, task_vars), **failed(exc)}
        if not self._runs_here(task_vars or {}):
            self._task.args = self._for_module(self._task.args)
            return super().run(tmp, task_vars)  # type: ignore[no-any-return]
        result: dict[str, Any] = ActionBase.run(self, tmp, task_vars)
        result.update(self._run_here())
        return result

    def _arguments(self) -> dict[str, Any]:
        """The task's arguments for both ways to run; a subclass adds what only the controller has.

        :raises KongError: the task fails with its message.
        """
        return self._task.args  # type: ignore[no-any-return]

    def _for_module(self, args: dict[str, Any]) -> dict[str, Any]:
        """The arguments for a module process, which must be plain JSON."""
        return args

    def _runs_here(self, task_vars: Mapping[str, Any]) -> bool:
        """Whether nothing needs another process: host, user, environment or job."""
        task = self._task
        return (
            HTTPX_IMPORT_ERROR is None
            and boolean(os.environ.get(SWITCH) or True, strict=False)
            and boolean(task_vars.get(SWITCH.lower(), True), strict=False)
            and self._connection.transport == "local"
            and not self._play_context.become
            and not task.async_val
            and not any(task.environment or ())
        )

    def _run_here(self) -> Result:
        return run_in_process(
            self.operation,
            self._task.args,
            worker_session(),
            action=self._task.action,
            check_mode=bool(self._task.check_mode),
            diff=bool(self._task.diff),
            progress=Progress(),
        )


def run_in_process(
    operation: Operation,
    args: Mapping[str, Any],
    session: Session,
    *,
    action: str,
    check_mode: bool,
    diff: bool,
    progress: Callable[[str], None] = silent,
) -> Result:
    """Validate, run and mask as ``AnsibleModule`` would; a failure is a result with ``failed``.

    :param args: as a task has them, with Ansible's tags and without defaults.
    :param action: what messages call the module.
    """
    spec = operation.spec
    argument_spec = spec.to_spec()
    warnings: list[str] = []
    args = plain(args)
    if spec.connects:
        args = with_environment(args)
    secrets = secrets_in(args)
    try:
        args, nulls = remove_nulls(spec.fields, argument_spec, args, warnings.append)
    except InputError as exc:
        return _without(secrets, failed(exc))
    validated = ArgumentSpecValidator(argument_spec, **spec.constraints()).validate(args)
    secrets |= validated._no_log_values | secrets_in(validated.validated_parameters)
    error = _argument_error(validated, action)
    if error:
        result: Result = {"failed": True, "msg": error}
    else:
        result = run(
            operation,
            restore_nulls(validated.validated_parameters, spec.fields, nulls),
            check_mode=check_mode,
            diff=diff,
            warn=warnings.append,
            session=session,
            progress=progress,
        )
    return _without(secrets, {**result, **_notices(validated, warnings)})


def _notices(validated: Any, warnings: list[str]) -> Result:
    """The part of a result with warnings and deprecations, where there are any."""
    aliases = [
        f"Both option {each['option']} and its alias {each['alias']} are set."
        for each in validated._warnings
    ]
    notices = {"warnings": aliases + warnings, "deprecations": validated._deprecations}
    return {name: each for name, each in notices.items() if each}


def _argument_error(validated: Any, action: str) -> str | None:
    """The message of ``AnsibleModule`` for the same mistake."""
    if not validated.error_messages:
        return None
    message = str(validated.errors.msg)
    if isinstance(validated.errors[0], UnsupportedError):
        return f"Unsupported parameters for ({action}) module: {message}"
    return message


class Progress:
    """Shows how far long work is: a line every few seconds, none for short work."""

    def __init__(self) -> None:
        self._shown = time.monotonic()

    def __call__(self, line: str) -> None:
        if time.monotonic() - self._shown >= SECONDS_BETWEEN_LINES:
            self._shown = time.monotonic()
            Display().display(f"    {line}")


def _without(secrets: set[str], result: Result) -> Result:
    masked: Result = remove_values(result, secrets)
    return masked


def plain(value: Any) -> Any:
    """Tagged, lazy and vaulted values of ansible-core as a module would receive them.

    2.17 and 2.18 hand over ``AnsibleVaultEncryptedUnicode`` (text that is decrypted on ``str()``),
    newer ones subclasses of the built-in types that carry tags.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return rebuilt(value, {plain(key): plain(item) for key, item in value.items()})
    if isinstance(value, (list, tuple, set, frozenset)):
        return rebuilt(value, [plain(item) for item in value])
    for base in (str, int, float):
        if isinstance(value, base):
            return _plain_scalar(base, value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode()
    return str(value)


def _plain_scalar(base: Any, value: Any) -> Any:
    # str() of a subclass may give the subclass back; the built-in's own method copies.
    return str.__str__(value) if base is str else base(value)
