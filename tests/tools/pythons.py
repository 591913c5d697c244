# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds Python interpreters that really run; a pyenv shim of another version does not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# Not sys.executable, which lies in an environment that may be remade when it is active.
OWN = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
PROBE = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
PROBE_SECONDS = 20


def _candidates(version: str) -> Iterator[Path]:
    name = f"python{version}"
    yield OWN
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        yield Path(folder) / name
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    managed = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local/share")) / "uv/python"
    for root in (pyenv / "versions", managed):
        yield from sorted(root.glob(f"*/bin/{name}"))


def _answers(python: Path, version: str) -> bool:
    if not os.access(python, os.X_OK):
        return False
    try:
        done = subprocess.run(
            [python, "-c", PROBE],
            capture_output=True, text=True, check=False, timeout=PROBE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() == version


def find(versions: tuple[str, ...]) -> tuple[str, Path] | None:
    """Return the first of `versions` ("3.11", ...) that is installed, with its interpreter."""
    for version in versions:
        for python in _candidates(version):
            if _answers(python, version):
                return version, python
    return None
