# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role gateway, mode konnect: one run pins each host's certificate and takes both endpoints.

Konnect is the sandbox's; the data planes are, too, unless GATEWAY_KONG names real ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.gateway_hosts import COMMANDS, PLAY, Host, Lab, lab_of
from harness.playbook import Run
from sandbox_tests.cluster_support import Authority, Node
from sandbox_tests.konnect_support import TOKEN, Konnect, konnect_with_cluster
from sandbox_tests.proxy_support import eventually
from sandbox_tests.test_konnect_nodes import routed

WAIT = 60.0
MOST_TASKS = 30


@dataclass(frozen=True)
class Place:
    """Konnect with its control plane, and two hosts whose data planes do not run yet."""

    client: Konnect
    control: Node
    lab: Lab
    hosts: list[Host]
    more: dict[str, Any]

    def run(self, check: bool = False, tasks: str = "main", **options: Any) -> Run:
        """Run the role, or a part of it, on all hosts at once."""
        found = {
            host.name: {**host.variables(**options), **self.more} for host in self.hosts
        }
        play = f"{PLAY}        tasks_from: {tasks}\n"
        return self.hosts[0].player(play, inventory={"all": {"hosts": found}}, check=check)

    def pinned(self) -> list[str]:
        """The certificates that the control plane knows."""
        path = f"{self.client.control_plane()}/dp-client-certificates"
        return sorted(row["cert"].strip() for row in self.client.call("GET", path)["items"])

    def certificates(self) -> list[str]:
        """Those of the hosts."""
        path = "certificates/tls.crt"
        return sorted((host.folder / path).read_text().strip() for host in self.hosts)

    def nodes(self) -> list[dict[str, Any]]:
        return list(self.client.call("GET", f"{self.client.control_plane()}/nodes")["items"])


@pytest.fixture(params=COMMANDS or [""])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    own = Authority(tmp_path).alone("kong_clustering")
    with konnect_with_cluster(tmp_path, own) as (client, control), lab_of(request.param) as lab:
        own.certificate.chmod(0o644)
        trusted = lab.root / "konnect.crt"
        trusted.write_bytes(own.certificate.read_bytes())
        for name in ("dp1", "dp2"):
            made = lab.host(name, mode="konnect", version="3.10.0.17")
            made.options["config"] = {
                "proxy_listen": f"127.0.0.1:{made.port('proxy')}",
                "lua_ssl_trusted_certificate": f"system,{trusted}",
            }
        more = {
            "konnect_token": TOKEN,
            "konnect_url": str(client.client.base_url).rstrip("/"),
            "kong_control_plane": "default",
        }
        yield Place(client, control, lab, lab.hosts, more)


def test_one_run_joins_all_hosts_with_pinned_certificates(place: Place) -> None:
    assert place.run(check=True).ok().total("changed") > 0
    assert place.pinned() == []
    run = place.run().ok()
    assert place.pinned() == place.certificates()
    assert len(place.pinned()) == 2
    assert "BEGIN CERTIFICATE" not in run.stdout
    assert TOKEN not in run.stdout
    for host in place.hosts:
        written = Path(host.conf()).read_text().splitlines()
        assert f"cluster_control_plane = {place.control.cluster}" in written
        assert f"cluster_telemetry_endpoint = {place.control.cluster}" in written
        host.start()
    routed(place.client, place.client.control_plane(), "127.0.0.1:9")
    again = place.run().ok()
    assert again.total("changed") == 0
    assert len(again.tasks) <= MOST_TASKS * len(place.hosts)
    plane = place.client.control_plane()
    for host in place.hosts:
        eventually(lambda host=host: host.message("/any") == "routed", WAIT)
    expected = place.client.call("GET", f"{plane}/expected-config-hash")["expected_hash"]
    eventually(lambda: {row["config_hash"] for row in place.nodes()} == {expected}, WAIT)


def test_a_renewed_certificate_is_pinned_and_absent_removes_the_pins(place: Place) -> None:
    place.run().ok()
    before = place.certificates()
    place.run(certificate_days=2000, certificate_renew_days=1999).ok()
    now = place.certificates()
    assert not set(before) & set(now)
    # The gateways that somebody else starts may run with the former ones still.
    assert place.pinned() == sorted([*before, *now])
    place.run(state="absent").ok()
    assert place.pinned() == before


def test_absent_unpins_a_pair_that_never_came_into_use(place: Place) -> None:
    place.run(tasks="prepare").ok()
    assert len(place.pinned()) == len(place.hosts)
    assert not list(place.lab.root.glob("dp*/certificates/tls.crt"))
    place.run(state="absent").ok()
    assert place.pinned() == []
    assert not place.hosts[0].folder.exists()


def test_without_a_token_all_keys_are_made_and_what_to_pin_is_printed(place: Place) -> None:
    for name in ("konnect_token", "konnect_url", "kong_control_plane"):
        del place.more[name]
    run = place.run(control_plane_url=f"https://{place.control.cluster}").ok()
    text = run.stdout.replace("\\n", "\n")
    assert "[WARNING]" in text
    for certificate in place.certificates():
        assert certificate in text
    assert place.run(control_plane_url=f"https://{place.control.cluster}").total("changed") == 0
    # What was printed is enough.
    plane = place.client.control_plane()
    for certificate in place.certificates():
        place.client.made(f"{plane}/dp-client-certificates", cert=certificate)
    routed(place.client, plane, "127.0.0.1:9")
    for host in place.hosts:
        host.start()
        eventually(lambda host=host: host.message("/any") == "routed", WAIT)


def test_a_control_plane_that_does_not_exist_is_a_sentence(place: Place) -> None:
    place.more["konnect_control_plane"] = "none"
    run = place.run()
    assert run.rc != 0
    assert "konnect_control_plane=none" in run.stdout
    assert not place.hosts[0].folder.exists()
