# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each part of decK's format is managed, or refused with the file, the line and a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.plugin_utils._state_files import parse_state
from harness.engine import Engine
from harness.gateway import Gateway
from harness.playbook import LOCAL, Player, Run
from harness.state import State, counts, told

HEAD = '_format_version: "3.0"\n'


@pytest.fixture
def state(empty_gateway: Gateway, engine: Engine) -> State:
    """Brings the gateway to documents."""
    return State(engine)


def _read(text: str) -> Any:
    return parse_state([("kong.yaml", HEAD + text)], {}, str)


REFUSED = [
    (
        "_transform: false\nbasicauth_credentials: [{consumer: c, username: u, password: p}]\n",
        "kong.yaml:2: _transform false is not supported for passwords",
    ),
    ("upstreams: []\n_konnect: {control_plane_name: x}\n", "kong.yaml:3: "),
    ("upstreams: []\n_workspace: team\n", "kong.yaml:3: the document is for the workspace team"),
    ("upstreams: []\nx-own: 1\n", "kong.yaml:3: x-own is not a section of a state file"),
    ("upstreams:\n", "kong.yaml:2: upstreams is not a list"),
    ("upstreams: [a]\n", "kong.yaml:2: entry 1 of upstreams is not a mapping"),
    ("_info:\n  select_tag: [t]\n", "kong.yaml:3: _info has no key select_tag"),
    ("_info:\n  select_tags: t\n", "kong.yaml:3: _info.select_tags is not a list of strings"),
    (
        "_info:\n  default_lookup_tags:\n    consumer: [t]\n",
        "kong.yaml:4: _info.default_lookup_tags has no key consumer",
    ),
    (
        "_info:\n  skip_hash_for_basic_auth: true\n",
        "kong.yaml:3: skip_hash_for_basic_auth is not supported",
    ),
    (
        "_info:\n  consumer_group_policy_overrides: true\n",
        "kong.yaml:3: consumer_group_policy_overrides are not managed",
    ),
    ("_info:\n  defaults:\n    services: {}\n", "kong.yaml:4: _info.defaults has no key services"),
    (
        "_info:\n  defaults:\n    service:\n      retriess: 1\n",
        "kong.yaml:5: _info.defaults.service has no key retriess",
    ),
    (
        "_info:\n  defaults:\n    target: {target: a}\n",
        "kong.yaml:4: _info.defaults.target has no key target",
    ),
    *(
        (f"upstreams: []\n{name}: []\n", f"kong.yaml:3: {name} are not managed")
        for name in (
            "filter_chains", "rbac_roles", "licenses", "custom_entities", "ai_models",
            "cloned_plugins", "custom_plugins", "service_packages",
        )
    ),
    (
        "services:\n  - name: s\n    filter_chains: []\n",
        "kong.yaml:3: service s: filter_chains are not managed",
    ),
    ("plugins:\n  - {name: cors, model: m}\n", "kong.yaml:3: plugin cors: it has no field model"),
    (
        "services:\n  - name: s\n    routes:\n      - {name: r, service: t}\n",
        "kong.yaml:5: route r: service is not the service",
    ),
    (
        "routes:\n  - {name: r, paths: [/x], service: gone}\n",
        "kong.yaml:3: route r: service gone is neither in the document nor at ",
    ),
    (
        "routes:\n  - {name: r, paths: [/x], service: [5]}\n",
        "kong.yaml:3: route r: service is neither a name or id, nor a mapping with one",
    ),
    (
        "plugins:\n  - {name: rate-limiting, _config: gone}\n",
        "kong.yaml:3: plugin rate-limiting: _plugin_configs has no gone",
    ),
    (
        "_plugin_configs:\n  limits: 5\nplugins:\n  - {name: rate-limiting, _config: limits}\n",
        "kong.yaml:5: plugin rate-limiting: kong.yaml:3: limits is not a mapping",
    ),
    ("services:\n  - {name: s, port: x}\n", "kong.yaml:3: service s: port: "),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), REFUSED)
def test_what_is_not_managed_is_refused_with_its_line(
    state: State, text: str, sentence: str
) -> None:
    for how in ("applied", "synced"):
        refused = state.refused(_read(text), how, purge_kinds=["service"], allow_empty=True)
        assert refused["msg"].startswith(sentence), (how, refused["msg"])
    assert state.gateway.writes() == []


def test_defaults_of_the_document_stand_below_what_is_written(state: State) -> None:
    document = _read("""
_transform: true
_info:
  select_tags: [t]
  default_lookup_tags: {consumers: [shared], partials: [shared]}
  skip_hash_for_basic_auth: false
  defaults:
    service: {retries: 1, read_timeout: 7}
    route: {preserve_host: true}
    upstream: {slots: 77}
    target: {weight: 3}
services:
  - {name: s, url: "https://a.test/x", port: 99, retries: 2, routes: [{name: r, paths: [/x]}]}
upstreams: [{name: u.test, targets: [{target: "10.0.0.1:80"}]}]
""")
    state.predicted_and_done(document)
    (service,), (route,) = (state.gateway.entities(path) for path in ("/services", "/routes"))
    assert (service["retries"], service["read_timeout"]) == (2, 7)
    # What is written beside a URL outweighs it.
    assert [service[name] for name in ("protocol", "host", "port", "path")] == [
        "https", "a.test", 99, "/x",
    ]  # fmt: skip
    assert route["preserve_host"] is True
    assert state.gateway.entities("/upstreams")[0]["slots"] == 77
    assert state.gateway.entities("/upstreams/u.test/targets")[0]["weight"] == 3


def test_foreign_keys_in_each_spelling(state: State) -> None:
    written = """
services: [{name: s, host: a.test}]
consumers: [{username: alice}]
routes:
  - {name: bare, paths: [/x], service: SERVICE}
  - {name: named, paths: [/x], service: {name: s}}
plugins:
  - {name: cors, route: {name: bare}}
  - {name: cors, service: s}
  - {name: request-termination, consumer: alice, service: {name: s}}
"""
    state.predicted_and_done(_read(written.replace("SERVICE", "s")), "applied")
    (service,) = state.gateway.entities("/services")
    assert {each["service"]["id"] for each in state.gateway.entities("/routes")} == {service["id"]}
    for spelling in (service["id"], f"{{id: {service['id']}}}"):
        state.unchanged(_read(written.replace("SERVICE", spelling)), "applied")


def _play(player: Player, way: str, *tasks: dict[str, Any]) -> Run:
    play = {"hosts": "all", "gather_facts": False, "tasks": tasks}
    host = {**LOCAL, "kong_ansible_in_process": way == "here"}
    inventory = {"all": {"hosts": {"gateway": host}}}
    return player(json.dumps([play]) + "\n", inventory=inventory).ok()


def _task(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "irishtek.kong.kong_state": options, "ignore_errors": True}


@pytest.fixture(params=["here", "as a module"])
def way(request: pytest.FixtureRequest) -> str:
    """Which way a task takes."""
    return str(request.param)


def test_errors_name_file_and_line_in_both_ways(
    playbook: Player, state: State, way: str
) -> None:
    upstream = "upstreams:\n  - name: u.test\n    targets:\n      - {target: 10.0.0.1}\n"
    service = "services:\n  - {name: s, host: a.test, path: noslash}\n"
    for name, text in (("a", upstream + "      - {target: 10.0.0.1, wieght: 1}\n"), ("b", service)):
        (playbook.folder / f"{name}.yaml").write_text(HEAD + text, encoding="utf-8")
    run = _play(
        playbook, way,
        _task("document", src="a.yaml"),
        _task("write", src="b.yaml"),
        _task("text", content=HEAD + "licenses: []\n"),
    )  # fmt: skip
    assert run.result("document")["msg"] == (
        "a.yaml:6: target 10.0.0.1 of upstream u.test: it has no field wieght; did you mean weight?"
    )
    refused = run.result("write")
    assert f"Could not create service s at {state.gateway.label}: " in refused["msg"]
    assert "(written at b.yaml:3)" in refused["msg"]
    assert refused["failure"]["where"] == "b.yaml:3"
    assert run.result("text")["msg"].startswith("content:2: licenses are not managed")
    assert state.gateway.writes() == ["POST /services"]


DIFFERENT = [
    ("_workspace: one\n", "_workspace: two\n", "a.yaml:2 and b.yaml:2 name two workspaces"),
    (
        "_info:\n  defaults:\n    service: {retries: 1}\n",
        "_info:\n  defaults:\n    service: {retries: 2}\n",
        "a.yaml:4 and b.yaml:4 have different values of _info.defaults.service.retries",
    ),
    (
        "_plugin_configs:\n  rl:\n    minute: 1\n",
        "_plugin_configs:\n  rl:\n    minute: 2\n",
        "a.yaml:4 and b.yaml:4 have different values of _plugin_configs.rl.minute",
    ),
    (
        "_konnect: {control_plane_name: one}\n",
        "_konnect: {control_plane_name: two}\n",
        "a.yaml:2 and b.yaml:2 name two control planes",
    ),
    ("services: []\n", "services: {}\n", "a.yaml:2 and b.yaml:2 have different values of services"),
    (
        "upstreams:\n  - name: u.test\n",
        "upstreams:\n  - name: u.test\n",
        "b.yaml:3: upstream u.test is already defined at a.yaml:3",
    ),
]


def _folder(playbook: Player, *texts: str) -> Path:
    folder = playbook.folder / "files/kong"
    folder.mkdir(parents=True)
    for name, text in zip("ab", texts, strict=True):
        (folder / f"{name}.yaml").write_text(HEAD + text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(("first", "second", "sentence"), DIFFERENT)
def test_two_files_that_write_the_same_differently_are_an_error(
    playbook: Player, state: State, first: str, second: str, sentence: str
) -> None:
    service = "services: [{name: s, host: a.test}]\n"
    _folder(playbook, first, second + ("" if "services" in second else service))
    run = _play(
        playbook, "here",
        _task("directory", src="kong", state="applied"),
        _task("files", src=["kong/b.yaml", "kong/a.yaml"], state="applied"),
    )  # fmt: skip
    assert run.result("directory")["msg"].replace("files/kong/", "").startswith(sentence)
    # In the other order neither file wins, too.
    assert sentence.rsplit(maxsplit=1)[-1] in run.result("files")["msg"]
    assert run.total("ignored") == 2
    assert state.gateway.writes() == []


def test_files_that_agree_become_one_document(playbook: Player, state: State) -> None:
    shared = "_workspace: default\n_info: {select_tags: [t], defaults: {service: {retries: 1}}}\n"
    _folder(
        playbook,
        shared + "services: [{name: one, host: a.test}]\n",
        shared + "services: [{name: two, host: a.test}]\n",
    )
    run = _play(playbook, "here", _task("both", src="kong", state="synced"))
    assert told(run.result("both")["changes"]) == [("create", "service")] * 2
    assert counts(run.result("both")) == {"created": 2}
    for service in state.gateway.entities("/services"):
        assert (service["retries"], service["tags"]) == (1, ["t"])
