# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is released that users do not need, that the changelog lacks, or that was not proven."""

from __future__ import annotations

import io
import random
import subprocess
import tarfile
from pathlib import Path

import pytest

from tools import release, sanity
from tools.workspace import Broken


def _archive(folder: Path, **files: bytes) -> Path:
    path = folder / "irishtek-kong-1.0.0.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name.replace("__", "/"))
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return path


def _no_command(argv: object, more: object) -> int:
    raise AssertionError(f"{argv} ran")


def test_an_archive_of_plugins_can_be_published(tmp_path: Path) -> None:
    archive = _archive(tmp_path, plugins__a=b"a", tests__config=b"")
    assert release.troubles_of(archive) == [f"tests/config is in {archive.name}"]
    good = {"plugins__a": b"a", "tests__config.yml": b"", "tests__sanity__ignore-2.17.txt": b""}
    assert release.troubles_of(_archive(tmp_path, **good)) == []


@pytest.mark.parametrize("name", ["tests__unit__test_a.py", ".gitignore", "plugins__a.pyc"])
def test_a_file_that_no_user_needs_is_named(tmp_path: Path, name: str) -> None:
    archive = _archive(tmp_path, **{name: b""})
    assert release.troubles_of(archive) == [f"{name.replace('__', '/')} is in {archive.name}"]


def test_an_archive_of_more_than_a_mebibyte_is_refused(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(release.LARGEST)
    assert "bytes, more than 1048576" in release.troubles_of(_archive(tmp_path, a=noise))[0]


def test_a_fragment_that_the_changelog_lacks_ends_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "ROOT", tmp_path)
    (tmp_path / "changelogs/fragments").mkdir(parents=True)
    (tmp_path / "changelogs/fragments/new.yml").touch()
    archive = _archive(tmp_path, plugins__a=b"a")
    with pytest.raises(Broken, match="the changelog does not have new.yml"):
        release.make_release(archive, _no_command, _no_command)


def test_checksums_are_those_that_sha256sum_checks(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "SHA256SUMS").write_text(release.checksums([tmp_path / "a"]))
    done = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path, check=False)
    assert done.returncode == 0


def test_each_ansible_core_of_the_table_of_support_has_a_leg_of_sanity() -> None:
    legs = {leg.requirements for leg in (*sanity.LEGS, *sanity.RELEASE_LEGS)}
    assert legs == {f"sanity-{name}" for name in ("2.17", "2.18", "2.19", "2.20", "newest")}
