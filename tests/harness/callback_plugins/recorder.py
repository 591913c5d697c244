# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what a playbook run did to a JSON file, so that tests need not read its display."""

from __future__ import annotations

import json
import os
import resource
from typing import Any

from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: recorder
type: aggregate
short_description: Record a run for the tests
description: Writes results and statistics to the file that KONG_TEST_RECORD names.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Collects one entry a finished task and host."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "recorder"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.tasks: list[dict[str, Any]] = []

    def _keep(self, status: str, result: Any) -> None:
        task = {"name": result._task.name, "action": result._task.action, "status": status}
        self.tasks.append({**task, "host": result._host.name, "result": result._result})

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task did its work."""
        self._keep("changed" if result._result.get("changed") else "ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """A task failed."""
        self._keep("failed", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """A task was left out."""
        self._keep("skipped", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """A task's host was not reached."""
        self._keep("unreachable", result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """The run is over."""
        hosts = {host: stats.summarize(host) for host in stats.processed}
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        seconds = sum(each.ru_utime + each.ru_stime for each in used)
        with open(os.environ["KONG_TEST_RECORD"], "w", encoding="utf-8") as file:
            found = {"stats": hosts, "tasks": self.tasks, "seconds": seconds}
            json.dump(found, file, default=to_text)
