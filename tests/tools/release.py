# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a release in `.build/release`: the archive, its parts (SBOM), and checksums of both.

What is released is proven as its users get it: installed into an environment of its own, where
the demonstration runs from it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tools import workspace
from tools.workspace import BUILD, ROOT, Broken

FOLDER = BUILD / "release"
LARGEST = 1024 * 1024
# Only what `ansible-test sanity` reads of the tests is packed.
PACKED_TESTS = ("tests/config.yml", "tests/sanity/")

# Runs a command with more environment variables, and returns its exit status.
Execute = Callable[[Sequence[str | Path], Mapping[str, str]], int]


def troubles_of(archive: Path) -> list[str]:
    """Return why an archive must not be published: its size, or files that no user needs."""
    found = []
    if archive.stat().st_size > LARGEST:
        found.append(f"{archive.name} has {archive.stat().st_size} bytes, more than {LARGEST}")
    with tarfile.open(archive) as packed:
        names = [member.name for member in packed.getmembers() if member.isfile()]
    for name in names:
        tests = name.startswith("tests/") and not name.startswith(PACKED_TESTS)
        if tests or name.startswith(".") or name.endswith((".pyc", ".tar.gz")):
            found.append(f"{name} is in {archive.name}")
    return found


def unreleased() -> list[str]:
    """Return the names of fragments that the changelog does not have yet."""
    return sorted(path.name for path in (ROOT / "changelogs/fragments").glob("*.y*ml"))


def checksums(files: Sequence[Path]) -> str:
    """Return lines for `sha256sum --check`."""
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    return "".join(f"{digest}  {file.name}\n" for digest, file in zip(digests, files, strict=True))


def _prove(archive: Path, execute: Execute, make: workspace.Run) -> int:
    """Install the archive into an empty environment, and run the demonstration from it."""
    environment, collections = FOLDER / "venv", FOLDER / "collections"
    shutil.rmtree(environment, ignore_errors=True)
    shutil.rmtree(collections, ignore_errors=True)
    binaries = workspace.venv(environment, "release", execute=make)
    paths = {
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": str(ROOT / "tests"),
        # Nowhere else: what is installed elsewhere must be neither found nor called good enough.
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "KONG_TEST_COLLECTIONS": str(collections),
    }
    install: list[str | Path] = [binaries / "ansible-galaxy", "collection", "install", "--offline"]
    if status := execute([*install, "--no-deps", "-p", collections, archive], paths):
        return status
    return execute([binaries / "python", "-m", "demo.demo"], paths)


def make_release(archive: Path, execute: Execute, make: workspace.Run) -> int:
    """Make `.build/release` of a built archive; return 0 where it can be published.

    :raises Broken: it must not be published; the message says why.
    """
    waiting = unreleased()
    if waiting:
        raise Broken(f"the changelog does not have {', '.join(waiting)}: run `make changelog`")
    if troubles := troubles_of(archive):
        raise Broken("; ".join(troubles))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in [*FOLDER.glob("*.tar.gz"), *FOLDER.glob("*.json")]:
        old.unlink()
    released = Path(shutil.copy2(archive, FOLDER))
    parts = FOLDER / f"{released.name.removesuffix('.tar.gz')}.cdx.json"
    lister = workspace.venv(BUILD / "venv-sbom", "sbom", execute=make) / "python"
    paths = {"PYTHONPATH": str(ROOT / "tests")}
    if status := execute([lister, "-m", "tools.sbom", released, parts], paths):
        return status
    (FOLDER / "SHA256SUMS").write_text(checksums([released, parts]))
    return _prove(released, execute, make)
