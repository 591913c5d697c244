# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role data_plane with packages: what dnf is told, and the way back from an upgrade.

apt is seen whole in a molecule scenario.
"""

from __future__ import annotations

import configparser
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from data_plane_support import Host

from harness.paths import ROOT
from harness.playbook import Player, Run

# The wanted version is there already, so that dnf itself is not needed.
REPOSITORY = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Repository
      ansible.builtin.include_role:
        name: irishtek.kong.data_plane
        tasks_from: method_package_get
      vars:
        data_plane_package_before: "{{ data_plane_version }}"
        __data_plane_package_kind: dnf
        __data_plane_package_keyring: "{{ data_plane_directory }}/key.asc"
        __data_plane_package_repository: "{{ data_plane_directory }}/kong.repo"
"""
# On this machine, with its files in the test's folder.
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Be of RedHat's family
      ansible.builtin.set_fact:
        ansible_distribution: Rocky
        ansible_hostname: gw
        ansible_os_family: RedHat
        ansible_pkg_mgr: dnf
        ansible_python: {executable: "{{ ansible_playbook_python }}"}
        ansible_service_mgr: systemd
        ansible_user_id: root
        cacheable: true
    - name: Data plane
      ansible.builtin.include_role:
        name: irishtek.kong.data_plane
      vars:
        folder: "{{ data_plane_directory | dirname }}"
        __data_plane_package_dropin: "{{ folder }}/kong.service.d/irishtek.conf"
        __data_plane_package_home: "{{ data_plane_directory }}"
        __data_plane_package_keyring: "{{ folder }}/keys/irishtek-kong-1.asc"
        __data_plane_package_repository: "{{ folder }}/kong.repo"
        __data_plane_package_source: "{{ folder }}/kong.sources"
"""


class PackageHost(Host):
    """A host of RedHat's family whose packages and unit are the harness's."""

    def __init__(self, player: Player, folder: Path) -> None:
        super().__init__(player, folder, "package")
        self.packages = folder / "packages"
        for name in ("packages", "library", "keys"):
            (folder / name).mkdir()
        shutil.copy(ROOT / "tests/harness/fake_dnf.py", folder / "library/dnf.py")
        key = folder / "public.asc"
        key.write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
        self.environment |= {
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(folder / "facts"),
            "ANSIBLE_LIBRARY": str(folder / "library"), "FAKE_PACKAGE": str(self.packages),
        }
        program = str(ROOT / "tests/harness/fake_package.py")
        for name in ("gpg", "kong", "rpm", "systemctl", "systemd-analyze"):
            self.put_command(name, [sys.executable, program, name])
        self.variables = {
            "package_url": "https://packages.example.test/el9", "package_key": key.as_uri(),
            "config": {f"{name}_listen": "off" for name in ("admin", "proxy", "status")},
        }

    def run(self, *, check: bool = False, play: str = PLAY, **variables: Any) -> Run:
        """Run the role."""
        return super().run(check=check, play=play, **variables)

    def state(self) -> dict[str, Any]:
        """What is installed and runs."""
        return dict(json.loads((self.packages / "state.json").read_text()))

    def calls(self) -> list[list[str]]:
        """What changed since the last call of this method."""
        path = self.packages / "calls.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]


@pytest.fixture
def packaged(tmp_path: Path) -> PackageHost:
    """A host with packages that stand in."""
    return PackageHost(Player(tmp_path, {}), tmp_path)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host that the method package is for."""
    return Host(Player(tmp_path, {}), tmp_path, "package")


def test_dnf_takes_signed_packages_of_one_version_only(host: Host, tmp_path: Path) -> None:
    host.folder.mkdir()
    key = tmp_path / "public.asc"
    key.write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    variables = {"version": "3.9.1", "package_url": "https://packages.example.test/el9",
                 "package_key": key.as_uri()}
    host.run(play=REPOSITORY, **variables).ok()
    repository = configparser.ConfigParser(interpolation=None)
    repository.read(host.folder / "kong.repo")
    told = repository["irishtek-kong"]
    assert told["baseurl"] == "https://packages.example.test/el9"
    assert told["gpgcheck"] == "1"
    # The key stays where it can be found when it is to be trusted no more.
    assert told["gpgkey"] == f"file://{host.folder}/key.asc"
    assert (host.folder / "key.asc").read_text() == key.read_text()
    # 3.9.10 is another version.
    assert told["includepkgs"] == "kong-3.9.1-*"
    assert host.run(play=REPOSITORY, **variables).ok().total("changed") == 0


def test_a_refused_version_does_not_stay_installed(packaged: PackageHost) -> None:
    packaged.run(version="3.9.1").ok()
    settings = (packaged.folder / "kong.conf").read_text()
    packaged.calls()
    config = {**packaged.variables["config"], "log_level": "info"}
    run = packaged.run(version="3.9.8", config=config)
    said = run.result("Say what is missing")["msg"]
    assert "3.9.8 refuses this" in said and "What runs was left as it is." in said
    assert packaged.calls() == [["dnf", "3.9.8"], ["dnf", "3.9.1"]]
    assert "includepkgs=kong-3.9.1-*" in (packaged.root / "kong.repo").read_text()
    assert (packaged.folder / "kong.conf").read_text() == settings
    assert packaged.run(version="3.9.1").ok().total("changed") == 0


def test_an_old_version_that_is_gone_is_told(packaged: PackageHost) -> None:
    packaged.run(version="3.9.1").ok()
    (packaged.packages / "kong-3.9.1.missing").touch()
    said = packaged.run(version="3.9.8").result("Say what is missing")["msg"]
    assert "the next start takes 3.9.8: No package kong-3.9.1 available." in said
    assert "left as it is" not in said


def test_the_way_back_leads_to_the_version_that_was_proven(packaged: PackageHost) -> None:
    packaged.run(version="3.9.1").ok()
    # A run that was cut off has installed another one.
    state = packaged.state() | {"installed": "3.9.9"}
    (packaged.packages / "state.json").write_text(json.dumps(state))
    packaged.calls()
    said = packaged.run(version="3.9.9").result("Say what happened")["msg"]
    assert "What ran before (3.9.1) runs again." in said
    assert packaged.calls() == [["systemctl", "restart"], ["dnf", "3.9.1"], ["systemctl", "start"]]
    assert packaged.state() == {"installed": "3.9.1", "active": True, "enabled": True}


def test_a_first_start_that_fails_is_not_tried_for_ever(packaged: PackageHost) -> None:
    run = packaged.run(version="3.9.9")
    assert "did not start" in run.result("Say what happened")["msg"]
    # Its start had enabled it.
    assert packaged.state() == {"installed": "3.9.9", "active": False, "enabled": False}


def test_only_the_own_drop_in_goes(packaged: PackageHost) -> None:
    packaged.run(version="3.9.1").ok()
    folder = packaged.root / "kong.service.d"
    (folder / "theirs.conf").touch()
    foretold = packaged.run(check=True, version="3.9.1", state="absent").ok().changed()
    assert [path.name for path in sorted(folder.iterdir())] == ["irishtek.conf", "theirs.conf"]
    run = packaged.run(version="3.9.1", state="absent").ok()
    assert [path.name for path in folder.iterdir()] == ["theirs.conf"]
    assert set(foretold) <= set(run.changed())
    (folder / "theirs.conf").unlink()
    packaged.run(version="3.9.1").ok()
    packaged.run(version="3.9.1", state="absent").ok()
    assert not folder.exists() and packaged.state()["installed"] == ""
    assert packaged.run(version="3.9.1", state="absent").ok().total("changed") == 0
