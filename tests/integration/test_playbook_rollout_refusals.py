# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollout refuses before it changes a gateway of the batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.gateway import Gateway, sandbox
from harness.playbook import Player, Run

FAILS = "Fail if the gateway failed or was put back"


def _run(folder: Path, *gateways: Gateway, playbook: str = "rollout", **options: Any) -> Run:
    (folder / "kong.yaml").write_text('{_format_version: "3.0", upstreams: [{name: web}]}')
    hosts = {f"kong-{n}": {"kong_admin_url": each.admin_url} for n, each in enumerate(gateways, 1)}
    variables = {
        "rollout_src": [str(folder / "kong.yaml")], "rollout_state": "applied",
        "rollout_directory": str(folder / "state"), "rollout_serial": 2, **options,
    }
    inventory = {"kong_gateways": {"hosts": hosts}}
    play = Player(folder, {})
    return play(f"irishtek.kong.{playbook}", inventory=inventory, extra_vars=variables)


def test_a_probe_is_checked_before_the_first_write(empty_gateway: Gateway, tmp_path: Path) -> None:
    mistyped = _run(tmp_path, empty_gateway, rollout_probes=[{"path": "/", "status": [204]}])
    assert mistyped.rc != 0
    assert "rollout_probes.status. Supported parameters include" in mistyped.stdout
    nowhere = _run(tmp_path, empty_gateway, rollout_probes=[{"path": "/"}])
    message = nowhere.result(FAILS, "kong-1")["msg"]
    assert message == "a probe without url needs rollout_proxy_url or kong_proxy_url"
    assert empty_gateway.entities("/upstreams") == []


def test_a_probe_is_checked_before_a_restore(empty_gateway: Gateway, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot.yaml"
    snapshot.write_text('{_format_version: "3.0", upstreams: [{name: web}]}')
    run = _run(
        tmp_path, empty_gateway, playbook="restore", rollout_snapshot=str(snapshot),
        rollout_probes=[{"path": "/"}],
    )
    assert "a probe without url needs rollout_proxy_url or kong_proxy_url" in run.stdout
    assert empty_gateway.entities("/upstreams") == []


def test_a_gateway_that_does_not_run_leaves_its_batch_unchanged(
    empty_gateway: Gateway, tmp_path: Path
) -> None:
    with sandbox() as stopped:
        pass
    run = _run(tmp_path, empty_gateway, stopped)
    assert "no response" in run.result(FAILS, "kong-2")["msg"]
    assert "another gateway of its batch failed" in run.result(FAILS, "kong-1")["msg"]
    assert empty_gateway.entities("/upstreams") == []
