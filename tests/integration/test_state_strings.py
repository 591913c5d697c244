# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strings that look like something else reach a gateway as they are written, and come back so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.plugin_utils._state_files import (
    parse_state,
    read_state,
)
from harness.engine import Engine
from harness.gateway import Gateway
from harness.playbook import LOCAL, Player
from harness.state import HEAD, Document, State, counts

TEXT = """_format_version: "3.0"
_plugin_configs:
  stop: {message: 0123, status_code: 0x1F7}
services:
  - name: 007
    host: a.test
    tags: [1.10, yes]
    plugins:
      - {name: request-termination, _config: stop}
      - name: request-transformer
        config: {replace: {uri: 1e3}}
routes:
  - {name: r, service: 007, headers: {x-version: [1.10, no]}, paths: [/x]}
consumers:
  - custom_id: 00123
    keyauth_credentials:
      - key: 0123
      - key: ${{ env "DECK_KEY" }}
plugins:
  - {name: request-size-limiting, consumer: {custom_id: 00123}, config: {allowed_payload_size: 8}}
"""
SECRETS = "pa #ss: *x\n'\"\\ 0123"


@pytest.fixture
def state(gateway: Gateway) -> State:
    """Brings the gateway to documents."""
    return State(Engine(gateway))


def _read(text: str, **environment: str) -> Document:
    found: Document = parse_state([("kong.yaml", text)], environment, str)
    return found


def test_a_gateway_holds_what_the_file_says(empty_gateway: Gateway, state: State) -> None:
    document = _read(TEXT, DECK_KEY="00042 #x")
    everything = {"purge_kinds": ["service", "route", "consumer", "plugin", "key_auth"]}
    assert counts(state.predicted_and_done(document, **everything)) == {"created": 8}
    (service,) = empty_gateway.entities("/services")
    assert (service["name"], sorted(service["tags"])) == ("007", ["1.10", "yes"])
    (route,) = empty_gateway.entities("/routes")
    assert route["headers"] == {"x-version": ["1.10", "no"]}
    assert route["service"] == {"id": service["id"]}
    (consumer,) = empty_gateway.entities("/consumers")
    assert consumer["custom_id"] == "00123"
    keys = {each["key"] for each in empty_gateway.entities("/key-auths")}
    assert keys == {"0123", "00042 #x"}
    plugins = {each["name"]: each for each in empty_gateway.entities("/plugins")}
    stop = plugins["request-termination"]["config"]
    assert (stop["message"], stop["status_code"]) == ("0123", 503)
    assert plugins["request-transformer"]["config"]["replace"]["uri"] == "1e3"
    assert plugins["request-size-limiting"]["consumer"] == {"id": consumer["id"]}


def test_a_module_process_gets_the_same(playbook: Player, empty_gateway: Gateway) -> None:
    (playbook.folder / "kong.yaml").write_text(TEXT, encoding="utf-8")
    task: dict[str, Any] = {
        "name": "load", "irishtek.kong.kong_state": {"src": "kong.yaml", "state": "applied"},
        "environment": {"DECK_KEY": "00042 #x"},
    }  # fmt: skip
    play = {"hosts": "all", "gather_facts": False, "tasks": [task]}
    inventory = {"all": {"hosts": {"gateway": dict(LOCAL)}}}
    run = playbook(json.dumps([play]) + "\n", inventory=inventory).ok()
    assert run.result("load")["changed"]
    (service,) = empty_gateway.entities("/services")
    assert (service["name"], sorted(service["tags"])) == ("007", ["1.10", "yes"])
    assert {each["key"] for each in empty_gateway.entities("/key-auths")} == {"0123", "00042 #x"}


@pytest.mark.usefixtures("empty_gateway")
@pytest.mark.parametrize("style", ["yaml", "json"])
@pytest.mark.parametrize("options", [{}, {"skip_defaults": True}])
def test_a_dump_with_variables_comes_back(
    state: State, tmp_path: Path, style: str, options: dict[str, Any], pems: dict[str, str]
) -> None:
    log = {"name": "http-log", "config": {
        "http_endpoint": "http://log.test/", "headers": {"Authorization": SECRETS}}}  # fmt: skip
    document: Document = {
        **HEAD,
        "services": [{"name": "orders", "host": "a.test", "plugins": [log], "routes": [
            {"name": "orders", "paths": ["/x"], "plugins": [log]}]}],
        "consumers": [
            {"custom_id": "nameless", "tags": ["1e5", "08", "y"], "jwt_secrets": [
                {"key": "k", "secret": "0123", "algorithm": "HS256"}],
             "hmacauth_credentials": [
                {"username": "x.y", "secret": SECRETS}, {"username": "x-y", "secret": "1e3"}]},
        ],
        "certificates": [{"id": "7c5f6d3e-32b1-4d0c-9c3e-0d5a4b8f1a11", "cert": pems["<cert 1>"],
                          "key": pems["<key 1>"], "snis": [{"name": "a.test"}]}],
        "upstreams": [{"name": "u.test"}],
        "routes": [{"name": "s", "protocols": ["tcp"], "sources": [{"ip": "192.0.2.1"}]}],
    }  # fmt: skip
    state(document, "applied")
    file = tmp_path / f"kong.{style}"
    dump = {"dest": str(file), "format": style, "secrets": "env", **options}
    shown = state.engine.ok("kong_dump", **dump)["document"]
    kept = state.engine.ok("kong_dump", secrets="keep", **options)["document"]
    assert shown["consumers"][0]["id"]
    assert shown["consumers"][0]["jwt_secrets"][0]["algorithm"] == "HS256"
    variables = dict(_variables(shown, kept))
    own = ["0123", "1e3", SECRETS, SECRETS, SECRETS, pems["<key 1>"]]
    assert sorted(variables.values()) == sorted([*own, *["http://log.test/"] * 2])
    again = read_state([str(file)], lambda path: Path(path).read_text("utf-8"), variables, str)
    state.unchanged(again, "applied")


def _variables(shown: Any, kept: Any) -> Any:
    if isinstance(shown, dict):
        for key in shown:
            yield from _variables(shown[key], kept[key])
    elif isinstance(shown, list):
        for one, other in zip(shown, kept, strict=True):
            yield from _variables(one, other)
    elif shown != kept:
        yield shown.removeprefix('${{ env "').removesuffix('" }}'), kept
