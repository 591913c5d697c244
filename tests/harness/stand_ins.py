# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that tests put in the place of real ones."""

from __future__ import annotations

import os
from pathlib import Path


def program(path: Path, text: str) -> Path:
    """Write a program, and its folder if that is missing."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def path_from(folder: Path | str) -> str:
    """The search path with a folder in front."""
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
