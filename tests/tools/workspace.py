# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The working tree, the folders made beside it, and the environments and collection in them.

Everything made lies below `.build/` and `.venv/`. What is made from files carries a stamp with
their digest, so that a second call costs nothing and a changed file is noticed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from tools import pythons

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"
VENV = ROOT / ".venv"
COLLECTIONS = BUILD / "collections"
REQUIREMENTS = ROOT / "tests/requirements"
PACKAGE = Path("ansible_collections/irishtek/kong")
# What roles act with; the third is a part of community.docker's.
OTHERS = (
    "community/crypto", "community/docker", "community/library_inventory_filtering_v1",
    "kubernetes/core",
)  # fmt: skip

# Runs a command, shows its output where the caller wants it, and returns its exit status.
Run = Callable[[Sequence[str | Path], Path], int]


class Broken(Exception):
    """Something that a command needs could not be made; the message says what."""


def run(argv: Sequence[str | Path], cwd: Path = ROOT) -> int:
    """Run a command in the foreground and return its exit status."""
    return subprocess.run(argv, cwd=cwd, check=False).returncode


def _listed_by_git() -> list[str] | None:
    """The working tree's files as git knows them; None without git or outside of a repository."""
    if not shutil.which("git"):
        return None
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return None if listed.returncode else listed.stdout.split("\0")


def _ignored(path: Path, patterns: Sequence[str]) -> bool:
    """Whether .gitignore's patterns, names anywhere or below the root, leave `path` out."""
    for pattern in patterns:
        name = pattern.rstrip("/")
        if name.startswith("/") and fnmatch(str(path), name[1:]):
            return True
        if not name.startswith("/") and fnmatch(path.name, name):
            return True
    return False


def _walked() -> list[str]:
    """The same files without git's help, for a tree that came as an archive."""
    ignore = ROOT / ".gitignore"
    lines = ignore.read_text().splitlines() if ignore.exists() else []
    patterns = ["/.git", *(line for line in lines if line and not line.startswith("#"))]
    names: list[str] = []
    for folder, folders, found in os.walk(ROOT):
        base = Path(folder).relative_to(ROOT)
        folders[:] = [name for name in folders if not _ignored(base / name, patterns)]
        names += [str(base / name) for name in found if not _ignored(base / name, patterns)]
    return names


def files() -> list[Path]:
    """List the working tree's files relative to its root: all but what git ignores or has lost."""
    listed = _listed_by_git()
    names = sorted(set(_walked() if listed is None else listed) - {""})
    return [Path(name) for name in names if (ROOT / name).is_file()]


def copy_to(folder: Path) -> None:
    """Lay the working tree's files, and nothing else, into `folder`, a git repository of its own.

    Tools that ask git what there is would find no file in a folder that the outer one ignores,
    and ansible-test and antsibull-docs then check nothing and call it a success.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name in files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)
    if shutil.which("git"):
        subprocess.run(["git", "init", "--quiet", folder], check=True)


def _digest(paths: Sequence[Path], *words: str) -> str:
    total = hashlib.sha256("\0".join(words).encode())
    for path in paths:
        total.update(f"\0{path}\0".encode() + (ROOT / path).read_bytes())
    return total.hexdigest()


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Let only one at a time go on: parts run side by side, and two calls of make may, too."""
    locks = BUILD / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _stale(stamp: Path, digest: str) -> Iterator[bool]:
    """Say whether the stamp's folder is to be made anew, and stamp it when that went well."""
    with locked(stamp.name):
        if stamp.exists() and stamp.read_text() == digest:
            yield False
            return
        stamp.unlink(missing_ok=True)
        yield True
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(digest)


def venv(folder: Path, requirements: str, python: Path | None = None, execute: Run = run) -> Path:
    """Make the virtual environment of `tests/requirements/<requirements>.txt`; return its bin/."""
    base = python or pythons.OWN
    wanted = REQUIREMENTS / f"{requirements}.txt"
    digest = _digest([wanted], str(base), sys.version)
    with _stale(folder / f"stamp-{requirements}", digest) as stale:
        if stale:
            shutil.rmtree(folder, ignore_errors=True)
            fill: list[str | Path] = [folder / "bin/python", "-m", "pip", "install", "--quiet"]
            fill += ["--disable-pip-version-check", "--requirement", wanted]
            if execute([base, "-m", "venv", folder], ROOT) or execute(fill, ROOT):
                raise Broken(f"the environment of {wanted.relative_to(ROOT)} cannot be made")
    return folder / "bin"


def test_venv(execute: Run = run) -> Path:
    """Return bin/ of the environment that tests and sandbox run in."""
    return venv(VENV, "test", execute=execute)


def oldest_venv(python: Path, execute: Run = run) -> Path:
    """Return bin/ of the environment with the oldest ansible-core that is promised."""
    return venv(BUILD / "venv-test-2.17", "test-2.17", python, execute)


def lint_venv(execute: Run = run) -> Path:
    """Return bin/ of the linters' environment."""
    return venv(BUILD / "venv-lint", "lint", execute=execute)


def events_venv(execute: Run = run) -> Path:
    """Return bin/ of the environment that event sources and rulebooks run in."""
    return venv(BUILD / "venv-events", "events", execute=execute)


def docs_venv(execute: Run = run) -> Path:
    """Return bin/ of the environment that builds the documentation's site."""
    return venv(BUILD / "venv-docs", "docs", execute=execute)


def benchmark_venv(execute: Run = run) -> Path:
    """Return bin/ of the environment whose Ansible is measured."""
    return venv(BUILD / "venv-bench", "benchmark", execute=execute)


def dependencies(execute: Run = run) -> None:
    """Lay the collections that roles act with beside ours, out of the package `ansible` of PyPI."""
    wanted = REQUIREMENTS / "collections.txt"
    with _stale(BUILD / "stamp-dependencies", _digest([wanted], *OTHERS)) as stale:
        if not stale:
            return
        folder = BUILD / "dependencies"
        shutil.rmtree(folder, ignore_errors=True)
        fetch: list[str | Path] = [
            test_venv(execute) / "python",
            "-m",
            "pip",
            "download",
            "--quiet",
        ]
        fetch += [
            "--disable-pip-version-check",
            "--no-deps",
            "--dest",
            folder,
            "--requirement",
            wanted,
        ]
        if execute(fetch, ROOT):
            raise Broken("the collections that roles act with cannot be fetched")
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            beginnings = tuple(f"ansible_collections/{name}/" for name in OTHERS)
            names = [name for name in wheel.namelist() if name.startswith(beginnings)]
            wheel.extractall(COLLECTIONS, names)
        shutil.rmtree(folder)


def collection(execute: Run = run) -> Path:
    """Build the collection from the working tree, install it, and return its archive."""
    dependencies(execute)
    galaxy = test_venv(execute) / "ansible-galaxy"
    tree, dist = BUILD / "tree" / PACKAGE, BUILD / "dist"
    with _stale(BUILD / "stamp-collection", _digest(files())) as stale:
        if stale:
            copy_to(tree)
            shutil.rmtree(dist, ignore_errors=True)
            if execute([galaxy, "collection", "build", "--output-path", dist], tree):
                raise Broken("the collection cannot be built")
            install: list[str | Path] = [galaxy, "collection", "install", "--offline", "--no-deps"]
            install += ["--force", "-p", COLLECTIONS, next(dist.glob("*.tar.gz"))]
            if execute(install, tree):
                raise Broken("the collection cannot be installed")
    return next(dist.glob("*.tar.gz"))


def environment(bin_folder: Path, *others: Path) -> dict[str, str]:
    """Return the process environment of an activated virtual environment, `others` on PATH too."""
    folders = [str(bin_folder), *map(str, others), os.environ.get("PATH", os.defpath)]
    return {
        **os.environ,
        "PATH": os.pathsep.join(folders),
        "VIRTUAL_ENV": str(bin_folder.parent),
    }
