# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role gateway, method package with dnf: the repository's file against Kong's own.

The scenario ``rpm`` installs from local repositories. Here the role's task runs on this machine,
into a folder of the test, with what the plan gives it for each system. What the files of Kong's
repositories hold (``config.rpm.txt``): two keys, both checks, and the macros' releases in the
address.
"""

from __future__ import annotations

import configparser
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.paths import ROOT
from harness.playbook import LOCAL, Player
from unit.gateway_role import plan

PUBLIC = "https://packages.konghq.com/public"
ROCKY = {"family": "rhel", "distribution": "rocky", "rpm": {"rhel": "9", "amzn": ""}}
AMAZON = {"family": "amzn", "distribution": "amzn", "rpm": {"rhel": "", "amzn": "2023"}}


def tasks() -> list[dict[str, Any]]:
    path = ROOT / "roles/gateway/tasks/package_install.yml"
    return list(yaml.safe_load(path.read_text(encoding="utf-8"))[0]["block"])


@pytest.mark.parametrize(
    ("facts", "options", "address", "keys"),
    [
        (
            ROCKY, {"version": "3.9.3"}, f"{PUBLIC}/gateway-39/rpm/el/9/$basearch",
            ["B9DCD032B1696A89", "EE30089B2CC28C9A"],
        ),
        (
            AMAZON, {"version": "3.10.0.17", "edition": "enterprise"},
            f"{PUBLIC}/gateway-310/rpm/amzn/2023/$basearch",
            ["5F07A9706C09A6C6", "F95F9D51CE8D04A7"],
        ),
    ],
)
def test_the_repository_is_that_of_the_system_with_both_keys(
    tmp_path: Path, facts: dict[str, Any], options: dict[str, Any], address: str, keys: list[str]
) -> None:
    package = plan(facts, method="package", **options)["run"]["package"]
    task = next(each for each in tasks() if "ansible.builtin.yum_repository" in each)
    play = {
        "hosts": "all", "gather_facts": False, "tasks": [task],
        "vars": {"__gateway_package": package, "__gateway_apt": False},
        "module_defaults": {"ansible.builtin.yum_repository": {"reposdir": str(tmp_path)}},
    }  # fmt: skip
    hosts = {"all": {"hosts": {"here": LOCAL}}}
    Player(tmp_path, {})(f"{json.dumps([play])}\n", inventory=hosts).ok()
    written = configparser.ConfigParser(interpolation=None)
    written.read(tmp_path / "irishtek-kong.repo")
    found = dict(written["irishtek-kong"])
    line = address.split("/")[4]
    assert found["baseurl"] == address
    assert found["gpgkey"].split() == [f"{PUBLIC}/{line}/gpg.{key}.key" for key in keys]
    assert (found["gpgcheck"], found["repo_gpgcheck"]) == ("1", "1")
    # Fedora leaves out repositories that it cannot read, unless they say no.
    assert found["skip_if_unavailable"] == "0"


def test_the_version_comes_from_that_repository_only() -> None:
    """Disabled, it is no part of the system's own updates."""
    repository, install = (
        next(each[name] for each in tasks() if name in each)
        for name in ("ansible.builtin.yum_repository", "ansible.builtin.dnf")
    )
    assert repository["enabled"] is False
    assert install["enablerepo"] == repository["name"]
    assert plan(ROCKY, method="package")["run"]["package"]["spec"] == "kong-3.9.3"
