# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples that need Konnect run on a sandbox of it, in check mode, too."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness.engine import Engine
from harness.examples import of
from harness.gateway import Gateway
from harness.paths import BINARIES
from harness.playbook import LOCAL, Player, environment_of
from harness.walkthrough import Walk, commands
from sandbox_tests.cluster_support import Authority, data_plane
from sandbox_tests.konnect_support import TOKEN, konnect_with_cluster

CONSOLE = of("guide_connection", "export KONNECT_TOKEN")
INVENTORIES = of("konnect")
# The last one deletes a control plane that others use.
PLAYS = [
    *of("guide_connection", "The orders API on a control plane of Konnect"),
    *of("guide_migration", "Create or update the upstream"),
    *of("guide_testing", "The same upstream on the sandbox's Konnect"),
    *of("konnect_control_plane_info"), *of("konnect_node_info"),
    *of("konnect_data_plane_certificate"), *of("konnect_control_plane"),
]  # fmt: skip
EXAMPLES = [*PLAYS, *CONSOLE, *INVENTORIES]
NAME = "cp.konnect.test"
LABELS = {"env": "prod", "team": "shop", "domain": "shop.example"}


@dataclass(frozen=True)
class Place:
    """Konnect with control planes, certificates in files, and two data planes."""

    gateway: Gateway
    replaced: dict[str, str]
    variables: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        return {"KONNECT_TOKEN": TOKEN, "KONNECT_URL": self.gateway.admin_url}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    authority = Authority(tmp_path)
    own = authority.alone(NAME)
    new, old, joined = (authority.alone(name) for name in ("new", "old", "joined"))
    (tmp_path / "cluster.crt").write_bytes(new.certificate.read_bytes())
    with konnect_with_cluster(tmp_path, own) as (_client, control), ExitStack() as stack:
        gateway = replace(control.gateway, token=TOKEN, control_plane="default")
        engine = Engine(gateway)
        for name in ("production", "team-a", "team-b", "team-of-two"):
            engine.ok("konnect_control_plane", name=name, labels=LABELS)
        pinned = {"team-a": old, "team-of-two": joined}
        for name, pair in pinned.items():
            text = pair.certificate.read_text()
            engine.ok("konnect_data_plane_certificate", control_plane=name, content=text)
        trust = ["--cluster-mtls", "pki", "--cluster-server-name", NAME,
                 "--cluster-trusted", str(own.certificate)]  # fmt: skip
        for name in ("one", "two"):
            log = tmp_path / f"{name}.log"
            stack.enter_context(data_plane(log, joined, control.cluster, *trust))
        replaced = {
            "http://127.0.0.1:8001": gateway.admin_url,
            "konnect_region: eu": f"konnect_url: {gateway.admin_url}",
            "konnect_region=eu": f"konnect_url={gateway.admin_url}",
            "kpat_…": TOKEN,
            "/etc/kong/": f"{tmp_path}/",
            "~/.cache/": f"{tmp_path}/cache-of-",
        }
        certificates = {"new_certificate": new, "old_certificate": old}
        texts = {name: pair.certificate.read_text() for name, pair in certificates.items()}
        yield Place(gateway, replaced, {"konnect_token": TOKEN, **texts})


def test_the_examples_run_as_they_stand(place: Place, tmp_path: Path) -> None:
    plays: list[dict[str, Any]] = []
    for each in PLAYS:
        more = {"team-a": "team-of-two"} if each.page == "konnect_node_info" else {}
        plays += each.on({**place.replaced, **more}).plays()
    player = Player(tmp_path, place.environment)
    text, inventory = json.dumps(plays) + "\n", {"all": {"hosts": {"localhost": LOCAL}}}
    place.gateway.reset_requests()
    predicted = player(text, inventory=inventory, extra_vars=place.variables, check=True).ok()
    assert place.gateway.writes() == []
    done = player(text, inventory=inventory, extra_vars=place.variables).ok()
    names = [[task["name"] for task in run.tasks] for run in (predicted, done)]
    assert names[0] == names[1]
    assert done.result("List the data planes")["nodes"]
    planes = Engine(place.gateway).ok("konnect_control_plane_info")["control_planes"]
    assert {"all-teams", "production"} <= {each["name"] for each in planes}
    assert "team-a" not in {each["name"] for each in planes}


def test_the_commands_and_the_inventories_run_as_they_stand(place: Place, tmp_path: Path) -> None:
    walk = Walk(tmp_path, place.replaced)
    for example in CONSOLE:
        for step in commands(example.text):
            walk.take(step)
    found = []
    for number, example in enumerate(INVENTORIES):
        path = tmp_path / f"{number}.konnect.yml"
        path.write_text(example.on(place.replaced).text)
        found.append(_listed(path, place))
    everything, some = found
    assert "production" in everything["kong_gateways"]["hosts"]
    assert "default" not in some["team_shop"]["hosts"]
    variables = some["_meta"]["hostvars"]["production"]["kong_proxy_url"]
    assert "https://shop.example" in json.dumps(variables)


def _listed(path: Path, place: Place) -> Any:
    done = subprocess.run(
        [BINARIES / "ansible-inventory", "-i", path, "--list"],
        capture_output=True, text=True, check=False,
        env={**environment_of(path.parent), **place.environment,
             "ANSIBLE_INVENTORY_ENABLED": "auto"},
    )  # fmt: skip
    assert done.returncode == 0 and "Failed to parse" not in done.stderr, done.stderr
    return json.loads(done.stdout)
