# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role echo_upstream, entry point servers: echo servers as processes and as units."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.paths import ROOT
from harness.playbook import LOCAL, Player, Run

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Echo servers
      ansible.builtin.include_role:
        name: irishtek.kong.echo_upstream
        tasks_from: servers
"""
SYSTEMD = Path("/run/systemd/system")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Host:
    """One inventory host whose servers run as processes in a folder of the test's own."""

    def __init__(self, player: Player, folder: Path) -> None:
        self.player = player
        self.folder = folder
        self.ports = (_free_port(), _free_port())

    def run(
        self, servers: Mapping[str, int], *, check: bool = False, **variables: Any
    ) -> Run:
        """Run the role for these servers by name and port."""
        host = {
            **LOCAL,
            "echo_upstream_backend": "process",
            "echo_upstream_bind_address": "127.0.0.1",
            "echo_upstream_directory": str(self.folder),
            "echo_upstream_python": sys.executable,
            "echo_upstream_servers": [{"name": n, "port": p} for n, p in servers.items()],
            **variables,
        }
        inventory = {"all": {"hosts": {"web": host}}}
        return self.player(PLAY, inventory=inventory, check=check, diff=check)

    def absent(self, *, check: bool = False) -> Run:
        """Take the servers away."""
        return self.run({}, check=check, echo_upstream_state="absent")

    def pid(self, port: int) -> int:
        """The pid that the server on the port tells of itself."""
        return int(_health(port)["pid"])


def _health(port: int) -> dict[str, Any]:
    with httpx.Client(trust_env=False) as client:
        return dict(client.get(f"http://127.0.0.1:{port}/health").json())


def _silent(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
def player(tmp_path: Path) -> Player:
    """Runs playbooks that need no gateway."""
    return Player(tmp_path, {})


@pytest.fixture
def host(player: Player, tmp_path: Path) -> Iterator[Host]:
    """A host without servers; those that a test leaves are taken away."""
    made = Host(player, tmp_path / "echo")
    yield made
    made.absent().ok()


def test_check_mode_from_nothing_predicts_and_does_nothing(host: Host) -> None:
    run = host.run({"web-1": host.ports[0]}, check=True).ok()
    assert "Predict that the servers will be started" in " ".join(run.changed())
    assert not host.folder.exists()
    assert _silent(host.ports[0])


def test_servers_outlive_the_play_and_a_second_run_changes_nothing(host: Host) -> None:
    servers = {"web-1": host.ports[0], "web-2": host.ports[1]}
    assert host.run(servers).ok().total("changed") > 0
    pids = [host.pid(port) for port in host.ports]
    assert [_health(port)["server"] for port in host.ports] == ["web-1", "web-2"]
    assert host.run(servers).ok().total("changed") == 0
    assert host.run(servers, check=True).ok().total("changed") == 0
    assert [host.pid(port) for port in host.ports] == pids


def test_a_server_is_restarted_when_it_should_be_another(host: Host) -> None:
    port, other = host.ports
    host.run({"old": port, "stays": other}).ok()
    before, kept = host.pid(port), host.pid(other)
    assert host.run({"new": port, "stays": other}, check=True).ok().total("changed") == 1
    assert host.pid(port) == before
    assert host.run({"new": port, "stays": other}).ok().total("changed") == 1
    assert _health(port)["server"] == "new"
    assert host.pid(other) == kept


def test_a_server_that_left_the_list_is_stopped(host: Host) -> None:
    port, other = host.ports
    host.run({"stays": port, "leaves": other}).ok()
    assert host.run({"stays": port}).ok().total("changed") == 1
    assert _silent(other)
    assert _health(port)["server"] == "stays"


def test_absent_takes_all_away_once_and_in_check_mode_nothing(host: Host) -> None:
    host.run({"web-1": host.ports[0]}).ok()
    assert host.absent(check=True).ok().total("changed") > 0
    assert _health(host.ports[0])["server"] == "web-1"
    assert host.absent().ok().total("changed") > 0
    assert _silent(host.ports[0])
    assert not host.folder.exists()
    assert host.absent().ok().total("changed") == 0


def test_absent_leaves_what_others_put_into_the_directory(host: Host) -> None:
    host.run({"web-1": host.ports[0]}).ok()
    (host.folder / "notes.txt").write_text("not the role's")
    host.absent().ok()
    assert [path.name for path in host.folder.iterdir()] == ["notes.txt"]


def test_a_pid_file_that_leads_to_another_process_harms_nobody(host: Host) -> None:
    port = host.ports[0]
    # Its command line speaks of the port, too: only the whole command line says whose it is.
    command = [sys.executable, "-c", "input()", "echo_server.py", "--port", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as stranger:
        host.folder.mkdir()
        pid_file = host.folder / f"echo-{port}.pid"
        pid_file.write_text(f"{stranger.pid}\n")
        host.run({"web-1": port}).ok()
        assert _health(port)["server"] == "web-1"
        assert int(pid_file.read_text()) == host.pid(port) != stranger.pid
        assert stranger.poll() is None
        host.run({}).ok()
        assert _silent(port)
        pid_file.write_text(f"{stranger.pid}\n")
        host.absent().ok()
        assert not host.folder.exists()
        assert stranger.poll() is None
        stranger.communicate(b"\n", timeout=30)


def test_a_taken_port_is_a_failure_with_a_reason_and_leaves_no_pid_file(host: Host) -> None:
    port = host.ports[0]
    with socket.create_server(("127.0.0.1", port)):
        run = host.run({"web-1": port})
    assert run.rc != 0
    assert f"The echo server on port {port} did not start: cannot listen" in run.stdout
    assert not list(host.folder.glob("*.pid"))


def test_servers_that_cannot_run_side_by_side_are_refused(host: Host) -> None:
    port = host.ports[0]
    for servers in ({"a": port, "b": port}, {"not a name": port}):
        run = host.run(servers)
        assert run.rc != 0
        assert "Each of echo_upstream_servers needs a port of its own and a name" in run.stdout
    assert not host.folder.exists()


def test_backend_none_does_nothing(host: Host) -> None:
    run = host.run({"web-1": host.ports[0]}, echo_upstream_backend="none").ok()
    assert run.total("changed") == 0
    assert _silent(host.ports[0])


@pytest.mark.skipif(SYSTEMD.exists(), reason="systemd runs this machine, whose units stay alone")
@pytest.mark.parametrize("check", [False, True])
def test_a_host_without_systemd_is_refused_before_anything_is_written(
    host: Host, check: bool
) -> None:
    run = host.run({"web-1": host.ports[0]}, check=check, echo_upstream_backend="systemd")
    assert run.rc != 0
    assert "systemd does not run web; for trying, set echo_upstream_backend to process" in (
        " ".join(run.stdout.split())
    )
    assert not host.folder.exists()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
@pytest.mark.parametrize("port", [80, 8080])
def test_systemd_finds_nothing_to_say_about_the_unit(
    player: Player, tmp_path: Path, port: int
) -> None:
    unit = tmp_path / f"echo-upstream-{port}.service"
    server = {"name": "web-1", "port": port, "bind_address": "0.0.0.0", "digest": "0123456789ab"}
    play = f"""
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Unit
      ansible.builtin.template:
        src: {ROOT}/roles/echo_upstream/templates/echo-upstream.service.j2
        dest: {unit}
        mode: "0644"
"""
    variables = {
        "server": server, "echo_upstream_python": "/usr/bin/env",
        "echo_upstream_directory": "/opt/echo-upstream",
    }
    player(play, extra_vars=variables).ok()
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "info"},
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
