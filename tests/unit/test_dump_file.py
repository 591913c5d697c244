# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dump is nobody else's to read at any time, and leaves nothing behind when it fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._operations._files import replace_file


def test_the_file_is_the_owners_from_its_creation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    fdopen = os.fdopen

    def opened(handle: int, *args: str, **settings: str) -> object:
        modes.append(os.fstat(handle).st_mode & 0o777)
        return fdopen(handle, *args, **settings)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "fdopen", opened)
    old = os.umask(0)
    try:
        replace_file(str(tmp_path / "dump.yml"), "text", check_mode=False)
    finally:
        os.umask(old)
    assert modes == [0o600]
    assert (tmp_path / "dump.yml").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["dump.yml"]


@pytest.mark.parametrize("step", ["replace", "fdopen"])
@pytest.mark.parametrize("error", [OSError("no room"), KeyboardInterrupt()])
def test_nothing_is_left_of_a_dump_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    def fail(*args: object, **settings: object) -> None:
        raise error

    (tmp_path / "dump.yml").write_text("before")
    monkeypatch.setattr(os, step, fail)
    with pytest.raises((InputError, KeyboardInterrupt)):
        replace_file(str(tmp_path / "dump.yml"), "text", check_mode=False)
    assert [path.name for path in tmp_path.iterdir()] == ["dump.yml"]
    assert (tmp_path / "dump.yml").read_text() == "before"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"dest .* cannot be written: .*No such file"):
        replace_file(str(tmp_path / "no" / "dump.yml"), "text", check_mode=False)
