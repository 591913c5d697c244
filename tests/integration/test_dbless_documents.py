# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filter `to_dbless` makes is taken by a gateway without a database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from ansible_collections.irishtek.kong.plugins.filter.to_dbless import to_dbless
from harness.gateway import Gateway, sandbox
from harness.paths import ROOT

TAGS = ["orders"]
# The public key of RFC 8037, appendix A.2.
JWK = (
    '{"kid": "1", "kty": "OKP", "crv": "Ed25519", '
    '"x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'
)
DOCUMENT: dict[str, Any] = {
    "_format_version": "3.0",
    "_info": {"select_tags": TAGS, "defaults": {"target": {"weight": 7}}},
    "_plugin_configs": {"limit": {"minute": 5, "policy": "local"}},
    "services": [
        {
            "name": "orders",
            "url": "http://orders.pool/v1",
            "plugins": [{"name": "rate-limiting", "_config": "limit", "config": {"minute": 6}}],
        }
    ],
    "routes": [{"name": "orders", "paths": ["/orders"], "service": {"name": "orders"}}],
    "upstreams": [{"name": "orders.pool", "targets": [{"target": "10.0.0.1"}]}],
    "consumers": [
        {
            "username": "shop",
            "keyauth_credentials": [{"key": "made-up-key"}],
            "acls": [{"group": "shops"}],
        }
    ],
    "key_sets": [{"name": "set"}],
    "keys": [{"name": "one", "kid": "1", "set": {"name": "set"}, "jwk": JWK}],
}


@pytest.fixture
def without_database(_dbless: Gateway) -> Gateway:
    _dbless.reset()
    return _dbless


def _load(gateway: Gateway, document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Give the gateway its configuration; the entities that it then has, by kind."""
    answer = httpx.post(f"{gateway.admin_url}/config", json=document, trust_env=False)
    assert answer.status_code == 201, answer.text
    return {kind: list(entities.values()) for kind, entities in answer.json().items()}


def test_all_that_decks_format_adds_is_worked_in(without_database: Gateway) -> None:
    found = _load(without_database, to_dbless(DOCUMENT))
    assert {kind: len(entities) for kind, entities in found.items()} == {
        "services": 1, "routes": 1, "plugins": 1, "upstreams": 1, "targets": 1, "consumers": 1,
        "keyauth_credentials": 1, "acls": 1, "key_sets": 1, "keys": 1,
    }  # fmt: skip
    assert all(entity["tags"] == TAGS for entities in found.values() for entity in entities)
    assert found["targets"][0]["weight"] == 7
    assert found["plugins"][0]["config"]["minute"] == 6
    assert found["plugins"][0]["config"]["policy"] == "local"
    assert found["routes"][0]["service"] == {"id": found["services"][0]["id"]}
    assert found["keys"][0]["set"] == {"id": found["key_sets"][0]["id"]}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests/fixtures/state").glob("*.yaml")), ids=lambda path: path.stem
)
def test_state_files_are_taken_as_they_are_written(path: Path, without_database: Gateway) -> None:
    found = _load(without_database, to_dbless(path.read_text(encoding="utf-8")))
    written = yaml.safe_load(path.read_text(encoding="utf-8"))["upstreams"][0]["targets"]
    assert sorted(target["target"] for target in found["targets"]) == sorted(
        target["target"] for target in written
    )


def test_members_of_groups_reach_a_gateway_that_has_groups() -> None:
    consumers = [{"username": "shop", "groups": [{"name": "gold"}]}]
    written = {
        "_format_version": "3.0",
        "consumers": consumers,
        "consumer_groups": [{"name": "gold"}],
    }
    with sandbox("--mode", "dbless", "--edition", "enterprise") as gateway:
        found = _load(gateway, to_dbless(written))
    (member,) = found["consumer_group_consumers"]
    assert member["consumer"] == {"id": found["consumers"][0]["id"]}
    assert member["consumer_group"] == {"id": found["consumer_groups"][0]["id"]}


def test_the_gateway_refuses_decks_own_keys_so_they_are_left_out(without_database: Gateway) -> None:
    answer = httpx.post(f"{without_database.admin_url}/config", json=DOCUMENT, trust_env=False)
    assert answer.status_code == 400
    assert {"_info", "_plugin_configs"} <= set(answer.json()["fields"])
