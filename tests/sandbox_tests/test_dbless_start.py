# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox without a database starts with a document, where it is given one."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import httpx
import pytest

from harness.gateway import sandbox
from harness.paths import ROOT

NO_HASH = "0" * 32


def test_it_starts_with_a_document(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kong.json"
    document = {"_format_version": "3.0", "upstreams": [{"name": "u.test"}]}
    path.write_text(json.dumps(document))
    with sandbox("--mode", "dbless", "--config", str(path)) as started:
        assert [each["name"] for each in started.entities("/upstreams")] == ["u.test"]
        assert started.call("GET", "/status")["configuration_hash"] != NO_HASH


def test_the_environment_may_name_the_document(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kong.yml"
    path.write_text('_format_version: "3.0"\nupstreams:\n- name: u.test\n')
    monkeypatch.setenv("DBLESS_CONFIG", str(path))
    with sandbox("--mode", "dbless") as started:
        assert [each["name"] for each in started.entities("/upstreams")] == ["u.test"]


def test_it_does_not_start_with_a_bad_document(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kong.yml"
    path.write_text("upstreams: []\n")
    command = [sys.executable, "-m", "sandbox", "--mode", "dbless", "--config", str(path)]
    ended = subprocess.run(
        [*command, "--admin-port", "0", "--proxy-port", "0"],
        cwd=ROOT / "tests",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "required field missing" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_with_a_database_there_is_no_document() -> None:
    with sandbox() as with_database:
        answer = httpx.get(f"{with_database.admin_url}/config", trust_env=False)
    assert answer.status_code == 400
    assert "configured to not use a database" in answer.json()["message"]
