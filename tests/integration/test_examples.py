# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples in the documentation of modules run as they stand there, in check mode, too."""

from __future__ import annotations

import base64
import importlib
import json
import secrets
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from harness.certificates import self_signed
from harness.engine import Engine
from harness.gateway import Gateway
from harness.playbook import LOCAL, Player

PACKAGE = "ansible_collections.irishtek.kong.plugins.modules"
# Modules whose examples a gateway of the community edition serves.
MODULES = (
    *("kong_plugin", "kong_consumer", "kong_credential", "kong_certificate", "kong_sni"),
    *("kong_ca_certificate", "kong_vault", "kong_key", "kong_key_set", "kong_target_health"),
)
# The mark in the names of examples that need more than that.
ENTERPRISE = "(Kong Gateway Enterprise)"
# A name that resolves here, and the address that it stands for.
RESOLVED = {
    "target: echo.internal:8080": "target: localhost:8080",
    "address: 10.0.0.11:8080": "address: 127.0.0.1:8080",
}
INVENTORY = {"gateways": {"hosts": {"here": LOCAL}}}


def _examples(module: str, admin_url: str) -> list[dict[str, Any]]:
    """The tasks of a module's examples, on this gateway."""
    documented = importlib.import_module(f"{PACKAGE}.{module}")
    text = documented.EXAMPLES.replace("http://127.0.0.1:8001", admin_url)
    for written, meant in RESOLVED.items():
        text = text.replace(written, meant)
    tasks: list[dict[str, Any]] = yaml.safe_load(text)
    for task in tasks:
        if "block" in task:
            task["block"] = [each for each in task["block"] if ENTERPRISE not in each["name"]]
    return tasks


def _jwk(key: rsa.RSAPublicKey) -> dict[str, str]:
    numbers = {"n": key.public_numbers().n, "e": key.public_numbers().e}
    return {"kty": "RSA", "kid": "2027"} | {
        name: base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))
        .rstrip(b"=")
        .decode()
        for name, number in numbers.items()
    }


def _variables(folder: Path, admin_url: str) -> dict[str, str]:
    """What the examples take from variables and files; the files lie beside the playbook."""
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
    return {
        "kong_admin_url": admin_url,
        "kong_admin_token": "",
        "internal_authority": Path(made["internal"].certificate).read_text(),
        **{f"{name}_cert": Path(made[name].certificate).read_text() for name in made},
        **{f"{name}_key": Path(made[name].key).read_text() for name in made},
        **{name: secrets.token_hex() for name in ("alice_key", "alice_old_key", "alice_password")},
    }


def _fill(engine: Engine, variables: dict[str, str]) -> None:
    """What the examples take for granted."""
    for name in ("alice", "bob"):
        engine.ok("kong_consumer", username=name)
    engine.ok("kong_service", name="echo", url="http://127.0.0.1:1")
    engine.ok("kong_route", name="echo", service="echo", paths=["/echo"])
    addresses = ("10.0.0.11:8080", "10.0.0.12:8080", "localhost:8080")
    engine.ok(
        "kong_upstream",
        name="echo",
        healthchecks={"passive": {"unhealthy": {"tcp_failures": 1}}},
        targets=[{"target": address} for address in addresses],
    )
    engine.ok(
        "kong_certificate",
        cert=variables["internal_cert"],
        key=variables["internal_key"],
        snis=["www.shop.example"],
    )


@pytest.mark.parametrize("module", MODULES)
def test_examples_run_as_they_stand(
    empty_gateway: Gateway, engine: Engine, playbook: Player, tmp_path: Path, module: str
) -> None:
    variables = _variables(tmp_path, empty_gateway.admin_url)
    _fill(engine, variables)
    tasks = _examples(module, empty_gateway.admin_url)
    text = json.dumps([{"hosts": "gateways", "gather_facts": False, "tasks": tasks}]) + "\n"
    empty_gateway.reset_requests()
    predicted = playbook(text, inventory=INVENTORY, extra_vars=variables, check=True).ok()
    assert empty_gateway.writes() == []
    done = playbook(text, inventory=INVENTORY, extra_vars=variables).ok()
    assert done.changed()
    assert [task["name"] for task in predicted.tasks] == [task["name"] for task in done.tasks]
    shown = predicted.stdout + done.stdout + json.dumps([each["result"] for each in done.tasks])
    assert not [name for name in ("alice_key", "alice_password") if variables[name] in shown]
