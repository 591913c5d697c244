# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the playbook rollout runs in tests: a document, an inventory, and what rollouts keep."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from harness.echo import Echo
from harness.gateway import Gateway
from harness.playbook import Player, Run

PLAYBOOK = "irishtek.kong.rollout"
SECRET = "opens-alice-2718281828"


def shop_document(echo: Echo, path: str = "/api", retries: int = 5, **more: Any) -> dict[str, Any]:
    """What is rolled out; only a request through the proxy sees that `path` is not as before."""
    return {
        "_format_version": "3.0",
        "_info": {"select_tags": ["shop"]},
        "upstreams": [{"name": "shop", "targets": [{"target": echo.target}]}],
        "services": [
            {
                "name": "shop", "host": "shop", "retries": retries,
                "routes": [{"name": "shop", "paths": [path]}],
            }
        ],
        "consumers": [{"username": "alice", "keyauth_credentials": [{"key": SECRET}]}],
        **more,
    }  # fmt: skip


class Site:
    """A folder with the document, the inventory and what rollouts keep."""

    def __init__(self, folder: Path, echo: Echo) -> None:
        self.folder, self.echo = folder, echo
        # In seconds; only a probe sees that the path is another one.
        self.propagation = 0
        self.play = Player(folder, {"ANSIBLE_FORKS": "10"})

    def inventory(self, gateways: Sequence[Gateway]) -> dict[str, Any]:
        """The gateways as hosts kong-1, kong-2, …"""
        hosts = {
            f"kong-{number}": {
                "kong_admin_url": gateway.admin_url, "kong_proxy_url": gateway.proxy_url
            }
            for number, gateway in enumerate(gateways, 1)
        }  # fmt: skip
        variables = {
            "rollout_src": [str(self.folder / "kong.yaml")],
            "rollout_directory": str(self.folder / "state"),
            "rollout_probes": [{"path": "/api", "wait_timeout": 3}],
            "rollout_propagation": self.propagation,
        }
        return {"kong_gateways": {"hosts": hosts, "vars": variables}}

    def write(self, **changes: Any) -> dict[str, Any]:
        """Write the document, with these parts changed."""
        self.propagation = int("path" in changes)
        document = shop_document(self.echo, **changes)
        (self.folder / "kong.yaml").write_text(yaml.safe_dump(document))
        return document

    def run(self, gateways: Sequence[Gateway], playbook: str = PLAYBOOK, **options: Any) -> Run:
        """Run the playbook on these gateways; options become extra variables, but for `check`."""
        given = {name: options.pop(name) for name in ("check", "answer") if name in options}
        inventory = self.inventory(gateways)
        return self.play(playbook, inventory=inventory, extra_vars=options, **given)

    @contextmanager
    def started(
        self, gateways: Sequence[Gateway], **options: Any
    ) -> Iterator[Callable[[], None]]:
        """Run the playbook beside the test; yield what kills it."""
        (self.folder / "site.yml").write_text(f"- ansible.builtin.import_playbook: {PLAYBOOK}\n")
        (self.folder / "ansible.cfg").write_text("[defaults]\ninventory = inventory.yml\n")
        inventory = self.inventory(gateways)
        inventory["kong_gateways"]["vars"].update(options)
        (self.folder / "inventory.yml").write_text(json.dumps(inventory))
        with self.play.started(str(self.folder / "site.yml")) as kill:
            yield kill

    def kept(self, host: str) -> set[str]:
        """The files that are kept of a gateway, without the time in their names."""
        folder = self.folder / "state" / host
        names = os.listdir(folder) if folder.exists() else []
        return {name.partition("-")[0].partition(".")[0] for name in names}
