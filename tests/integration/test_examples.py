# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples in the documentation of modules run as they stand there, in check mode, too.

They run one after the other on a gateway of the enterprise edition; a real gateway that is not
runs those that it can.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from harness.certificates import self_signed
from harness.echo import Echo, echo_server
from harness.engine import Engine
from harness.examples import Example, of
from harness.front import tls_front
from harness.gateway import Gateway
from harness.playbook import LOCAL, Player

# Modules whose examples a gateway serves.
MODULES = (
    *("kong_ca_certificate", "kong_certificate", "kong_consumer", "kong_consumer_group"),
    *("kong_credential", "kong_dump", "kong_info", "kong_key", "kong_key_set"),
    *("kong_lock", "kong_partial", "kong_ping", "kong_plan", "kong_plugin", "kong_probe"),
    *("kong_route", "kong_service", "kong_sni", "kong_state", "kong_target", "kong_target_health"),
    *("kong_upstream", "kong_vault", "kong_workspace"),
)
EXAMPLES = [each for module in MODULES for each in of(module)]
# The mark in the names of examples that need that edition, and modules that need it anyway.
ENTERPRISE = "(Kong Gateway Enterprise)"
ENTERPRISE_MODULES = ("kong_consumer_group", "kong_partial", "kong_workspace")
# Those whose examples need Kong 3.6: before, a key in PEM format is a pair.
PAIR_MODULES = ("kong_key",)
# Those whose examples only a real gateway of that edition serves.
REAL_MODULES = ("kong_entity",)
# A name that resolves here, and the address that it stands for; a gateway that is its only node;
# a file that others of the examples read; a latency that a busy machine keeps.
RESOLVED = {
    "max_latency: 0.3": "max_latency: 30",
    "dest: kong.yaml": "dest: dumped.yaml",
    "target: echo.internal:8080": "target: localhost:8080",
    "address: 10.0.0.11:8080": "address: 127.0.0.1:8080",
    "http://{ip}:8007": "http://127.0.0.1:8001",
}
INVENTORY = {
    "gateways": {"hosts": {"here": LOCAL}},
    "echo_servers": {"hosts": {f"echo-{at}": {"ansible_host": f"10.0.0.1{at}"} for at in (1, 2)}},
}
# Between two examples: the second one has no reason to wait for the first one.
BETWEEN = {"kong_lock": {"irishtek.kong.kong_lock": {
    "state": "absent", "force": True, "stale_after": 0,
}}}  # fmt: skip
SECRETS = ("alice_key", "alice_old_key", "alice_password", "vault_token")
HEAD = '_format_version: "3.0"\n'
FILES = {
    "kong.yaml": f"{HEAD}_info: {{select_tags: [team-orders]}}\nupstreams: [{{name: orders}}]\n",
    "upstreams/shared.yaml": f"{HEAD}upstreams: [{{name: shared}}]\n",
    "plans/README": "Plans are written here.\n",
}
ID = "00000000-0000-4000-8000-00000000000f"
ADDRESSES = ("10.0.0.11:8080", "10.0.0.12:8080", "localhost:8080")


@dataclass(frozen=True)
class Place:
    """A gateway with what the examples take for granted, and a player beside their files."""

    gateway: Gateway
    playbook: Player
    variables: dict[str, str]
    replaced: dict[str, str]
    document: dict[str, Any]
    # The gateway has all that the enterprise edition has, which a sandbox has not.
    full: bool

    def modules(self) -> list[str]:
        """Those whose examples this gateway serves."""
        if self.gateway.is_sandbox:
            return list(MODULES)
        more = REAL_MODULES if self.full else ()
        left = () if self.full else ENTERPRISE_MODULES
        if self.gateway.release < (3, 6):
            left = (*left, *PAIR_MODULES)
        return [*(each for each in MODULES if each not in left), *more]

    def plays(self) -> list[dict[str, Any]]:
        """A play for each module; before each of them the gateway is filled again."""
        found = []
        fill = {"irishtek.kong.kong_state": {**self.gateway.connection, "content": self.document}}
        for module in self.modules():
            tasks: list[dict[str, Any]] = [{"name": "Fill the gateway", **fill}]
            for example in of(module):
                tasks += [*self._tasks(example), *self._between(module)]
            play = {"name": module, "hosts": "gateways", "gather_facts": False}
            found.append({**play, "tasks": tasks})
        return found

    def _tasks(self, example: Example) -> list[dict[str, Any]]:
        tasks: list[dict[str, Any]] = example.on(self.replaced).loaded()
        for task in tasks:
            if "block" in task and not self.full:
                task["block"] = [each for each in task["block"] if ENTERPRISE not in each["name"]]
        return tasks

    def _between(self, module: str) -> list[dict[str, Any]]:
        task = BETWEEN.get(module)
        return [{"name": "Between two examples", **task, **self._defaults()}] if task else []

    def _defaults(self) -> dict[str, Any]:
        return {"module_defaults": {"group/irishtek.kong.kong": self.gateway.connection}}


def _jwk(key: rsa.RSAPublicKey) -> dict[str, str]:
    numbers = {"n": key.public_numbers().n, "e": key.public_numbers().e}
    return {"kty": "RSA", "kid": "2027"} | {
        name: base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))
        .rstrip(b"=")
        .decode()
        for name, number in numbers.items()
    }


def _variables(folder: Path, admin_url: str) -> dict[str, str]:
    """What the examples take from variables and files; the files are next to the playbook."""
    made = {name: self_signed(folder, name) for name in ("wildcard", "client", "internal")}
    for name in ("echo.example", "authority", "old-authority"):
        self_signed(folder, name)
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for name in ("issuer.pem", "issuer-2026.pem"):
        (folder / name).write_bytes(pem)
    (folder / "issuer-2027.json").write_text(json.dumps(_jwk(public)))
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return {
        "kong_admin_url": admin_url,
        "kong_admin_token": "",
        "internal_authority": Path(made["internal"].certificate).read_text(),
        **{f"{name}_cert": Path(made[name].certificate).read_text() for name in made},
        **{f"{name}_key": Path(made[name].key).read_text() for name in made},
        **{name: secrets.token_hex() for name in SECRETS},
    }


def _document(variables: dict[str, str], servers: list[Echo]) -> dict[str, Any]:
    """What the examples take for granted."""
    targets = {"echo": [{"target": address} for address in ADDRESSES], "web": [
        {"target": each.target, "weight": weight}
        for each, weight in zip(servers, (300, 100), strict=True)
    ]}  # fmt: skip
    health = {"passive": {"unhealthy": {"tcp_failures": 1}}}
    routes = {"web": "/api", "orders": "/orders", "echo": "/echo"}
    certificate = {"id": ID, "cert": variables["internal_cert"], "key": variables["internal_key"]}
    return {
        "_format_version": "3.0",
        "consumers": [{"username": name} for name in ("alice", "bob")],
        "upstreams": [{"name": name, "targets": found, "healthchecks": health}
                      for name, found in targets.items()],
        "services": [{"name": name, "host": "web" if name == "orders" else name}
                     for name in ("web", "orders", "echo", "reports", "graph")],
        "routes": [{"name": name, "paths": [path], "service": {"name": name}}
                   for name, path in routes.items()],
        "certificates": [{**certificate, "snis": [{"name": "www.shop.example"}]}],
    }  # fmt: skip


@pytest.fixture
def place(
    request: pytest.FixtureRequest, empty_gateway: Gateway, tmp_path: Path
) -> Iterator[Place]:
    """The gateway under test; in the place of a sandbox, one of the enterprise edition."""
    gateway = empty_gateway
    if gateway.is_sandbox:
        gateway = request.getfixturevalue("enterprise")
    full = not gateway.is_sandbox and "enterprise" in gateway.call("GET", "/")["version"]
    free = not (full or gateway.is_sandbox)
    variables = _variables(tmp_path, gateway.admin_url)
    pair = self_signed(tmp_path, "front")
    with (
        echo_server("web1", gateway.echo_host) as one,
        echo_server("web2", gateway.echo_host) as two,
        tls_front(gateway.proxy_url, pair) as https,
    ):
        replaced = {
            **RESOLVED,
            "http://127.0.0.1:8001": gateway.admin_url,
            "http://127.0.0.1:8000": gateway.proxy_url,
            "https://127.0.0.1:8443": https,
        }
        document = _document(variables, [one, two])
        engine = Engine(gateway)
        engine.ok("kong_state", content=document)
        if not free:
            # Check mode predicts nothing in a workspace that an earlier task would create.
            engine.ok("kong_workspace", name="team-b")
        player = Player(tmp_path, gateway.environment)
        yield Place(gateway, player, variables, replaced, document, full)


def test_examples_run_as_they_stand(place: Place) -> None:
    text = json.dumps(place.plays()) + "\n"
    place.gateway.reset_requests()
    predicted = place.playbook(
        text, inventory=INVENTORY, extra_vars=place.variables, check=True
    ).ok()
    assert place.gateway.writes() == []
    done = place.playbook(text, inventory=INVENTORY, extra_vars=place.variables).ok()
    assert [task["name"] for task in predicted.tasks] == [task["name"] for task in done.tasks]
    shown = predicted.stdout + done.stdout + json.dumps([each["result"] for each in done.tasks])
    assert not [name for name in SECRETS if place.variables[name] in shown]
