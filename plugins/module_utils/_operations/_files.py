# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that operations write where their task runs, and the operation ``rollout_files``."""

from __future__ import annotations

import contextlib
import os
import tempfile

from .._argspec import ArgumentSpec
from .._deadline import unix_time
from .._errors import InputError
from ._base import Operation, Result, Task


def replace_file(path: str, text: str, check_mode: bool) -> bool:
    """Make the text the content of a file that only its owner may read: it can hold secrets.

    :returns: whether the file is another one before, which check mode leaves as it is.
    """
    try:
        with open(path, encoding="utf-8") as file:
            differs = file.read() != text or bool(os.stat(path).st_mode & 0o077)
    except FileNotFoundError:
        differs = True
    except (OSError, ValueError) as exc:
        raise InputError(f"dest {path} cannot be read: {exc}") from exc
    if differs and not check_mode:
        try:
            _write_private(path, text)
        except OSError as exc:
            raise InputError(f"dest {path} cannot be written: {exc}") from exc
    return differs


def _write_private(path: str, text: str) -> None:
    # As a whole or not at all, and of the mode 0600 from the beginning.
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".kong_")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


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
    removed = [n for n in task.params["remove"] if os.path.exists(os.path.join(folder, n))]
    removed += _old(task, set(written))
    if not task.check_mode:
        _carry_out(folder, {name: str(files[name]) for name in written}, removed)
    return {
        "changed": bool(written or removed),
        "written": written,
        "removed": removed,
        "time": unix_time(),
    }


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
