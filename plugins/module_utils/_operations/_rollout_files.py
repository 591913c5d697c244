# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that a rollout keeps of a gateway: the operation behind ``rollout_files``."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from .._argspec import ArgumentSpec
from .._deadline import unix_time
from .._errors import InputError
from ._base import Operation, Result, Task
from ._files import replace_file


def run_rollout_files(task: Task) -> Result:
    """Write, remove and thin out the files of one directory, in that order."""
    folder = task.params["directory"]
    files: dict[str, str] = task.params["files"]
    for name in (*files, *task.params["remove"]):
        if not name or os.path.basename(name) != name or name in (".", ".."):
            raise InputError(f"{name!r} is not the name of a file in directory {folder}")
    written = [
        name
        for name in files
        if replace_file(os.path.join(folder, name), str(files[name]), check_mode=True)
    ]
    removed = [*_existing(task), *_old(task, set(written))]
    if not task.check_mode:
        _carry_out(folder, {name: str(files[name]) for name in written}, removed)
    return {
        "changed": bool(written or removed),
        "written": written,
        "removed": removed,
        "time": unix_time(),
    }


def _existing(task: Task) -> Iterator[str]:
    folder = task.params["directory"]
    return (name for name in task.params["remove"] if os.path.exists(os.path.join(folder, name)))


def _old(task: Task, written: set[str]) -> list[str]:
    """All but the newest files that ``keep`` is about; their names begin alike and sort by time."""
    prefix, number = task.params.get("prefix"), task.params.get("keep")
    if prefix is None or number is None:
        return []
    if number < 1:
        raise InputError(f"keep must be at least 1, got {number}")
    try:
        known = set(os.listdir(task.params["directory"]))
    except FileNotFoundError:
        known = set()
    return sorted(name for name in known | written if name.startswith(prefix))[:-number]


def _carry_out(folder: str, texts: dict[str, str], removed: list[str]) -> None:
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for name, text in texts.items():
            replace_file(os.path.join(folder, name), text, check_mode=False)
        for name in removed:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(folder, name))
    except OSError as exc:
        raise InputError(f"directory {folder} cannot be written: {exc}") from exc


ROLLOUT_FILES = Operation(run_rollout_files, ArgumentSpec(
    connects=False,
    options={
        "directory": {"type": "path", "required": True},
        # Free-form options are shown nowhere.
        "files": {"type": "dict", "default": {}},
        "remove": {"type": "list", "elements": "str", "default": []},
        "prefix": {"type": "str"},
        "keep": {"type": "int"},
    },
), writes=False)
