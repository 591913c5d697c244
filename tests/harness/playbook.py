# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `ansible-playbook` in a process of its own and tells what it did."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.paths import BINARIES, COLLECTIONS, ROOT
from tools.processes import kill_tree

# No play of the tests takes longer, in seconds.
LIMIT = 240.0
# Connection variables for inventories whose hosts are this machine: without the interpreter
# Ansible would look for one that may lack httpx.
LOCAL = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
}

# Runs a command in a terminal of its own.
_TERMINAL = """
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
"""


@dataclass(frozen=True)
class Run:
    """One run: exit status, display, Ansible's counts a host, and one entry a task and host."""

    rc: int
    stdout: str
    stats: dict[str, dict[str, int]]
    tasks: list[dict[str, Any]]

    def total(self, name: str) -> int:
        """A count ("changed", "failures", …) over all hosts."""
        return sum(counts[name] for counts in self.stats.values())

    def changed(self) -> list[str]:
        """Names of the tasks that reported a change."""
        return [task["name"] for task in self.tasks if task["status"] == "changed"]

    def result(self, name: str, host: str | None = None) -> dict[str, Any]:
        """The result of the last task whose name ends so, on `host` if given."""
        found = [
            task["result"]
            for task in self.tasks
            if task["name"].endswith(name) and host in (None, task["host"])
        ]
        assert found, f"no task {name!r} in\n{self.stdout}"
        return dict(found[-1])

    def ok(self) -> Run:
        """This run, which has to have succeeded."""
        assert self.rc == 0, self.stdout
        return self


@dataclass(frozen=True)
class Player:
    """Runs playbooks with their files in `folder`; `environment` is added to each run's."""

    folder: Path
    environment: Mapping[str, str]

    def __call__(
        self,
        playbook: str | Path,
        *,
        inventory: Mapping[str, Any] | Path | None = None,
        extra_vars: Mapping[str, Any] | None = None,
        check: bool = False,
        diff: bool = False,
        environment: Mapping[str, str] | None = None,
        answer: tuple[str, str] | None = None,
    ) -> Run:
        """Run a playbook: a path, the name of one in a collection, or its text.

        :param answer: a prompt, and what is typed there; the run has a terminal.
        """
        record = self.folder / "record.json"
        record.unlink(missing_ok=True)
        command: list[str | Path] = [BINARIES / "ansible-playbook", self._playbook(playbook)]
        if inventory is not None:
            command += ["--inventory", self._inventory(inventory)]
        if extra_vars:
            command += ["--extra-vars", json.dumps(extra_vars)]
        command += ["--check"] * check + ["--diff"] * diff
        run = _run if answer is None else partial(_run_on_terminal, answer)
        status, shown = run(command, self.folder, self._environment(record, environment or {}))
        recorded = json.loads(record.read_text()) if record.exists() else {"stats": {}, "tasks": []}
        return Run(status, shown, recorded["stats"], recorded["tasks"])

    @contextmanager
    def started(self, playbook: str) -> Iterator[Callable[[], None]]:
        """Run a playbook beside the test; yield what kills it at once, all its processes."""
        process = subprocess.Popen(
            [BINARIES / "ansible-playbook", self._playbook(playbook)],
            cwd=self.folder, env=self._environment(self.folder / "record.json", {}),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

        def kill() -> None:
            if process.poll() is None:
                # Workers of ansible-core 2.19 and newer are in sessions of their own.
                kill_tree(process.pid)
            process.wait()

        try:
            yield kill
        finally:
            kill()

    def _playbook(self, playbook: str | Path) -> str | Path:
        if isinstance(playbook, Path) or "\n" not in playbook:
            return playbook
        path = self.folder / "playbook.yml"
        path.write_text(playbook)
        return path

    def _inventory(self, inventory: Mapping[str, Any] | Path) -> Path:
        if isinstance(inventory, Path):
            return inventory
        path = self.folder / "inventory.yml"
        path.write_text(json.dumps(inventory))
        return path

    def _environment(self, record: Path, more: Mapping[str, str]) -> dict[str, str]:
        return {
            **environment_of(self.folder),
            "ANSIBLE_CALLBACKS_ENABLED": "recorder",
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/harness/callback_plugins"),
            "KONG_TEST_RECORD": str(record),
            **self.environment,
            **more,
        }


def _run(
    command: list[str | Path], folder: Path, environment: dict[str, str]
) -> tuple[int, str]:
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def _run_on_terminal(
    answer: tuple[str, str], command: list[str | Path], folder: Path, environment: dict[str, str]
) -> tuple[int, str]:
    """Type an answer when nothing follows its prompt; what was typed too early is thrown away."""
    prompt, typed = answer
    process = subprocess.Popen(
        [sys.executable, "-c", _TERMINAL, *command], cwd=folder, env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdin and process.stdout
    killer = threading.Timer(LIMIT, kill_tree, [process.pid])
    killer.start()
    try:
        shown, output = b"", process.stdout.fileno()
        while True:
            if select.select([output], [], [], 1.0)[0]:
                more = os.read(output, 65536)
                if not more:
                    break
                shown += more
            elif prompt.encode() in shown:
                process.stdin.write(f"{typed}\n".encode())
                process.stdin.flush()
        return process.wait(), shown.decode().replace("\r\n", "\n")
    finally:
        killer.cancel()
        process.stdin.close()
        process.stdout.close()
        if process.poll() is None:
            kill_tree(process.pid)
            process.wait()


def environment_of(folder: Path) -> dict[str, str]:
    """This process's environment without the caller's settings of Ansible and gateways."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE_", "KONG_", "KONNECT_"))
    }
    return {
        **kept,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_NOCOLOR": "1",
    }
