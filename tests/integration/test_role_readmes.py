# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plays in the READMEs of the roles echo_upstream and rollout run as they stand."""

from __future__ import annotations

import json
import re
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.examples import of
from harness.gateway import Gateway
from harness.paths import ROOT
from harness.playbook import LOCAL, Player

EXAMPLES = [*of("roles/echo_upstream/README"), *of("roles/rollout/README")]
# The servers go with the test.
REMOVE = {
    "hosts": "echo_servers", "gather_facts": False, "tasks": [{
        "ansible.builtin.include_role": {
            "name": "irishtek.kong.echo_upstream", "tasks_from": "servers",
        },
        "vars": {"echo_upstream_state": "absent"},
    }],
}  # fmt: skip
STATE = """
_format_version: "3.0"
_info: {select_tags: [platform]}
services: [{name: orders, host: echo-upstream, routes: [{name: orders, paths: [/orders]}]}]
"""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _server(folder: Path, weight: int) -> dict[str, Any]:
    """An inventory host with an echo server in a folder of its own."""
    return {
        **LOCAL, "ansible_become": False, "ansible_host": "127.0.0.1",
        "echo_upstream_backend": "process", "echo_upstream_bind_address": "127.0.0.1",
        "echo_upstream_directory": str(folder), "echo_upstream_python": sys.executable,
        "echo_upstream_port": _free_port(), "echo_upstream_weight": weight,
    }  # fmt: skip


def test_the_plays_run_and_print_what_the_readme_says(
    empty_gateway: Gateway, playbook: Player, tmp_path: Path
) -> None:
    if empty_gateway.token or empty_gateway.echo_host != "127.0.0.1":
        pytest.skip("the servers of the example are on this machine")
    (tmp_path / "kong.yaml").write_text(STATE)
    # A busy machine takes longer.
    plays = [play for each in EXAMPLES
             for play in each.on({"max_latency: 0.5": "max_latency: 50"}).plays()]  # fmt: skip
    gateway = {**LOCAL, "kong_admin_url": empty_gateway.admin_url,
               "kong_proxy_url": empty_gateway.proxy_url,
               "rollout_directory": str(tmp_path / "rollouts")}  # fmt: skip
    servers = {"web1": _server(tmp_path / "one", 300), "web2": _server(tmp_path / "two", 100)}
    inventory = {"kong_gateways": {"hosts": {"here": gateway}}, "echo_servers": {"hosts": servers}}
    run = playbook(json.dumps([*plays, REMOVE]) + "\n", inventory=inventory)
    if run.rc:
        playbook(json.dumps([REMOVE]) + "\n", inventory=inventory).ok()
    run.ok()
    readme = (ROOT / "roles/echo_upstream/README.md").read_text(encoding="utf-8")
    (printed,) = re.findall(r"^> (.*)$", readme, re.MULTILINE)
    assert printed.replace("http://127.0.0.1:8000", empty_gateway.proxy_url) in run.stdout
    assert "platform" in empty_gateway.call("GET", "/services/orders")["tags"]
