# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks data_plane and quickstart, and the inventories and hook that come with them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from data_plane_support import Host

from harness.paths import BINARIES, COLLECTION, COLLECTIONS, ROOT
from harness.playbook import LOCAL, Player, Run

PLAYBOOKS = ROOT / "playbooks"
INVENTORIES = PLAYBOOKS / "inventories"
ENDPOINTS = {
    "KONNECT_CONTROL_PLANE_ENDPOINT": "https://example.us.cp0.konghq.com",
    "KONNECT_TELEMETRY_ENDPOINT": "https://example.us.tp0.konghq.com",
    "KONG_PG_PASSWORD": "not-a-secret",
}


def _run(*command: str | Path) -> str:
    done = subprocess.run(
        [BINARIES / command[0], *command[1:]], capture_output=True, text=True, check=False,
        timeout=60, env={**os.environ, **ENDPOINTS, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _listed(name: str) -> dict[str, Any]:
    path = INVENTORIES / f"{name}.yml"
    found: dict[str, Any] = json.loads(_run("ansible-inventory", "--inventory", path, "--list"))
    return found


@pytest.mark.parametrize("name", ["data_plane_docker", "data_plane_hybrid", "data_plane_konnect"])
def test_playbooks_and_inventories_go_together(name: str) -> None:
    # The quickstart holds the whole of the other one.
    _run(
        "ansible-playbook", "--syntax-check", "--inventory", INVENTORIES / f"{name}.yml",
        "irishtek.kong.quickstart",
    )


@pytest.mark.parametrize(
    ("name", "topology", "planes"),
    [
        ("data_plane_docker", "dbless", 1),
        ("data_plane_hybrid", "hybrid", 2),
        ("data_plane_konnect", "konnect", 2),
    ],
)
def test_inventories_hold_data_planes_with_options_of_the_role(
    name: str, topology: str, planes: int
) -> None:
    listed = _listed(name)
    specs = ROOT / "roles/data_plane/meta/argument_specs.yml"
    options = yaml.safe_load(specs.read_text())["argument_specs"]["main"]["options"]
    hosts = listed["kong_data_planes"]["hosts"]
    assert len(hosts) == planes
    for host in hosts:
        variables = listed["_meta"]["hostvars"][host]
        assert variables["data_plane_topology"] == topology
        used = {key for key in variables if key.startswith("data_plane_")}
        assert used <= set(options)


def test_the_quickstarts_state_leads_to_its_echo_servers() -> None:
    listed = _listed("data_plane_docker")
    state = yaml.safe_load((ROOT / "playbooks/files/quickstart_state.yml").read_text())
    targets = [target["target"] for target in state["upstreams"][0]["targets"]]
    variables = [listed["_meta"]["hostvars"][host] for host in listed["echo_servers"]["hosts"]]
    assert targets == [f"{one['ansible_host']}:{one['echo_upstream_port']}" for one in variables]
    assert state["services"][0]["host"] == state["upstreams"][0]["name"]


def test_the_hybrid_inventory_reaches_the_admin_api_through_the_tunnel_that_it_names() -> None:
    text = (INVENTORIES / "data_plane_hybrid.yml").read_text()
    tunnel = re.search(r"#   ssh -N -L (\d+):(\S+) (\S+)\n", text)
    assert tunnel
    local, remote, host = tunnel.groups()
    (gateway,) = _listed("data_plane_hybrid")["kong_gateways"]["hosts"]
    variables = _listed("data_plane_hybrid")["_meta"]["hostvars"][gateway]
    assert gateway == host
    assert variables["data_plane_config"]["admin_listen"] == remote
    # Not the port of a gateway that this machine may run itself.
    assert variables["kong_admin_url"] == f"http://127.0.0.1:{local}" != f"http://{remote}"


def test_all_playbooks_know_the_same_ways_to_an_admin_api() -> None:
    ways = set()
    for name in ("quickstart", "drift", "first_upstream_target"):
        text = (PLAYBOOKS / f"{name}.yml").read_text()
        (defaults,) = [
            play["module_defaults"]["group/irishtek.kong.kong"]
            for play in yaml.safe_load(text) if "module_defaults" in play
        ]
        ways.add(frozenset(defaults.items()))
        head = text.partition("- name:")[0]
        assert [way for way in defaults if not re.search(rf"\bkong_{way}\b", head)] == []
    assert len(ways) == 1


class Konnect:
    """A control plane's pinned certificates, as Konnect's API tells and changes them."""

    def __init__(self, url: str) -> None:
        self.environment = {
            "KONNECT_API_URL": url, "KONNECT_CONTROL_PLANE_ID": "abc", "KONNECT_TOKEN": "spat_real",
        }
        self.pinned: dict[str, dict[str, Any]] = {}
        self.writes: list[str] = []
        self.full = False

    def answer(self, method: str, ending: str, body: dict[str, Any]) -> tuple[int, object]:
        """Status and document of one request."""
        if method == "GET":
            return 200, {"items": list(self.pinned.values()), "page": {"total_count": 0}}
        self.writes.append(method)
        if method == "DELETE":
            return (204, None) if self.pinned.pop(ending, None) else (404, {"code": 5})
        if self.full:
            return 400, {"message": "no more than 32 certificates"}
        number = f"id-{len(self.writes)}"
        # It need not come back with the very same line breaks.
        self.pinned[number] = {"id": number, **body, "cert": body["cert"].rstrip()}
        return 201, {"item": self.pinned[number]}


@pytest.fixture
def konnect() -> Iterator[Konnect]:
    """Konnect with a control plane that knows no certificate."""

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            path, token = "/v2/control-planes/abc/dp-client-certificates", "Bearer spat_real"
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"{}")
            status, document = 401, {"message": "Unauthorized"}
            if self.headers["Authorization"] == token and self.path.startswith(path):
                ending = self.path.removeprefix(path).strip("/")
                status, document = known.answer(self.command, ending, body)
            text = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = _any

        def log_message(self, format: str, *args: Any) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        known = Konnect(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield known
        server.shutdown()


HOOK = COLLECTION / "playbooks/tasks/konnect_certificate.yml"
FIRST, SECOND = (
    f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n" for text in ("aa", "bb")
)


def _hook(player: Player, konnect: Konnect, *steps: tuple[str, str], **environment: str) -> Run:
    """Include the hook once for each state and certificate, as the role does."""
    tasks = [
        {
            "ansible.builtin.include_tasks": {"file": str(HOOK)},
            "vars": {"data_plane_hook_state": state, "data_plane_hook_certificate": certificate},
        }
        for state, certificate in steps
    ]
    play = [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
    return player(
        json.dumps(play, indent=1), inventory={"all": {"hosts": {"gw": LOCAL}}},
        environment={**konnect.environment, **environment},
    )


def test_the_hook_pins_a_certificate_once_and_has_it_forgotten(
    tmp_path: Path, konnect: Konnect
) -> None:
    run = _hook(
        Player(tmp_path, {}), konnect, ("present", FIRST), ("present", FIRST + "\n"),
        ("present", SECOND), ("absent", FIRST), ("absent", FIRST),
    ).ok()
    assert konnect.writes == ["POST", "POST", "DELETE"]
    assert run.total("changed") == 3
    assert [item["cert"] for item in konnect.pinned.values()] == [SECOND.strip()]


def test_the_role_includes_the_hook_from_the_first_run_to_absent(
    tmp_path: Path, konnect: Konnect
) -> None:
    host = Host(Player(tmp_path, {}), tmp_path, "files")
    host.environment.update(konnect.environment)
    host.variables = {
        "topology": "konnect", "control_plane_url": "https://example.us.cp0.konghq.com",
        "telemetry_url": "https://example.us.tp0.konghq.com", "certificate_hook": str(HOOK),
    }
    host.run(check=True).ok()
    assert konnect.writes == []
    host.run().ok()
    (pinned,) = konnect.pinned.values()
    assert pinned["cert"] == host.certificate().read_text().strip()
    host.run(state="absent").ok()
    assert konnect.writes == ["POST", "DELETE"]


def test_the_hook_says_why_konnect_refuses_and_never_shows_the_token(
    tmp_path: Path, konnect: Konnect
) -> None:
    player = Player(tmp_path, {"ANSIBLE_VERBOSITY": "4"})
    konnect.full = True
    refused = _hook(player, konnect, ("present", FIRST))
    assert "no more than 32" in str(refused.result("Say what Konnect refuses"))
    unknown = _hook(player, konnect, ("present", FIRST), KONNECT_TOKEN="spat_wrong")
    assert "401" in unknown.result("Say that Konnect does not tell")["msg"]
    for run in (refused, unknown):
        assert run.rc != 0
        assert "spat_" not in run.stdout
