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
        if not _is_check_run():
            yield Predictions()
            return
        with _memory(connection.memory_key) as path:
            memory = _read(path)
            try:
                # What is not in an incomplete memory may exist.
                yield Predictions(memory, complete=not memory.get(_LOST))
            finally:
                _replace(path, memory)

    def predicted(self, connection: Connection) -> Predictions:
        # Without the lock: who holds that of a control plane waits for that of Konnect's account.
        return Predictions(_read(_path(connection.memory_key)) if _is_check_run() else None)

    def remember(self, kept: str, name: str, read: Callable[[], Any]) -> Any:
        # Each task of a run has a worker of its own, so what one found is kept in a file.
        with _memory(kept) as path:
            self._kept[kept] = _read(path)
            found = super().remember(kept, name, read)
            _replace(path, self._kept[kept])
        return found

    def forget(self, kept: str) -> None:
        with _memory(kept) as path:
            _replace(path, {})

    def forget_predictions(self, connection: Connection) -> None:
        if _is_check_run():
            with _memory(connection.memory_key) as path:
                _replace(path, {_LOST: True})


# Marks a memory that lacks earlier predictions.
_LOST = "lost"


@contextmanager
def _memory(key: str) -> Iterator[Path]:
    """A file of the run, and its lock: several hosts of a play can be one gateway.

    :param key: the URL of a gateway for what is predicted of it.
    """
    path = _path(key)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with open(path.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield path


def _path(key: str) -> Path:
    name = hashlib.sha256(key.encode()).hexdigest()
    return Path(C.DEFAULT_LOCAL_TMP) / "irishtek_kong" / f"{name}.json"


def _is_check_run() -> bool:
    return bool(context.CLIARGS.get("check"))


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
