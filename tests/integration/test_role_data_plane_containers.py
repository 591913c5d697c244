# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role data_plane in containers: its life with an engine that stands in for docker and podman."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from data_plane_support import EngineHost, free_ports

from harness.playbook import Player

QUADLETS = (
    Path("/usr/libexec/podman/quadlet"),
    Path("/usr/lib/systemd/system-generators/podman-system-generator"),
)
# Keys that podman's first quadlets, those of 4.4, knew.
QUADLET_KEYS = {
    "ContainerName", "EnvironmentFile", "Image", "Label", "Network", "PodmanArgs", "PublishPort",
    "Volume",
}
UNITS = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Units
      ansible.builtin.include_role:
        name: irishtek.kong.data_plane
        tasks_from: method_container_units
      vars:
        __data_plane_engine_path: /bin/true
        __data_plane_unit_files:
          quadlet: "{{ data_plane_directory }}/kong.container"
          generated: "{{ data_plane_directory }}/kong.service"
"""


@pytest.fixture(params=["docker", "podman", "compose"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EngineHost]:
    """A host with an engine; the gateway that a test leaves is taken away."""
    made = EngineHost(Player(tmp_path, {}), tmp_path, request.param, free_ports(2))
    yield made
    made.run(state="absent").ok()
    assert made.containers() == {}
    assert not made.folder.exists()


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[EngineHost]:
    """A host with Docker."""
    made = EngineHost(Player(tmp_path, {}), tmp_path, "docker", free_ports(2))
    yield made
    made.run(state="absent").ok()


def test_a_life_from_check_mode_to_stopped(host: EngineHost) -> None:
    run = host.run(check=True).ok()
    assert "Would start the gateway kong" in run.stdout
    assert not host.folder.exists()
    assert host.calls() == []
    host.run().ok()
    environment = host.containers()["kong"]["environment"]
    assert environment["KONG_ROLE"] == "traditional"
    host.calls()
    assert host.run().ok().total("changed") == 0
    assert host.calls() == []
    host.run(state="stopped").ok()
    assert host.run(state="stopped").ok().total("changed") == 0


def test_a_changed_setting_makes_the_container_anew_and_a_changed_state_reloads_it(
    docker: EngineHost, tmp_path: Path
) -> None:
    state = tmp_path / "state.yml"
    state.write_text("services: []\n")
    docker.run(state_file=str(state)).ok()
    docker.calls()
    docker.run(state_file=str(state), config=docker.config(log_level="info")).ok()
    assert [
        words[0] for words in docker.calls() if words[0] in ("stop", "rename", "run", "exec")
        and "check" not in words
    ] == ["stop", "rename", "run"]
    state.write_text("services: []\nroutes: []\n")
    docker.run(state_file=str(state), config=docker.config(log_level="info")).ok()
    assert docker.calls() == [["exec", "kong", "kong", "reload"]]


def test_a_renewed_certificate_is_reloaded(docker: EngineHost) -> None:
    hybrid: dict[str, Any] = {
        "topology": "hybrid", "control_plane_url": "127.0.0.1:8005", "endpoint_check": False,
        "ca_certificate": str(docker.root / "ca/ca.crt"), "ca_key": str(docker.root / "ca/ca.key"),
        "ca_create": True,
    }
    docker.run(**hybrid, certificate_days=20, certificate_renew_days=10).ok()
    before = docker.certificate().read_text()
    docker.calls()
    docker.run(**hybrid).ok()
    assert docker.certificate().read_text() != before
    assert docker.calls() == [["exec", "kong", "kong", "reload"]]
    assert docker.run(**hybrid).ok().total("changed") == 0


def test_the_old_version_comes_back_when_a_new_one_fails(docker: EngineHost) -> None:
    docker.run(image="localhost/kong:3.9").ok()
    run = docker.run(image="localhost/broken:3.10", start_timeout=1)
    assert run.rc != 0
    said = run.result("Say what happened")["msg"]
    assert "What ran before (localhost/kong:3.9) runs again." in said
    assert docker.containers().keys() == {"kong"}
    assert docker.run(image="localhost/kong:3.9").ok().total("changed") == 0


def test_the_certificate_belongs_to_the_user_of_the_image_that_runs(docker: EngineHost) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    own: dict[str, Any] = {"owner": "", "group": "", "certificate": "self_signed"}

    def owners() -> set[tuple[int, int]]:
        found = [path.stat() for path in docker.certificate().parent.glob("*")]
        return {(each.st_uid, each.st_gid) for each in found}

    docker.run(**own, image="localhost/user-1000:3.7").ok()
    assert owners() == {(1000, 1000)}
    docker.run(**own, image="localhost/user-1001:3.9").ok()
    assert owners() == {(1001, 1001)}
    assert docker.run(**own, image="localhost/user-1001:3.9").ok().total("changed") == 0
    assert docker.run(**own, image="localhost/broken-user-1002:3.10", start_timeout=1).rc != 0
    assert owners() == {(1001, 1001)}


def test_failures_say_what_to_do(docker: EngineHost) -> None:
    run = docker.run(config=docker.config(log_level="loud"))
    assert "log_level has an invalid value" in run.result("Say what the gateway refuses")["msg"]
    run = docker.run(image="localhost/missing:1")
    assert "was not found: look at data_plane_image" in run.result("that is not there")["msg"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", docker.ports[0]))
        taken.listen(1)
        run = docker.run()
    said = run.result("Refuse ports that are taken")["msg"]
    assert f"Port {docker.ports[0]} of 127.0.0.1 is taken" in said
    assert docker.containers() == {}


@pytest.mark.parametrize("host", ["podman"], indirect=True)
def test_podman_says_which_unit_it_cannot_have(host: EngineHost) -> None:
    host.environment["FAKE_ENGINE_VERSION"] = "4.3.1"
    run = host.run(unit="quadlet")
    assert run.rc != 0
    without_systemd = not Path("/run/systemd/system").exists()
    said = "set data_plane_unit to none" if without_systemd else "has no quadlets"
    assert said in run.stdout.replace("\n", " ")
    assert host.containers() == {}


def _units(host: EngineHost, unit: str) -> Path:
    host.folder.mkdir()
    variables = {"unit": unit, "publish": ["8000:8000"], "network": "bridge",
                 "container_options": ["--memory", "1g"], "volumes": ["/srv:/srv:ro"]}
    host.run(play=UNITS, method="podman", **variables).ok()
    return host.folder / {"quadlet": "kong.container", "generated": "kong.service"}[unit]


def test_systemd_accepts_the_generated_unit(docker: EngineHost) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not here")
    unit = _units(docker, "generated")
    done = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert unit.name not in done.stderr
    assert '"--volume" "/srv:/srv:ro"' in unit.read_text()


def test_the_quadlet_has_keys_that_the_first_quadlets_knew(docker: EngineHost) -> None:
    text = _units(docker, "quadlet").read_text()
    section = text.split("[Container]\n")[1].split("[Service]")[0]
    keys = {line.split("=")[0] for line in section.splitlines() if "=" in line}
    assert keys == QUADLET_KEYS


def test_podman_accepts_the_quadlet(docker: EngineHost) -> None:
    programs = [path for path in QUADLETS if path.exists()]
    if not programs:
        pytest.skip("podman is older than its quadlets, or not here")
    unit = _units(docker, "quadlet")
    done = subprocess.run(
        [programs[0], "-dryrun"], capture_output=True, text=True, check=False,
        env={"QUADLET_UNIT_DIRS": str(unit.parent)},
    )
    assert done.returncode == 0, done.stderr
    assert "ExecStart=" in done.stdout + done.stderr
