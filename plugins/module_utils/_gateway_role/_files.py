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
from collections.abc import Mapping, Sequence
from typing import Any

HIDDEN = "********"
PREVIOUS = "previous"
MANIFEST = "manifest.json"

File = Mapping[str, Any]

# The options of the module gateway_files.
SPEC: dict[str, Any] = {
    "state": {
        "type": "str",
        "default": "present",
        "choices": ["present", "proven", "restored", "absent"],
    },
    "directory": {"type": "path", "required": True},
    "owner": {"type": "str", "default": ""},
    "group": {"type": "str", "default": ""},
    # Contents are hidden file by file; as strings of the result they would hide other words.
    "files": {"type": "list", "elements": "dict", "default": [], "no_log": False},
    "moves": {"type": "dict", "default": {}},
    "known": {"type": "list", "elements": "str", "default": []},
}


def run(given: Mapping[str, Any], check: bool) -> dict[str, Any]:
    """The result of the module for its options."""
    files = Files(given["directory"], given["owner"], given["group"], check)
    if given["state"] == "present":
        files.present(given["files"], given["moves"], given["known"])
    elif given["state"] == "proven":
        files.proven(given["files"])
    elif given["state"] == "restored":
        files.restored()
    else:
        files.absent(given["known"])
    return {"changed": bool(files.changed), "paths": files.changed, "diff": files.diff}


class Files:
    """One directory of the role; ``check`` says what would change and writes nothing."""

    def __init__(
        self, directory: str, owner: str = "", group: str = "", check: bool = False
    ) -> None:
        self.directory = directory
        self.uid = pwd.getpwnam(owner).pw_uid if owner else -1
        # A package's group may not be there yet, or any more.
        there = group and any(entry.gr_name == group for entry in grp.getgrall())
        self.gid = grp.getgrnam(group).gr_gid if there else -1
        self.check = check
        self.diff: list[dict[str, str]] = []
        self.changed: list[str] = []

    def present(
        self, files: Sequence[File], moves: Mapping[str, str], known: Sequence[str]
    ) -> None:
        """Write the files, move others into place, and remove what was known and is not wanted.

        What stood there before is kept in ``previous`` until the next change.
        """
        wanted = {file["path"] for file in files} | set(moves.values())
        stale = [path for path in known if path not in wanted and self._exists(path)]
        news = [file for file in files if not self._is(file)]
        moved = {old: new for old, new in moves.items() if self._exists(old) or self.check}
        for file in news:
            self._compare(file)
        for path in [*moved.values(), *stale]:
            self._note(path, HIDDEN, f"{HIDDEN} (new)" if path in moved.values() else "")
        if self.check or not self.changed:
            return
        self._make(self.directory)
        self._keep([file["path"] for file in news], [*moved.values(), *stale])
        for file in news:
            self._write(file["path"], file["content"].encode(), int(file["mode"], 8))
        for old, new in moved.items():
            self._make(os.path.dirname(self._path(new)))
            self._own(self._path(old), 0o640)
            os.replace(self._path(old), self._path(new))
        for path in stale:
            os.unlink(self._path(path))

    def proven(self, files: Sequence[File]) -> None:
        """Write the record of what runs, and forget what it replaced."""
        for file in files:
            if not self._is(file):
                self.changed.append(file["path"])
                if not self.check:
                    self._write(file["path"], file["content"].encode(), int(file["mode"], 8))
        if not self.check:
            shutil.rmtree(os.path.join(self.directory, PREVIOUS), ignore_errors=True)

    def restored(self) -> None:
        """Put back what the last change replaced."""
        manifest = os.path.join(self.directory, PREVIOUS, MANIFEST)
        if not os.path.exists(manifest):
            return
        with open(manifest, encoding="utf-8") as stored:
            kept = json.load(stored)
        for path, number in kept.items():
            self.changed.append(path)
            if self.check:
                continue
            if number is None:
                self._unlink(path)
            else:
                source = os.path.join(self.directory, PREVIOUS, str(number))
                with open(source, "rb") as file:
                    self._write(path, file.read(), os.stat(source).st_mode & 0o777)
        if not self.check:
            os.unlink(manifest)

    def absent(self, known: Sequence[str]) -> None:
        """Remove the role's files, and the directories that are empty then."""
        for path in known:
            if self._exists(path):
                self._note(path, HIDDEN, "")
                if not self.check:
                    self._unlink(path)
        previous = os.path.join(self.directory, PREVIOUS)
        if os.path.isdir(previous):
            self.changed.append(PREVIOUS)
            if not self.check:
                shutil.rmtree(previous)
        if not self.check:
            self._remove_empty()

    def _path(self, path: str) -> str:
        return os.path.join(self.directory, path)

    def _exists(self, path: str) -> bool:
        return os.path.lexists(self._path(path))

    def _is(self, file: File) -> bool:
        path = self._path(file["path"])
        try:
            with open(path, "rb") as found:
                same = found.read() == file["content"].encode()
        except OSError:
            return False
        status = os.stat(path)
        owned = self.uid in (-1, status.st_uid) and self.gid in (-1, status.st_gid)
        return same and owned and status.st_mode & 0o777 == int(file["mode"], 8)

    def _compare(self, file: File) -> None:
        """Note a file that changes; of secrets and of unknown settings no value is shown."""
        path = file["path"]
        before = ""
        if self._exists(path):
            with open(self._path(path), encoding="utf-8", errors="replace") as found:
                before = found.read()
        after = file["content"]
        if file.get("secret"):
            self._note(path, HIDDEN if before else "", f"{HIDDEN} (changed)")
        elif file.get("open_lines") is not None:
            shown = set(file["open_lines"])
            masked = self._masked(before, shown), self._masked(after, shown)
            if masked[0] == masked[1] and before:
                masked = (masked[0], masked[1] + f"# {HIDDEN} (changed)\n")
            self._note(path, *masked)
        else:
            self._note(path, before, after)

    @staticmethod
    def _masked(text: str, shown: set[str]) -> str:
        lines = []
        for line in text.splitlines():
            name, equals, _value = line.partition(" = ")
            hidden = equals and name not in shown
            lines.append(f"{name} = {HIDDEN}\n" if hidden else f"{line}\n")
        return "".join(lines)

    def _note(self, path: str, before: str, after: str) -> None:
        header = self._path(path)
        self.changed.append(path)
        self.diff.append(
            {"before": before, "after": after, "before_header": header, "after_header": header}
        )

    def _keep(self, written: Sequence[str], others: Sequence[str]) -> None:
        previous = os.path.join(self.directory, PREVIOUS)
        shutil.rmtree(previous, ignore_errors=True)
        os.makedirs(previous, mode=0o700)
        kept: dict[str, int | None] = {}
        for number, path in enumerate([*written, *others]):
            kept[path] = None
            if os.path.isfile(self._path(path)):
                kept[path] = number
                shutil.copy2(self._path(path), os.path.join(previous, str(number)))
        with open(os.path.join(previous, MANIFEST), "w", encoding="utf-8") as manifest:
            json.dump(kept, manifest)

    def _write(self, path: str, content: bytes, mode: int) -> None:
        """Replace a file in one step, so that nobody reads half of it."""
        full = self._path(path)
        self._make(os.path.dirname(full))
        draft = f"{full}.new"
        with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        self._own(draft, mode)
        os.replace(draft, full)

    def _own(self, path: str, mode: int) -> None:
        os.chown(path, self.uid, self.gid)
        os.chmod(path, mode)

    def _make(self, folder: str) -> None:
        """Make a directory, and let the group read those of the role."""
        if not folder.startswith(self.directory):
            os.makedirs(folder, exist_ok=True)
            return
        self._make(os.path.dirname(folder))
        if not os.path.isdir(folder):
            os.mkdir(folder)
        self._own(folder, 0o750)

    def _unlink(self, path: str) -> None:
        if self._exists(path):
            os.unlink(self._path(path))

    def _remove_empty(self) -> None:
        for folder, _folders, _files in os.walk(self.directory, topdown=False):
            if not os.listdir(folder):
                os.rmdir(folder)
