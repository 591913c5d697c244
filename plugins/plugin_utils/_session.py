# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is kept between tasks: clients for a loop, predictions for a check-mode run."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible import context

from ..module_utils._connection import Connection
from ..module_utils._module import Session
from ..module_utils._predict import Predictions


class ControllerSession(Session):
    """Clients of one worker, and predictions in the run's private temporary folder.

    The folder is ansible-core's own (``DEFAULT_LOCAL_TMP``): made with mode 0700 by the parent,
    shared by its forks, removed when the run ends.
    """

    @contextmanager
    def predictions(self, connection: Connection) -> Iterator[Predictions]:
        # A single task in check mode, in a real run, is validated against the gateway alone: what
        # other such tasks predicted was not done.
        if not context.CLIARGS.get("check"):
            yield Predictions()
            return
        with _memory(connection.workspace_url) as path:
            memory = _read(path)
            try:
                # What is not in an incomplete memory may exist.
                yield Predictions(memory, complete=not memory.get(_LOST))
            finally:
                _replace(path, memory)

    def control_plane(
        self, connection: Connection, look_up: Callable[[], dict[str, str]]
    ) -> dict[str, str]:
        # Each task of a run has a worker of its own, so what one found is kept in a file.
        with _memory(_CONTROL_PLANES) as path:
            self._control_planes = _read(path)
            found = super().control_plane(connection, look_up)
            _replace(path, self._control_planes)
        return found

    def forget_control_planes(self) -> None:
        with _memory(_CONTROL_PLANES) as path:
            _replace(path, {})

    def forget_predictions(self, connection: Connection) -> None:
        if context.CLIARGS.get("check"):
            with _memory(connection.workspace_url) as path:
                _replace(path, {_LOST: True})


# Marks a memory that lacks earlier predictions.
_LOST = "lost"
# The key of the file with the IDs of control planes; those of gateways are their URLs.
_CONTROL_PLANES = "control planes"


@contextmanager
def _memory(key: str) -> Iterator[Path]:
    """The file with the predictions for a gateway, which several hosts of a play can be."""
    name = hashlib.sha256(key.encode()).hexdigest()
    path = Path(C.DEFAULT_LOCAL_TMP) / "irishtek_kong" / f"{name}.json"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with open(path.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield path


def _read(path: Path) -> dict[str, Any]:
    try:
        memory: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return {_LOST: True}
    return memory


def _replace(path: Path, memory: dict[str, Any]) -> None:
    """As a whole or not at all: a worker can be killed at any time."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(memory), encoding="utf-8")
    new.replace(path)


@functools.lru_cache(maxsize=1)
def _session_of(process: int) -> ControllerSession:
    return ControllerSession()


def worker_session() -> ControllerSession:
    """The session of this process; a fork must not use its parent's connections."""
    return _session_of(os.getpid())
