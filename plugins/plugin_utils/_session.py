# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What door two keeps: clients for all items of a loop, predictions for a whole check-mode run.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible import constants as C
from ansible import context

from ..module_utils._client import Connection
from ..module_utils._module import Session
from ..module_utils._predict import Predictions


class ControllerSession(Session):
    """Clients of one worker, and predictions in the run's private temporary folder.

    The folder is ansible-core's own (``DEFAULT_LOCAL_TMP``): made with mode 0700 by the parent,
    shared by its forks, removed when the run ends.
    """

    @contextmanager
    def predictions(self, connection: Connection) -> Iterator[Predictions]:
        # A single task in check mode, inside a real run, is judged against the gateway alone: what
        # other such tasks predicted did not come about.
        if not context.CLIARGS.get("check"):
            yield Predictions()
            return
        path = _memory_of(connection)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with open(path, "a+", encoding="utf-8") as file:
            # Several hosts of a play may be one gateway.
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            memory = json.loads(file.read() or "{}")
            try:
                yield Predictions(memory, complete=True)
            finally:
                file.seek(0)
                file.truncate()
                json.dump(memory, file)

    def forget_predictions(self, connection: Connection) -> None:
        _memory_of(connection).unlink(missing_ok=True)


def _memory_of(connection: Connection) -> Path:
    name = hashlib.sha256(connection.workspace_url.encode()).hexdigest()
    return Path(C.DEFAULT_LOCAL_TMP) / "irishtek_kong" / f"{name}.json"


@functools.lru_cache(maxsize=1)
def _session_of(process: int) -> ControllerSession:
    return ControllerSession()


def worker_session() -> ControllerSession:
    """The session of this process; a fork must not use its parent's connections."""
    return _session_of(os.getpid())
