# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two data planes of one control plane: both follow, one leaves, and certificates are renewed.

They are the sandbox's; with KONG_BIN (several commands: colons between) real ones, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness.engine import Engine
from harness.gateway import Gateway
from sandbox_tests.cluster_support import Authority, Pair, data_plane
from sandbox_tests.konnect_support import konnect_with_cluster
from sandbox_tests.proxy_support import eventually
from sandbox_tests.real_support import PATIENCE, konnect_settings, real_data_plane

NAME = "cp.konnect.test"
CERTIFICATE = "konnect_data_plane_certificate"
COMMANDS = [each for each in os.environ.get("KONG_BIN", "").split(":") if each]


@dataclass(frozen=True)
class Cluster:
    """Konnect, and where data planes join it; they trust `own`."""

    engine: Engine
    authority: Authority
    own: Pair
    address: str

    def pinned(self, name: str) -> Pair:
        """A new certificate that the control plane takes."""
        pair = self.authority.alone(name)
        self.engine.ok(CERTIFICATE, content=pair.certificate.read_text())
        return pair

    def data_plane(self, command: str, pair: Pair, name: str) -> AbstractContextManager[Any]:
        """A data plane that joins with a certificate."""
        folder = self.authority.folder / name
        folder.mkdir()
        if command != "sandbox":
            settings = konnect_settings(NAME, self.own.certificate)
            return real_data_plane(command, folder, pair, self.address, **settings)
        trust = ["--cluster-mtls", "pki", "--cluster-server-name", NAME, "--cluster-trusted",
                 str(self.own.certificate)]  # fmt: skip
        return data_plane(folder / "log", pair, self.address, *trust)

    def up_to_date(self, count: int) -> dict[str, Any]:
        """Wait until so many data planes run the expected configuration."""
        wait = {"wait": True, "nodes": count, "wait_timeout": PATIENCE}
        return self.engine.ok("konnect_node_info", **wait)

    def connected(self, count: int) -> None:
        """Wait until Konnect sees so many: of one that leaves it hears a little later."""
        found = self.engine.ok
        eventually(lambda: found("konnect_node_info")["connected"] == count, PATIENCE)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    authority = Authority(tmp_path)
    own = authority.alone(NAME)
    with konnect_with_cluster(tmp_path, own) as (_client, control):
        konnect: Gateway = replace(control.gateway, token="kpat_sandbox", control_plane="default")
        yield Cluster(Engine(konnect), authority, own, control.cluster)


@pytest.mark.parametrize("commands", [["sandbox"], COMMANDS], ids=["sandbox", "real"])
def test_two_data_planes_follow_one_leaves_and_certificates_are_renewed(
    cluster: Cluster, commands: list[str]
) -> None:
    if not commands:
        pytest.skip("KONG_BIN does not name the command of a gateway")
    engine, old = cluster.engine, cluster.pinned("old")
    with ExitStack() as all_of_them, ExitStack() as second:
        all_of_them.enter_context(cluster.data_plane(commands[0], old, "one"))
        second.enter_context(cluster.data_plane(commands[-1], old, "two"))
        assert cluster.up_to_date(2)["connected"] == 2
        engine.ok("kong_upstream", name="web", targets=[{"target": "127.0.0.1:9"}])
        followed = cluster.up_to_date(2)
        assert {each["config_hash"] for each in followed["nodes"]} == {followed["expected_hash"]}
        second.close()
        cluster.connected(1)
        few = {"wait": True, "nodes": 2, "wait_timeout": 1}
        refused = engine.refused("konnect_node_info", **few)
        assert "1 of 2 nodes run the expected configuration after 1 s" in refused["msg"]
        assert "1 are connected" in refused["msg"]
        engine.ok("kong_target", upstream="web", target="127.0.0.1:10")
        assert cluster.up_to_date(1)["connected"] == 1
        # The new one is added first, then data planes take it, and then the old one goes.
        new = cluster.pinned("new")
        text = new.certificate.read_text()
        refused = engine.refused(CERTIFICATE, content=text, purge=True)
        assert "connected data plane" in refused["msg"]
        second.enter_context(cluster.data_plane(commands[-1], new, "renewed"))
        assert cluster.up_to_date(2)["connected"] == 2
        all_of_them.close()
        cluster.connected(1)
        purged = engine.ok(CERTIFICATE, content=text, purge=True)
        assert [each["operation"] for each in purged["changes"]] == ["delete"]
        assert cluster.up_to_date(1)["connected"] == 1
