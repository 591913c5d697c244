# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of the role ``gateway``: written together, kept for the way back, restored or removed.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

HIDDEN = "********"
PREVIOUS = "previous"
MANIFEST = f"{PREVIOUS}/manifest.json"

File = Mapping[str, Any]

# The options of the module gateway_files.
SPEC: dict[str, Any] = {
    "state": {"default": "present", "choices": ["present", "proven", "restored", "absent"]},
    "directory": {"type": "path", "required": True},
    "owner": {"default": ""},
    "group": {"default": ""},
    # One string, which is hidden as a whole in logs: as a list its words would hide other words.
    "files": {"type": "json", "default": "[]", "no_log": True},
    "moves": {"type": "dict", "default": {}},
    "known": {"type": "list", "elements": "str", "default": []},
}


def run(given: Mapping[str, Any], check: bool) -> dict[str, Any]:
    """The result of the module for its options."""
    files = Files(given["directory"], given["owner"], given["group"], check)
    wanted = json.loads(given["files"])
    if given["state"] == "present":
        files.present(wanted, given["moves"], given["known"])
    elif given["state"] == "proven":
        files.proven(wanted)
    elif given["state"] == "restored":
        files.restored()
    else:
        files.absent(given["known"])
    return {"changed": bool(files.changed), "paths": files.changed, "diff": files.diff}


class Files:
    """One directory of the role; ``check`` predicts what would change and writes nothing."""

    def __init__(
        self, directory: str, owner: str = "", group: str = "", check: bool = False
    ) -> None:
        self.directory = directory
        self.uid = pwd.getpwnam(owner).pw_uid if owner else -1
        # A package's group may not exist yet, or no longer.
        self.gid = {entry.gr_name: entry.gr_gid for entry in grp.getgrall()}.get(group, -1)
        self.check = check
        self.diff: list[dict[str, str]] = []
        self.changed: list[str] = []

    def present(
        self, files: Sequence[File], moves: Mapping[str, str], known: Sequence[str]
    ) -> None:
        """Write the files, move others into place, and remove what was known and is not wanted.

        What they replace is kept in ``previous`` until the next change.
        """
        wanted = {file["path"] for file in files} | set(moves.values())
        stale = [path for path in known if path not in wanted and self._exists(path)]
        new = [file for file in files if not self._is_written(file)]
        moved = {source: path for source, path in moves.items()
                 if self.check or self._exists(source)}
        for file in new:
            self._note(file["path"], *self._shown(file))
        for path in moved.values():
            self._note(path, HIDDEN, f"{HIDDEN} (new)")
        for path in stale:
            self._note(path, HIDDEN, "")
        if self.check or not self.changed:
            return
        self._keep(self.changed)
        for file in new:
            self._write(file)
        for source, path in moved.items():
            self._place(self._path(source), path, 0o640)
        for path in stale:
            os.unlink(self._path(path))

    def proven(self, files: Sequence[File]) -> None:
        """Write the record of what runs, and remove what it replaced."""
        for file in files:
            if not self._is_written(file):
                self.changed.append(file["path"])
                if not self.check:
                    self._write(file)
        if not self.check:
            shutil.rmtree(self._path(PREVIOUS), ignore_errors=True)

    def restored(self) -> None:
        """Put back what the last change replaced."""
        if not self._exists(MANIFEST):
            return
        with open(self._path(MANIFEST), encoding="utf-8") as stored:
            kept = json.load(stored)
        self.changed.extend(kept)
        if self.check:
            return
        for path, number in kept.items():
            if number is None:
                self._unlink(path)
            else:
                source = self._path(f"{PREVIOUS}/{number}")
                self._place(source, path, os.stat(source).st_mode & 0o777)
        shutil.rmtree(self._path(PREVIOUS))

    def absent(self, known: Sequence[str]) -> None:
        """Remove the role's files, and the directories that are empty then."""
        for path in filter(self._exists, known):
            self._note(path, HIDDEN, "")
        if self._exists(PREVIOUS):
            self.changed.append(PREVIOUS)
        if self.check:
            return
        shutil.rmtree(self._path(PREVIOUS), ignore_errors=True)
        for path in known:
            self._unlink(path)
        for folder, _folders, _files in os.walk(self.directory, topdown=False):
            if not os.listdir(folder):
                os.rmdir(folder)

    def _path(self, path: str) -> str:
        return os.path.join(self.directory, path)

    def _exists(self, path: str) -> bool:
        return os.path.lexists(self._path(path))

    def _unlink(self, path: str) -> None:
        if self._exists(path):
            os.unlink(self._path(path))

    def _read(self, path: str) -> str:
        """The content of a file; an empty one where it does not exist."""
        if not self._exists(path):
            return ""
        with open(self._path(path), encoding="utf-8", errors="replace", newline="") as found:
            return found.read()

    def _is_written(self, file: File) -> bool:
        path = file["path"]
        if not self._exists(path) or self._read(path) != file["content"]:
            return False
        status = os.stat(self._path(path))
        owned = self.uid in (-1, status.st_uid) and self.gid in (-1, status.st_gid)
        return owned and status.st_mode & 0o777 == int(file["mode"], 8)

    def _shown(self, file: File) -> tuple[str, str]:
        """A file before and after; of secrets and of unknown settings no value is shown."""
        before, after = self._read(file["path"]), str(file["content"])
        if file.get("secret"):
            return HIDDEN if before else "", f"{HIDDEN} (changed)"
        if file.get("open_lines") is None:
            return before, after
        before, after = (_masked(text, set(file["open_lines"])) for text in (before, after))
        same = before and before == after
        return before, f"{after}# {HIDDEN} (changed)\n" if same else after

    def _note(self, path: str, before: str, after: str) -> None:
        header = self._path(path)
        self.changed.append(path)
        self.diff.append(
            {"before": before, "after": after, "before_header": header, "after_header": header}
        )

    def _keep(self, paths: Iterable[str]) -> None:
        """Copy what is replaced; None in the manifest is a file that did not exist."""
        self._make(self.directory)
        shutil.rmtree(self._path(PREVIOUS), ignore_errors=True)
        os.mkdir(self._path(PREVIOUS), 0o700)
        kept: dict[str, int | None] = {}
        for number, path in enumerate(paths):
            kept[path] = number if os.path.isfile(self._path(path)) else None
            if kept[path] is not None:
                shutil.copy2(self._path(path), self._path(f"{PREVIOUS}/{number}"))
        with open(self._path(MANIFEST), "w", encoding="utf-8") as manifest:
            json.dump(kept, manifest)

    def _write(self, file: File) -> None:
        """Replace a file in one step, so that nobody reads half of it."""
        draft = self._path(f"{file['path']}.new")
        self._make(os.path.dirname(draft))
        with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as opened:
            opened.write(file["content"].encode())
        self._place(draft, file["path"], int(file["mode"], 8))

    def _place(self, source: str, path: str, mode: int) -> None:
        self._make(os.path.dirname(self._path(path)))
        self._own(source, mode)
        os.replace(source, self._path(path))

    def _own(self, path: str, mode: int) -> None:
        os.chown(path, self.uid, self.gid)
        os.chmod(path, mode)

    def _make(self, folder: str) -> None:
        """Make a directory, and let the group read those of the role."""
        if not folder.startswith(self.directory):
            os.makedirs(folder, exist_ok=True)
            return
        self._make(os.path.dirname(folder))
        os.makedirs(folder, exist_ok=True)
        self._own(folder, 0o750)


def _masked(text: str, shown: set[str]) -> str:
    lines = (line.partition(" = ") for line in text.splitlines())
    return "".join(
        f"{name}{equals}{HIDDEN if equals and name not in shown else value}\n"
        for name, equals, value in lines
    )
