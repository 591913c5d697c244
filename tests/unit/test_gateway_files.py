# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the role ``gateway``: written together, hidden if secret, put back, removed."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._gateway_role._files import SPEC, run

CONF = "# Managed\nlog_level = debug\npg_password = hush-hush\n"


def file(path: str, content: str, **more: Any) -> dict[str, Any]:
    return {"path": path, "content": content, "mode": "0640", **more}


def files(root: Path, state: str, *wanted: dict[str, Any], check: bool = False, **more: Any) -> Any:
    """The result of the module, and what it changed."""
    defaults = {name: option.get("default") for name, option in SPEC.items()}
    given = {"directory": str(root), "state": state, "files": json.dumps(wanted), **more}
    return run({**defaults, **given}, check)


def write(root: Path, *wanted: dict[str, Any], check: bool = False, **more: Any) -> Any:
    return files(root, "present", *wanted, check=check, **more)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "kong"


def test_a_second_run_changes_nothing(root: Path) -> None:
    wanted = [file("kong.conf", CONF), file("secrets/license.json", "{}", mode="0600")]
    assert write(root, *wanted)["paths"] == ["kong.conf", "secrets/license.json"]
    assert write(root, *wanted)["paths"] == []
    modes = [
        stat.S_IMODE((root / name).stat().st_mode)
        for name in ("kong.conf", "secrets/license.json", "secrets")
    ]
    assert modes == [0o640, 0o600, 0o750]


def test_check_mode_writes_nothing_and_says_the_same(root: Path) -> None:
    wanted = file("kong.conf", CONF)
    said = write(root, wanted, check=True, moves={"certificates/new.crt": "certificates/tls.crt"})
    assert not root.exists()
    assert said["paths"] == ["kong.conf", "certificates/tls.crt"]


def test_another_mode_is_a_change(root: Path) -> None:
    write(root, file("kong.conf", CONF))
    (root / "kong.conf").chmod(0o644)
    assert write(root, file("kong.conf", CONF))["paths"] == ["kong.conf"]
    assert stat.S_IMODE((root / "kong.conf").stat().st_mode) == 0o640


def test_no_secret_and_no_unknown_setting_is_in_a_diff(root: Path) -> None:
    shown = ["log_level"]
    write(root, file("kong.conf", "unknown_thing = before\nlog_level = info\n", open_lines=shown))
    made = write(
        root,
        file("kong.conf", CONF, open_lines=shown),
        file("secrets/license.json", "hush-hush", secret=True),
    )
    text = str(made["diff"])
    assert "hush-hush" not in text
    assert "before" not in text.replace("'before'", "").replace("before_header", "")
    assert "log_level = debug" in text


def test_a_changed_secret_is_said_to_be_changed(root: Path) -> None:
    write(root, file("kong.conf", "pg_password = one\n", open_lines=[]))
    made = write(root, file("kong.conf", "pg_password = two\n", open_lines=[]))
    assert made["diff"][0]["before"] != made["diff"][0]["after"]
    assert "two" not in str(made["diff"])


def test_what_was_known_and_is_not_wanted_goes(root: Path) -> None:
    write(root, file("kong.conf", CONF), file("includes/http.conf", "x"))
    made = write(root, file("kong.conf", CONF), known=["kong.conf", "includes/http.conf"])
    assert made["paths"] == ["includes/http.conf"]
    assert not (root / "includes/http.conf").exists()


def test_the_way_back_restores_every_byte_and_removes_what_was_new(root: Path) -> None:
    write(root, file("kong.conf", "old\n"), file("includes/http.conf", "x"))
    files(root, "proven", file("record.json", "{}", mode="0600"))
    pair = root / "certificates"
    pair.mkdir()
    (pair / "tls.key").write_text("old key")
    (pair / "new.key").write_text("new key")
    write(
        root,
        file("kong.conf", "new\n"),
        file("state/kong.json", "{}"),
        moves={"certificates/new.key": "certificates/tls.key"},
        known=["kong.conf", "includes/http.conf"],
    )
    assert (pair / "tls.key").read_text() == "new key"
    assert stat.S_IMODE((pair / "tls.key").stat().st_mode) == 0o640
    files(root, "restored")
    assert (root / "kong.conf").read_text() == "old\n"
    assert (root / "includes/http.conf").read_text() == "x"
    assert (pair / "tls.key").read_text() == "old key"
    assert not (root / "state/kong.json").exists()


def test_what_was_proven_is_not_undone_by_a_later_failure(root: Path) -> None:
    write(root, file("kong.conf", "old\n"))
    write(root, file("kong.conf", "proven\n"))
    files(root, "proven", file("record.json", "{}", mode="0600"))
    later = files(root, "restored")
    assert later["paths"] == []
    assert (root / "kong.conf").read_text() == "proven\n"


def test_absent_removes_its_own_files_only(root: Path) -> None:
    write(root, file("kong.conf", CONF), file("certificates/tls.crt", "x"))
    (root / "theirs.txt").write_text("x")
    known = ["kong.conf", "certificates/tls.crt", "certificates/tls.key"]
    files(root, "absent", known=known)
    assert [path.name for path in root.iterdir()] == ["theirs.txt"]
    (root / "theirs.txt").unlink()
    files(root, "absent", known=known)
    assert not root.exists()
    again = files(root, "absent", known=known)
    assert again["paths"] == []


def test_the_way_back_after_a_run_that_was_killed_leads_to_what_was_proven(root: Path) -> None:
    write(root, file("kong.conf", "proven\n"))
    files(root, "proven")
    write(root, file("kong.conf", "of the run that was killed\n"))
    write(root, file("kong.conf", "of the next run\n"), file("includes/http.conf", "x"))
    assert files(root, "restored", check=True)["paths"] == ["kong.conf", "includes/http.conf"]
    files(root, "restored")
    assert (root / "kong.conf").read_text() == "proven\n"
    assert sorted(path.name for path in root.rglob("*")) == ["includes", "kong.conf"]


def test_a_pair_that_is_put_back_can_be_swapped_again(root: Path) -> None:
    """Konnect knows it by then: another one would leave it pinned."""
    (root / "certificates").mkdir(parents=True)
    (root / "certificates/new.crt").write_text("pinned")
    moves = {"certificates/new.crt": "certificates/tls.crt"}
    assert write(root, moves=moves)["paths"] == ["certificates/tls.crt"]
    assert not (root / "certificates/new.crt").exists()
    files(root, "restored")
    assert (root / "certificates/new.crt").read_text() == "pinned"
    assert not (root / "certificates/tls.crt").exists()


def test_no_secret_is_in_the_diff_of_the_way_back(root: Path) -> None:
    write(root, file("secrets/license.json", "hush-hush-1", secret=True))
    files(root, "proven")
    write(root, file("secrets/license.json", "hush-hush-2", secret=True))
    assert "hush-hush" not in str(files(root, "restored"))
