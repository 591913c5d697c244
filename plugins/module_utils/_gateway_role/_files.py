# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of the role ``gateway``: written together, kept for the way back, restored or removed."""

from __future__ import annotations

import grp
import json
import os
import pwd
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any

HIDDEN = "********"
# What the last change replaced, until the change is proven: each file, or nothing if it was new.
PREVIOUS = "previous.json"

File = Mapping[str, Any]

# The options of the module gateway_files.
SPEC: dict[str, Any] = {
    "state": {"default": "present", "choices": ["present", "proven", "restored", "absent"]},
    "directory": {"type": "path", "required": True},
    **dict.fromkeys(("owner", "group"), {"default": ""}),
    # One string, which is hidden as a whole in logs: as a list its words would hide other words.
    "files": {"type": "json", "default": "[]", "no_log": True},
    "moves": {"type": "dict", "default": {}},
    "known": {"type": "list", "elements": "str", "default": []},
}


def run(given: Mapping[str, Any], check: bool) -> dict[str, Any]:
    """The result of the module for its options."""
    files = Files(given["directory"], given["owner"], given["group"], check)
    state, wanted, moves = given["state"], json.loads(given["files"]), given["moves"]
    if state == "present":
        # In check mode what is moved may not exist yet.
        wanted += [
            {"path": path, "content": files.read(source), "mode": "0640", "secret": True}
            for source, path in moves.items() if check or (files.root / source).exists()
        ]
        stale = set(given["known"]) - {file["path"] for file in wanted}
        files.change(wanted, sorted(stale), moves)
    elif state == "proven":
        files.change(wanted, [PREVIOUS])
    elif state == "restored":
        kept = files.kept()
        back = [{**file, "secret": True} for file in kept.values() if file]
        files.change(back, [*(path for path, file in kept.items() if not file), PREVIOUS])
    else:
        files.change([], [*given["known"], PREVIOUS])
        files.tidy()
    return {"changed": bool(files.changed), "paths": files.changed, "diff": files.diff}


class Files:
    """One directory of the role; ``check`` predicts what would change and writes nothing."""

    def __init__(self, directory: str, owner: str, group: str, check: bool) -> None:
        self.root, self.check = Path(directory), check
        self.uid = pwd.getpwnam(owner).pw_uid if owner else -1
        # A package's group may not exist yet, or no longer.
        self.gid = {entry.gr_name: entry.gr_gid for entry in grp.getgrall()}.get(group, -1)
        self.diff: list[dict[str, str]] = []
        self.changed: list[str] = []

    def change(
        self, files: Iterable[File], gone: Iterable[str], moves: Iterable[str] | None = None
    ) -> None:
        """Write files and remove others.

        :param moves: files that were moved; with them what is replaced is kept until it is proven.
        """
        new = [file for file in files if not self._is_written(file)]
        stale = [path for path in gone if (self.root / path).exists()]
        for file in new:
            self._note(file["path"], *self._shown(file))
        for path in stale:
            if path != PREVIOUS:
                self._note(path, HIDDEN, "")
        if self.check:
            return
        if self.changed and moves is not None:
            self._keep([*self.changed, *moves])
        for file in new:
            self._write(file)
        # Last, so that the run after one that was killed finds what it moves.
        for path in [*stale, *(moves or ())]:
            (self.root / path).unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove the directories that are empty."""
        for folder, _folders, _files in os.walk(self.root, topdown=False):
            if not self.check and not os.listdir(folder):
                os.rmdir(folder)

    def kept(self) -> dict[str, File | None]:
        """What the last change replaced; None is a file that did not exist."""
        return dict(json.loads(self.read(PREVIOUS) or "{}"))

    def read(self, path: str) -> str:
        """The content of a file; an empty one where it does not exist."""
        found = self.root / path
        return found.read_bytes().decode("utf-8", "surrogateescape") if found.exists() else ""

    def _is_written(self, file: File) -> bool:
        path = self.root / file["path"]
        if not path.exists() or self.read(file["path"]) != file["content"]:
            return False
        status = path.stat()
        owned = self.uid in (-1, status.st_uid) and self.gid in (-1, status.st_gid)
        return owned and status.st_mode & 0o777 == int(file["mode"], 8)

    def _shown(self, file: File) -> tuple[str, str]:
        """A file before and after; of secrets and of unknown settings no value is shown."""
        before, after = self.read(file["path"]), str(file["content"])
        if file.get("secret"):
            return HIDDEN if before else "", f"{HIDDEN} (changed)"
        if file.get("open_lines") is None:
            return before, after
        before, after = (_masked(text, file["open_lines"]) for text in (before, after))
        same = before and before == after
        return before, f"{after}# {HIDDEN} (changed)\n" if same else after

    def _note(self, path: str, before: str, after: str) -> None:
        headers = dict.fromkeys(("before_header", "after_header"), str(self.root / path))
        self.changed.append(path)
        self.diff.append({"before": before, "after": after, **headers})

    def _keep(self, paths: Iterable[str]) -> None:
        """Keep what is replaced; what an earlier change kept, which nobody has proven, stays."""
        kept = self.kept()
        for path in sorted(set(paths) - set(kept)):
            kept[path] = None
            if (self.root / path).exists():
                mode = f"{(self.root / path).stat().st_mode & 0o777:o}"
                kept[path] = {"path": path, "content": self.read(path), "mode": mode}
        self._write({"path": PREVIOUS, "content": json.dumps(kept), "mode": "0600"})

    def _write(self, file: File) -> None:
        """Replace a file in one step, so that nobody reads half of it."""
        path = self.root / file["path"]
        draft = path.with_name(f"{path.name}.new")
        self._make(path.parent)
        with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as opened:
            opened.write(file["content"].encode("utf-8", "surrogateescape"))
        self._own(draft, int(file["mode"], 8))
        draft.replace(path)

    def _own(self, path: Path, mode: int) -> None:
        os.chown(path, self.uid, self.gid)
        path.chmod(mode)

    def _make(self, folder: Path) -> None:
        """Make a directory, and let the group read those of the role."""
        if folder != self.root:
            self._make(folder.parent)
        folder.mkdir(parents=True, exist_ok=True)
        self._own(folder, 0o750)


def _masked(text: str, shown: Container[str]) -> str:
    lines = (line.partition(" = ") for line in text.splitlines())
    return "".join(
        f"{name}{equals}{HIDDEN if equals and name not in shown else value}\n"
        for name, equals, value in lines
    )
