# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a sandbox gateway as an image or a package holds them, and what they are made of."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from image.kong.settings import table

TESTS = Path(__file__).resolve().parents[1]
FILES = Path(__file__).resolve().with_name("files")
BUILD = TESTS.parent / ".build/image"

#: The Python of the base image, for which wheels are taken.
PYTHON = "3.13"

#: What the sandbox needs of PyPI: its own requirements, and the client of its proxy.
REQUIREMENTS = (*(TESTS / "sandbox/requirements.txt").read_text("utf-8").split(), "httpx")

SHARE = "usr/local/share/kong"


class Failed(Exception):
    """Something that cannot be built here; the message is one sentence."""


@dataclass(frozen=True)
class Release:
    """A gateway to be: its `series` ("3.10") is the image's tag, `full` the package's version."""

    series: str
    edition: str
    full: str

    @property
    def package(self) -> str:
        """The name of its package."""
        return "kong-enterprise-edition" if self.edition == "enterprise" else "kong"


RELEASES = (
    Release("3.9", "community", "3.9.1"),
    Release("3.10", "community", "3.10.0"),
    Release("3.10", "enterprise", "3.10.0.2"),
    Release("3.10", "enterprise", "3.10.0.3"),
)


def run(*command: str | Path) -> str:
    """A command's output; `Failed` with its last line where it fails or is not there."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Failed(f"The command {command[0]} is needed and not here.") from error
    if ended.returncode:
        last = (ended.stderr.strip() or ended.stdout.strip() or "no output").splitlines()[-1]
        raise Failed(f"{' '.join(map(str, command[:3]))} failed: {last}")
    return ended.stdout


def digest(paths: Sequence[Path], *words: str) -> str:
    """What identifies the content of files and folders, and words beside them."""
    found = hashlib.sha256("\0".join(words).encode())
    for root in paths:
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file() and "__pycache__" not in path.parts:
                found.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def content(release: Release) -> str:
    """What identifies a release's files, whether they were made before or not."""
    sources = [TESTS / "sandbox", TESTS / "image"]
    return digest(sources, *REQUIREMENTS, PYTHON, release.series, release.edition, release.full)


def site() -> Path:
    """The packages from PyPI for the base image's Python; made once for a set of requirements."""
    folder = BUILD / f"site-{digest([], *REQUIREMENTS, PYTHON)}"
    if not folder.exists():
        draft = folder.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        wanted = ["--only-binary=:all:", "--python-version", PYTHON, "--target", str(draft)]
        run(sys.executable, "-m", "pip", "install", "--quiet", *wanted, *REQUIREMENTS)
        draft.rename(folder)
    return folder


def make(release: Release, root: Path) -> None:
    """Write a release's files below `root`, as they lie below `/`."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "README.md")
    for package in ("sandbox", "image"):
        shutil.copytree(TESTS / package, root / SHARE / package, ignore=ignored)
    shutil.copytree(site(), root / SHARE / "site", ignore=ignored)
    about = {"version": release.series, "edition": release.edition, "full": release.full}
    (root / SHARE / "release.json").write_text(json.dumps(about), encoding="utf-8")
    for name, place in (
        ("kong", "usr/local/bin/kong"),
        ("nginx", "usr/local/openresty/nginx/sbin/nginx"),
    ):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FILES / name, root / place)
    default = root / "etc/kong/kong.conf.default"
    default.parent.mkdir(parents=True)
    lines = (f"#{key} = {spec.get('default', '')}\n" for key, spec in table().items())
    default.write_text("".join(lines), encoding="utf-8")
