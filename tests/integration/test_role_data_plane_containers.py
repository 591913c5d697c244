# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role data_plane in containers: its life with an engine that stands in for docker and podman."""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from data_plane_support import EngineHost, answering, free_ports

from harness.paths import ROOT
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
    """A host with an engine; the gateway that a test leaves is ended."""
    made = EngineHost(Player(tmp_path, {}), tmp_path, request.param, free_ports(2))
    yield made
    made.end()


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[EngineHost]:
    """A host with Docker."""
    made = EngineHost(Player(tmp_path, {}), tmp_path, "docker", free_ports(2))
    yield made
    made.end()


def test_a_life_from_check_mode_to_absent(host: EngineHost) -> None:
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
    host.run(state="absent").ok()
    assert host.containers() == {}
    assert not host.folder.exists()


def test_a_changed_setting_makes_the_container_anew_and_a_changed_state_reloads_it(
    docker: EngineHost, tmp_path: Path
) -> None:
    state = tmp_path / "state.yml"
    state.write_text('_format_version: "3.0"\nservices: []\n')
    docker.run(state_file=str(state)).ok()
    docker.calls()
    docker.run(state_file=str(state), config=docker.config(log_level="info")).ok()
    assert [
        words[0] for words in docker.calls() if words[0] in ("stop", "rename", "run", "exec")
    ] == ["stop", "rename", "run"]
    state.write_text('_format_version: "3.0"\nservices: []\nroutes: []\n')
    docker.run(state_file=str(state), config=docker.config(log_level="info")).ok()
    assert docker.calls() == [["exec", "kong", "kong", "reload"]]
    again = docker.run(state_file=str(state), config=docker.config(log_level="info")).ok()
    assert again.total("changed") == 0


def test_a_refused_state_file_leaves_what_runs_as_it_is(docker: EngineHost, tmp_path: Path) -> None:
    state = tmp_path / "state.yml"
    state.write_text('_format_version: "3.0"\nservices: []\n')
    docker.run(state_file=str(state)).ok()
    before = (docker.folder / "state/kong.json").read_text()
    docker.calls()
    state.write_text('_format_version: "3.0"\nservices: [{name: a, host: refused}]\n')
    run = docker.run(state_file=str(state))
    assert run.rc != 0
    said = run.result("Say what the gateway refuses")["msg"]
    assert "refuses the state file: Error: Failed parsing" in said
    assert "What runs was left as it is." in run.result("Say what is missing")["msg"]
    assert (docker.folder / "state/kong.json").read_text() == before
    assert ["exec", "kong", "kong", "reload"] not in docker.calls()


def _hybrid(docker: EngineHost) -> dict[str, Any]:
    return {
        "topology": "hybrid", "control_plane_url": "127.0.0.1:8005", "endpoint_check": False,
        "ca_certificate": str(docker.root / "ca/ca.crt"), "ca_key": str(docker.root / "ca/ca.key"),
        "ca_create": True,
    }


def test_a_version_that_the_control_plane_refuses_is_named_in_each_run(docker: EngineHost) -> None:
    hybrid = _hybrid(docker)
    run = docker.run(**hybrid).ok()
    assert "sent no configuration" in run.stdout
    name = platform.node()
    refused = {"hostname": name, "version": "3.10.0", "sync_status": "kong_version_incompatible"}
    # The newest counts: what the host was before stays in the list.
    rows = [{"id": "1", "last_seen": 2, **refused},
            {"id": "2", "last_seen": 3, **refused, "sync_status": "normal"}]
    with answering({"data": rows}) as url:
        docker.run(**hybrid, control_plane_admin_url=url).ok()
    rows[0]["last_seen"] = 4
    docker.environment["ANSIBLE_VERBOSITY"] = "3"
    with answering({"data": rows}) as url:
        run = docker.run(**hybrid, control_plane_admin_url=url,
                         control_plane_admin_headers={"Kong-Admin-Token": "t0ken"})
    assert run.rc != 0
    assert "t0ken" not in run.stdout
    said = run.result("Say why the control plane and the data plane do not come together")["msg"]
    assert f"lists {name} (version 3.10.0) as kong_version_incompatible" in said
    assert "upgrade the control plane first" in said


@pytest.mark.parametrize("other", [{"method": "podman"}, {"name": "other", "state": "absent"}])
def test_the_directory_of_another_gateway_is_not_taken_over(
    docker: EngineHost, other: dict[str, str]
) -> None:
    docker.run().ok()
    run = docker.run(**other)
    assert run.rc != 0
    said = run.result("Refuse a directory of another gateway")["msg"]
    assert "the gateway kong, which the method docker runs: take it away first" in said
    assert (docker.folder / "applied.json").exists()


def test_a_run_that_was_cut_off_is_made_good_by_the_next(docker: EngineHost) -> None:
    docker.run().ok()
    applied = docker.folder / "applied.json"
    state = docker.engine / "state.json"
    # As it lies there while the new one is being proven.
    applied.write_text(json.dumps({**json.loads(applied.read_text()), "restart": "", "reload": ""}))
    engine = json.loads(state.read_text())
    proven = engine["containers"]["kong"]
    engine["containers"]["kong-previous"] = {**proven, "image": "localhost/proven:1"}
    proven["environment"]["KONG_LOG_LEVEL"] = "debug"
    state.write_text(json.dumps(engine))
    broken = docker.run(image="localhost/broken:3.10", start_timeout=1)
    said = broken.result("Say what happened")["msg"]
    assert "runs again" in said
    assert {name: made["image"] for name, made in docker.containers().items()} == {
        "kong": "localhost/proven:1"
    }
    docker.run().ok()
    assert "KONG_LOG_LEVEL" not in docker.containers()["kong"]["environment"]
    assert docker.containers().keys() == {"kong"}
    assert docker.run().ok().total("changed") == 0


def test_absent_takes_a_container_along_that_was_put_aside(docker: EngineHost) -> None:
    docker.run().ok()
    state = docker.engine / "state.json"
    engine = json.loads(state.read_text())
    engine["containers"]["kong-previous"] = engine["containers"].pop("kong")
    state.write_text(json.dumps(engine))
    docker.run(state="absent").ok()
    assert docker.containers() == {}
    assert docker.run(state="absent").ok().total("changed") == 0


def test_without_a_port_of_the_host_the_gateway_is_asked_inside(docker: EngineHost) -> None:
    own: dict[str, Any] = {"network": "bridge", "start_timeout": 2}
    docker.run(**own).ok()
    run = docker.run(**own, image="localhost/broken:3.10")
    assert run.rc != 0
    assert "runs again" in run.result("Say what happened")["msg"]


def test_a_published_port_is_asked_at_its_address(docker: EngineHost) -> None:
    proxy, status = docker.ports
    published = [f"127.0.0.2:{port}:{port}" for port in docker.ports]
    run = docker.run(network="bridge", publish=[*published, "9000", "8000-8010:8000-8010/udp"],
                     start_timeout=1)
    assert run.rc != 0
    said = run.result("Say what happened")["msg"]
    assert f"http://127.0.0.2:{status}/status did not answer" in said
    refused = docker.run(network="bridge", publish=["one:two"])
    said = refused.result("Refuse settings that are unknown or contradict each other")["msg"]
    assert "data_plane_publish holds one:two" in said


def test_numbers_and_truths_may_come_as_texts(docker: EngineHost) -> None:
    texts = {"probe": "false", "drain_seconds": "0", "stop_timeout": "5", "start_timeout": "20",
             "connect_timeout": "1", "migrations": "false", "endpoint_check": "false"}
    docker.run(**_hybrid(docker)).ok()
    docker.run(**{**_hybrid(docker), **texts}, config=docker.config(log_level="info")).ok()


def test_a_renewed_certificate_is_reloaded(docker: EngineHost) -> None:
    hybrid = _hybrid(docker)
    docker.run(**hybrid, certificate_days=20, certificate_renew_days=10).ok()
    before = docker.certificate().read_text()
    docker.calls()
    docker.run(**hybrid).ok()
    assert docker.certificate().read_text() != before
    assert docker.calls() == [["exec", "kong", "kong", "reload"]]
    assert docker.run(**hybrid).ok().total("changed") == 0


def test_the_old_version_and_certificate_come_back_when_new_ones_fail(docker: EngineHost) -> None:
    old: dict[str, Any] = {"image": "localhost/kong:3.9", "certificate": "self_signed",
                           "certificate_days": 20, "certificate_renew_days": 10}
    docker.run(**old).ok()
    before = docker.certificate().read_text()
    new = {"image": "localhost/broken:3.10", "certificate_renew_days": 30, "certificate_days": 90}
    run = docker.run(**{**old, **new}, start_timeout=1)
    assert run.rc != 0
    assert docker.certificate().read_text() == before
    said = run.result("Say what happened")["msg"]
    assert "What ran before (localhost/kong:3.9) runs again." in said
    assert "Its last words: [emerg] bind() to" in said
    assert docker.containers().keys() == {"kong"}
    assert docker.run(**old).ok().total("changed") == 0


def test_the_old_one_is_proven_where_it_was_when_new_listeners_fail(docker: EngineHost) -> None:
    docker.run(image="localhost/kong:3.9").ok()
    proxy, status = free_ports(2)
    moved = docker.config(
        proxy_listen=f"127.0.0.1:{proxy}", status_listen=f"127.0.0.1:{status}"
    )
    run = docker.run(image="localhost/broken:3.9", config=moved, start_timeout=2)
    assert run.rc != 0
    said = run.result("Say what happened")["msg"]
    assert f"http://127.0.0.1:{status}/status did not answer with 200" in said
    assert "What ran before (localhost/kong:3.9) runs again." in said
    assert not (docker.folder / "previous").exists()


def test_a_taken_port_is_found_while_the_old_gateway_still_serves(docker: EngineHost) -> None:
    docker.run().ok()
    before = (docker.folder / "kong.env").read_text()
    docker.calls()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        run = docker.run(config=docker.config(proxy_listen=f"127.0.0.1:{port}"))
    said = run.result("Say what is missing")["msg"]
    assert f"Port {port} of 127.0.0.1 is taken" in said
    assert "What runs was left as it is." in said
    assert (docker.folder / "kong.env").read_text() == before
    assert [words for words in docker.calls() if words[0] in ("stop", "rename")] == []


@pytest.mark.parametrize("host", ["docker", "compose"], indirect=True)
def test_a_first_start_that_fails_is_not_tried_for_ever(host: EngineHost) -> None:
    run = host.run(image="localhost/broken:3.9", start_timeout=1)
    assert run.rc != 0
    assert "[emerg] bind() to" in run.result("Say what happened")["msg"]
    assert host.calls()[-1] == ["stop", "-t", "30", "kong"]


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
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", docker.ports[0]))
        taken.listen(1)
        run = docker.run()
        assert not docker.folder.exists()
        predicted = docker.run(check=True).ok().result("Say in check mode which ports are taken")
    sentence = f"Port {docker.ports[0]} of 127.0.0.1 is taken"
    assert sentence in run.result("Refuse ports that are taken")["msg"]
    assert sentence in predicted["msg"]
    run = docker.run(image="localhost/missing:1")
    assert "was not found: look at data_plane_image" in run.result("that is not there")["msg"]
    run = docker.run(config=docker.config(log_level="loud"))
    assert "log_level has an invalid value" in run.result("Say what the gateway refuses")["msg"]
    assert docker.containers() == {}


@pytest.mark.parametrize("host", ["compose"], indirect=True)
def test_absent_ends_what_compose_itself_cannot(host: EngineHost) -> None:
    without = {"compose_command": ["no-such-compose"]}
    host.run().ok()
    run = host.run(check=True, state="absent", **without).ok()
    assert "Would remove the container kong." in run.stdout
    host.run(state="absent", **without).ok()
    assert host.containers() == {} and not host.folder.exists()
    assert host.run(check=True, state="absent", **without).ok().total("changed") == 0
    host.run().ok()
    (host.folder / "compose.yaml").unlink()
    host.run(state="absent").ok()
    assert host.containers() == {}


# Tried with compose-go 1.6 to 2.16 and python-dotenv 0.15 to 1.2: all read the value from this.
QUOTED = {
    "plain": "'plain'",
    'with "quotes" # $HOME': "'with \"quotes\" # $HOME'",
    "it's": '"it\'s"',
    'back\\slash\\\\n "and" \'': '"back\\\\slash\\\\\\\\n \\"and\\" \'"',
}
UNREADABLE = ["a${b}", "a${", "ends\\", "$it's", "'$", "$\\n"]


@pytest.mark.parametrize("host", ["compose"], indirect=True)
def test_each_compose_command_reads_the_secrets_as_they_are(host: EngineHost) -> None:
    environment = {f"A{number}": value for number, value in enumerate(QUOTED)}
    host.run(environment=environment).ok()
    lines = (host.folder / "secrets.env").read_text().splitlines()[1:]
    assert lines == [f"A{number}={text}" for number, text in enumerate(QUOTED.values())]
    refused = {f"B{number}": value for number, value in enumerate(UNREADABLE)}
    run = host.run(environment={**environment, **refused})
    said = run.result("Refuse secrets that not each compose command reads as they are")["msg"]
    assert f"secrets alike: {', '.join(refused)}. A value must not" in said
    assert not [value for value in UNREADABLE[2:] if value in run.stdout]


# A host of RedHat's family without an engine.
INSTALL = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Be of RedHat's family
      ansible.builtin.set_fact:
        ansible_distribution: Rocky
        ansible_os_family: RedHat
        ansible_pkg_mgr: dnf
        ansible_python: {executable: "{{ ansible_playbook_python }}"}
        ansible_service_mgr: systemd
        ansible_user_id: root
        cacheable: true
    - name: Data plane
      ansible.builtin.include_role:
        name: irishtek.kong.data_plane
"""


def test_docker_is_installed_and_started_or_its_repository_named(
    docker: EngineHost, tmp_path: Path
) -> None:
    packages = tmp_path / "packages"
    for name in ("packages", "library"):
        (tmp_path / name).mkdir()
    shutil.copy(ROOT / "tests/harness/fake_dnf.py", tmp_path / "library/dnf.py")
    program = str(ROOT / "tests/harness/fake_package.py")
    docker.put_command("systemctl", [sys.executable, program, "systemctl"])
    docker.environment |= {
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(tmp_path / "facts"),
        "ANSIBLE_LIBRARY": str(tmp_path / "library"), "FAKE_PACKAGE": str(packages),
    }
    command = tmp_path / "bin/docker"
    ready = command.read_text()
    # It is there once the package is.
    command.write_text(f"#!/bin/sh\n[ -e {packages}/calls.jsonl ] || exit 127\n{ready}")
    (packages / "docker-ce.missing").touch()
    said = docker.run(play=INSTALL).result("Say where the package comes from")["msg"]
    assert "https://download.docker.com/linux/centos/docker-ce.repo" in said
    assert "No package docker-ce available." in said
    (packages / "docker-ce.missing").unlink()
    docker.run(play=INSTALL).ok()
    state = json.loads((packages / "state.json").read_text())
    assert state["active"] and state["enabled"]


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
