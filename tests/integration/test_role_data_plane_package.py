# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role data_plane with packages: what dnf is told; apt is seen whole in a molecule scenario."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest
from data_plane_support import Host

from harness.playbook import Player

# The wanted version is there already, so that dnf itself is not needed.
REPOSITORY = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Repository
      ansible.builtin.include_role:
        name: irishtek.kong.data_plane
        tasks_from: method_package_dnf
      vars:
        data_plane_package_before: "{{ data_plane_version }}"
        __data_plane_package_kind: dnf
        __data_plane_package_keyring: "{{ data_plane_directory }}/key.asc"
        __data_plane_package_repository: "{{ data_plane_directory }}/kong.repo"
"""


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
