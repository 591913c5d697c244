# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made from files is made anew when they change, and only then."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools import workspace
from tools.workspace import Broken


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working tree of git in place of the project's."""
    root = tmp_path / "tree"
    root.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    monkeypatch.setattr(workspace, "ROOT", root)
    monkeypatch.setattr(workspace, "BUILD", tmp_path / "build")
    monkeypatch.setattr(workspace, "REQUIREMENTS", root)
    return root


class Recorder:
    """Stands for running commands; keeps them and answers with `status`."""

    def __init__(self, status: int = 0) -> None:
        self.status = status
        self.commands: list[list[str]] = []

    def __call__(self, argv: Sequence[str | Path], cwd: Path) -> int:
        self.commands.append([str(word) for word in argv])
        return self.status


def test_a_copy_holds_tracked_and_new_files_but_no_ignored_and_no_lost_ones(tree: Path) -> None:
    for name in ("tracked", "lost", "new", "ignored"):
        (tree / name).write_text(name)
    (tree / ".gitignore").write_text("/ignored\n")
    subprocess.run(["git", "add", "tracked", "lost"], cwd=tree, check=True)
    (tree / "lost").unlink()
    copy = tree.parent / "copy"
    (copy / "of").mkdir(parents=True)
    (copy / "of/before").touch()
    workspace.copy_to(copy)
    copied = [path.name for path in copy.iterdir() if path.name != ".git"]
    assert sorted(copied) == [".gitignore", "new", "tracked"]


def test_git_lists_a_copy_that_lies_in_an_ignored_folder(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / ".gitignore").write_text("/.build\n")
    copy = tree / ".build/copy"
    workspace.copy_to(copy)
    monkeypatch.setattr(workspace, "ROOT", copy)
    assert workspace.files() == [Path(".gitignore")]


def test_an_environment_is_made_once_and_again_when_its_requirements_change(tree: Path) -> None:
    (tree / "some.txt").write_text("httpx\n")
    folder, execute = tree / "venv", Recorder()
    for expected in (2, 2):
        workspace.venv(folder, "some", execute=execute)
        assert len(execute.commands) == expected
    (tree / "some.txt").write_text("httpx\npytest\n")
    workspace.venv(folder, "some", execute=execute)
    assert len(execute.commands) == 4


def test_an_environment_that_failed_is_tried_again(tree: Path) -> None:
    (tree / "some.txt").write_text("httpx\n")
    with pytest.raises(Broken, match=r"some\.txt"):
        workspace.venv(tree / "venv", "some", execute=Recorder(status=1))
    again = Recorder()
    workspace.venv(tree / "venv", "some", execute=again)
    assert len(again.commands) == 2


def test_a_tree_that_came_as_an_archive_has_the_files_that_git_would_list(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / ".gitignore").write_text("/.build/\n__pycache__/\n*.pyc\n/*.tar.gz\n/tests/output/\n")
    for name in (
        "file", "sub/.build/kept", "sub/file.py", ".build/made", "sub/__pycache__/file", "a.pyc",
        "made.tar.gz", "tests/output/log", "tests/kept",
    ):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).touch()
    by_git = workspace.files()
    assert Path("sub/.build/kept") in by_git
    assert len(by_git) == 5
    monkeypatch.setattr(workspace, "_listed_by_git", lambda: None)
    assert workspace.files() == by_git


@pytest.mark.parametrize("path", ["", None])
def test_without_git_or_a_repository_git_lists_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str | None
) -> None:
    monkeypatch.setattr(workspace, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    if path is not None:
        monkeypatch.setenv("PATH", path)
    assert workspace._listed_by_git() is None


def test_the_archive_holds_of_the_tests_only_what_sanity_reads() -> None:
    # Whoever runs the tests by make has built it.
    with tarfile.open(next((workspace.BUILD / "dist").glob("*.tar.gz"))) as archive:
        names = set(archive.getnames())
    shipped = {name for name in names if name.startswith("tests/")}
    assert "tests/config.yml" in shipped
    assert {name for name in shipped if not name.startswith("tests/sanity/")} == {
        "tests/config.yml"
    }
    hidden = {name for name in names if name.startswith(".") or name in ("Makefile", "collections")}
    assert not hidden
