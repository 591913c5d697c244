# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An interpreter is one that runs, not one that merely has the name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import pythons


def pretend(folder: Path, script: str) -> Path:
    """Make a python9.9 that does what the script says."""
    folder.mkdir()
    python = folder / "python9.9"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return python


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at this test's own folders only."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}:{tmp_path / 'real'}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))


def test_a_shim_that_errors_is_passed_over(tmp_path: Path) -> None:
    pretend(tmp_path / "shims", "echo 'command not found' >&2; exit 127")
    real = pretend(tmp_path / "real", "echo 9.9")
    assert pythons.find(("10.0", "9.9")) == ("9.9", real)


def test_a_shim_of_another_version_is_passed_over(tmp_path: Path) -> None:
    pretend(tmp_path / "shims", "echo 9.8")
    assert pythons.find(("9.9",)) is None


def test_an_interpreter_that_pyenv_keeps_is_found_without_path(tmp_path: Path) -> None:
    (tmp_path / "pyenv/versions/9.9.1").mkdir(parents=True)
    real = pretend(tmp_path / "pyenv/versions/9.9.1/bin", "echo 9.9")
    assert pythons.find(("9.9",)) == ("9.9", real)
