# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two ways to run, one engine: a task gives the same in both."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.engine import Engine
from harness.gateway import PREFIX, TAG, Gateway
from harness.paths import COLLECTION
from harness.playbook import LOCAL, Player, Run
from harness.stand_ins import program
from harness.vault import vault

UPSTREAM, SERVICE, ROUTE = (f"{PREFIX}{kind}" for kind in ("upstream", "service", "route"))
MODULE, CONTROLLER = "0", "1"
# What a gateway makes up, and what only Ansible's own machinery adds to a module's result.
VARYING = (
    "id", "created_at", "updated_at", "invocation", "exception", "_ansible_no_log",
    "_ansible_verbose_always", "request_id",
)
Tasks = list[dict[str, Any]]


def _task(called: str, module: str, /, **options: Any) -> dict[str, Any]:
    return {"name": called, f"irishtek.kong.{module}": options, "ignore_errors": True}


def _upstream(task: str, /, **options: Any) -> dict[str, Any]:
    return _task(task, "kong_upstream", **{"name": UPSTREAM, "tags": [TAG], **options})


def _target(task: str, /, **options: Any) -> dict[str, Any]:
    return _task(task, "kong_target", upstream=UPSTREAM, **options)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key not in VARYING}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _through(
    playbook: Player, way: str, tasks: Tasks, play: Mapping[str, Any] | None = None, **more: Any
) -> Run:
    environment = {"KONG_ANSIBLE_IN_PROCESS": way, **more.pop("environment", {})}
    whole = {"hosts": "gateways", "gather_facts": False, "tasks": tasks, **(play or {})}
    inventory = more.pop("inventory", {"gateways": {"hosts": {"here": LOCAL}}})
    return playbook(
        json.dumps([whole]) + "\n", inventory=inventory, diff=True, environment=environment, **more
    )


def _alike(engine: Engine, playbook: Player, tasks: Tasks, **more: Any) -> dict[str, Any]:
    """Run tasks both ways, each from nothing; the results, which are the same."""
    results = []
    for way in (MODULE, CONTROLLER):
        _remove(engine)
        run = _through(playbook, way, tasks, **more).ok()
        assert _ways(run) == {way}
        results.append(
            [(task["name"], task["status"], _plain(task["result"])) for task in run.tasks]
        )
    for module, controller in zip(*results, strict=True):
        assert module == controller
    return {name: result for name, status, result in results[0]}


def _remove(engine: Engine) -> None:
    engine.forget()
    for module, name in (("route", ROUTE), ("service", SERVICE), ("upstream", UPSTREAM)):
        engine.ok(f"kong_{module}", name=name, state="absent")


def _way(result: Mapping[str, Any]) -> str:
    """Only a module's process tells how it was invoked."""
    return MODULE if "invocation" in result else CONTROLLER


def _ways(run: Run) -> set[str]:
    results = [task["result"] for task in run.tasks if task["action"].startswith("irishtek.kong.")]
    flat = [item for result in results for item in result.get("results", [result])]
    return {_way(result) for result in flat if not result.get("skipped")}


def test_every_module_gives_the_same_in_both_ways(engine: Engine, playbook: Player) -> None:
    probing = {"active": {"healthy": {"interval": 5}, "headers": {"X-Probe": ["1", 2]}}}
    tasks = [
        _task("ping", "kong_ping"),
        _upstream("create", slots="20", healthchecks=probing),
        _upstream("same", slots=20),
        _upstream("update", slots=30, targets=[{"target": "10.0.0.1", "weight": "5"}]),
        _target("target", target="010.0.0.1:08000", weight=6),
        _target("drain", target="10.0.0.9", state="drained"),
        _target("many", targets=[{"target": "b.test:80", "tags": [TAG, 1, 2.5]}]),
        _task("service", "kong_service", name=SERVICE, url="http://b.test/x", tags=[TAG]),
        _task("route", "kong_route", name=ROUTE, service=SERVICE, paths=["/b"], tags=[TAG]),
        _task("info", "kong_info", kinds=["service", "target"], tags=[TAG]),
        _task("route absent", "kong_route", name=ROUTE, state="absent"),
        _task("service absent", "kong_service", name=SERVICE, state="absent"),
        _target("absent", target="b.test:80", state="absent"),
        _upstream("upstream absent", state="absent"),
    ]
    results = _alike(engine, playbook, tasks)
    assert results["create"]["operation"] == "create"
    assert results["same"]["changed"] is False
    assert results["drain"]["warnings"]
    assert results["many"]["targets"][0]["tags"] == [TAG, "1", "2.5"]
    assert results["upstream absent"]["operation"] == "delete"


def test_mistakes_are_told_alike(engine: Engine, playbook: Player) -> None:
    tasks = [
        _upstream("unknown option", slts=20),
        _upstream("unknown option inside", healthchecks={"active": {"heathy": {}}}),
        _upstream("wrong type", slots="many"),
        _upstream("wrong type inside", targets=[{"target": "a:80", "weight": "heavy"}]),
        _upstream("wrong choice", algorithm="dice"),
        _upstream("not a list", targets={"target": "a:80"}),
        _task("missing", "kong_upstream"),
        _task("missing parent", "kong_target", target="a:80"),
        _upstream("missing inside", targets=[{"weight": 5}]),
        _target("both", target="a:80", targets=[{"target": "b:80"}]),
        _upstream("null identity", name=None),
        _upstream("null inside", targets=[{"target": None}]),
        _upstream("null targets", targets=None),
        _task("null upstream", "kong_target", upstream=None, target="a:80"),
        _upstream("half a pair", client_cert="/nowhere/x.pem"),
        _upstream("refused", slots=9),
        _upstream("refused by the gateway", host_header="bad host"),
    ]
    results = _alike(engine, playbook, tasks)
    for name, result in results.items():
        assert result["msg"], name
    assert "slts" in results["unknown option"]["msg"]
    assert "heathy" in results["unknown option inside"]["msg"]
    assert results["null identity"]["msg"] == "name must not be null"


def test_values_that_cannot_be_meant_are_refused_alike(
    engine: Engine, playbook: Player
) -> None:
    third = "{{ 100 / 3 }}"
    tasks = [
        _upstream("third", slots=20, healthchecks={"threshold": third}),
        _upstream("same third", healthchecks={"threshold": third}),
        _upstream("empty number", slots=""),
        _upstream("empty list", tags=""),
        _upstream("empty inside", targets=[{"target": "a:80", "weight": ""}]),
        _task("infinite", "kong_plugin", name="rate-limiting", config={"minute": "{{ huge }}"}),
        _task("infinite in JSON", "kong_plugin", name="cors", config='{"max_age": Infinity}'),
        _task("half a character", "kong_upstream", name="{{ half }}"),
        _upstream("misspelled", slts=20),
        _task("misspelled plugin", "kong_plugin", name="rate-limitting", config={}),
        _task("misspelled setting", "kong_plugin", name="cors", config={"max_ag": 5}),
        _target("two meanings", target="fd00::7c46:80"),
    ]
    play = {"vars": {"half": "{{ 'a%c' % 55296 }}", "huge": "{{ '1e999' | float }}"}}
    results = _alike(engine, playbook, tasks, play=play)
    assert results["same third"]["changed"] is False
    for name, message in {
        "empty number": "slots must not be an empty string; use null",
        "empty list": "tags must not be an empty string; use null",
        "empty inside": "targets.1.weight must not be an empty string; use null",
        "infinite": "config.minute must be a finite number",
        "infinite in JSON": "config.max_age must be a finite number",
        "half a character": "name contains a lone surrogate",
        "misspelled": "Unsupported parameter slts; did you mean slots?",
        "misspelled plugin": "no plugin rate-limitting; did you mean rate-limiting?",
        "misspelled setting": "config.max_ag: unknown field; did you mean max_age?",
    }.items():
        assert message in results[name]["msg"], name
    assert "write [fd00::7c46]:80 if port 80 is meant" in results["two meanings"]["warnings"][0]


def test_values_of_another_type_are_refused_alike(engine: Engine, playbook: Player) -> None:
    tasks = [
        _upstream("no record", healthchecks={"active": True}),
        _target("no dictionary", targets=["a:80"]),
        _target("no string", target="a:80", tags=[TAG, False]),
    ]
    results = _alike(engine, playbook, tasks)
    assert {name: result["msg"] for name, result in results.items()} == {
        "no record": "healthchecks.active must be a dictionary, got a boolean",
        "no dictionary": "targets.1 must be a dictionary, got a string",
        "no string": "tags.2 must be a string, got a boolean; put it in quotes",
    }


def test_nulls_clear_alike(engine: Engine, playbook: Player) -> None:
    tasks = [
        _upstream(
            "filled", host_header="h.test", slots=20, hash_on="ip",
            healthchecks={"threshold": 5, "active": {"https_sni": "a.test", "type": "tcp",
                                                     "healthy": {"interval": 3}}},
            targets=[{"target": "a.test:80", "weight": 5, "tags": [TAG]}],
        ),
        _upstream(
            "cleared", host_header=None, slots=None, hash_on=None, tags=[TAG],
            healthchecks={"threshold": None, "active": {"https_sni": None, "type": None,
                                                        "healthy": None}},
            targets=[{"target": "a.test:80", "weight": None, "tags": None}],
        ),
        _upstream("templated", host_header="{{ nothing }}", slots="{{ nothing }}"),
        _upstream("left alone", host_header="{{ omit }}", slots="{{ omit }}"),
    ]
    play = {"vars": {"nothing": None}}
    results = _alike(engine, playbook, tasks, play=play)
    cleared = results["cleared"]["upstream"]
    assert (cleared["host_header"], cleared["slots"], cleared["hash_on"]) == (None, 10000, "none")
    active = cleared["healthchecks"]["active"]
    assert (active["https_sni"], active["type"], active["healthy"]["interval"]) == (None, "http", 0)
    assert results["cleared"]["targets"][0]["weight"] == 100
    assert results["cleared"]["targets"][0]["tags"] is None
    assert results["templated"]["changed"] is False
    assert results["left alone"]["changed"] is False


def test_tagged_and_templated_values_arrive_alike(engine: Engine, playbook: Player) -> None:
    tasks: Tasks = [
        {"name": "fact", "ansible.builtin.set_fact": {"pool": "{{ hosts }}"}},
        _upstream(
            "templated", slots="{{ 10 + 10 }}", use_srv_name="{{ false }}",
            host_header="{{ inventory_hostname }}.test",
            tags="{{ [tag, 'n-' ~ (1 + 1), 7, day] }}",
            targets="{{ hosts | map('combine', {'weight': 3}) | list }}",
            healthchecks="{{ checks }}",
        ),
        _task("fact used", "kong_upstream", name=UPSTREAM, targets="{{ pool }}"),
    ]
    hosts = {"here": {**LOCAL, "hosts": [{"target": "a.test:80"}, {"target": "10.0.0.1"}]}}
    file = playbook.folder / "dates.yml"
    file.write_text("---\nday: 2020-01-31\nchecks:\n  active: {timeout: 1.0}\n")
    play = {"vars": {"tag": TAG}, "vars_files": [str(file)]}
    results = _alike(
        engine, playbook, tasks, play=play, inventory={"gateways": {"hosts": hosts}}
    )
    made = results["templated"]
    assert made["upstream"]["tags"] == [TAG, "n-2", "7", "2020-01-31"]
    assert (made["upstream"]["slots"], made["upstream"]["host_header"]) == (20, "here.test")
    assert [target["weight"] for target in made["targets"]] == [3, 3]
    assert results["fact used"]["changed"] is False


def test_vaulted_values_are_opened_alike(engine: Engine, playbook: Player) -> None:
    secret = vault(playbook.folder, {"header": "vaulted.test", "address": "10.0.0.7:80"})
    tasks = [
        _upstream("vaulted", host_header="{{ header }}", targets=[{"target": "{{ address }}"}])
    ]
    results = _alike(
        engine, playbook, tasks,
        play={"vars_files": [secret.file]}, environment=secret.environment,
    )
    assert results["vaulted"]["upstream"]["host_header"] == "vaulted.test"
    assert results["vaulted"]["targets"][0]["target"] == "10.0.0.7:80"


def test_a_token_that_is_part_of_another_value_is_masked_alike(
    empty_gateway: Gateway, engine: Engine, playbook: Player
) -> None:
    tasks = [_upstream("masked", host_header="irishtek.test", admin_token="irishtek")]
    results = _alike(engine, playbook, tasks)
    assert results["masked"]["upstream"]["host_header"] == "********.test"
    stored = empty_gateway.call("GET", f"/upstreams/{UPSTREAM}")
    assert stored["host_header"] == "irishtek.test"


def test_defaults_of_the_group_apply_alike(
    gateway: Gateway, engine: Engine, playbook: Player
) -> None:
    connection = {"admin_url": gateway.admin_url}
    if gateway.token:
        connection["admin_token"] = gateway.token
    tasks = [
        _upstream("upstream", targets=[{"target": "a.test:80"}]),
        _target("target", target="a.test:80", weight=1),
        _task("service", "kong_service", name=SERVICE, host=UPSTREAM, tags=[TAG]),
        _task("route", "kong_route", name=ROUTE, service=SERVICE, paths=["/a"], tags=[TAG]),
        _task("info", "kong_info"),
        _task("ping", "kong_ping"),
    ]
    results = _alike(
        engine, playbook, tasks,
        play={"module_defaults": {"group/irishtek.kong.kong": connection}},
        environment={"KONG_ADMIN_URL": "http://127.0.0.1:9", "KONG_ADMIN_TOKEN": ""},
    )
    assert [result.get("msg", "") for result in results.values() if "failure" in result] == []


def test_a_deprecated_alias_is_announced_alike(
    engine: Engine, playbook: Player, tmp_path: Path
) -> None:
    folder = tmp_path / "collections/ansible_collections/irishtek/kong"
    kept = ("plugins", "meta", "galaxy.yml", "MANIFEST.json", "FILES.json")
    for name in kept:
        source = COLLECTION / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        elif source.exists():
            shutil.copy2(source, folder / name)
    operation = folder / "plugins/module_utils/_argspec.py"
    text = operation.read_text()
    patched = text.replace(
        '        spec[each.name] = option\n',
        '        if each.name == "slots":\n'
        '            option["aliases"] = ["places", "old_slots"]\n'
        '            option["deprecated_aliases"] = [{"name": "old_slots", "version": "9.0.0",\n'
        '                                             "collection_name": "irishtek.kong"}]\n'
        '        spec[each.name] = option\n',
    )
    assert patched != text
    operation.write_text(patched)
    tasks = [
        _upstream("alias", places=20), _upstream("deprecated", old_slots=30),
        _upstream("both", old_slots=40, slots=40), _upstream("null", places=None),
    ]
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections")}
    results = _alike(engine, playbook, tasks, environment=environment)
    assert results["alias"]["upstream"]["slots"] == 20
    assert results["deprecated"]["upstream"]["slots"] == 30
    assert "old_slots" in json.dumps(results["deprecated"]["deprecations"])
    assert "old_slots" in json.dumps(results["both"]["warnings"])
    assert results["null"]["upstream"]["slots"] == 10000


def test_a_loop_runs_in_the_way_of_its_task(
    engine: Engine, playbook: Player
) -> None:
    tasks: Tasks = [
        _upstream("pool"),
        {**_target("loop", target="{{ item }}", tags=[TAG]), "loop": ["a:80", "b:80", "a:80"]},
    ]
    results = _alike(engine, playbook, tasks)
    operations = [item["operation"] for item in results["loop"]["results"]]
    assert operations == ["create", "create", "none"]


# A module's process is what these ask for.
ELSEWHERE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "become": ({"become": True}, {}),
    "async": ({"async": 30, "poll": 1}, {}),
    "environment": ({"environment": {"SOME_VARIABLE": "1"}}, {}),
    "play-environment": ({}, {"environment": {"SOME_VARIABLE": "1"}}),
    "variable": ({"vars": {"kong_ansible_in_process": False}}, {}),
    "variable-as-text": ({"vars": {"kong_ansible_in_process": "no"}}, {}),
}


@pytest.mark.parametrize("why", [*ELSEWHERE])
def test_what_another_process_is_for_is_run_as_a_module(
    engine: Engine, playbook: Player, why: str
) -> None:
    keywords, play = ELSEWHERE[why]
    if why == "become":
        # Any way to become another user will do, and doing it as oneself needs no rights.
        keywords = {**keywords, "become_exe": str(_become(playbook.folder))}
    task = {**_task("ping", "kong_ping"), **keywords}
    run = _through(playbook, CONTROLLER, [task, _task("here", "kong_ping")], play=play).ok()
    assert [task["status"] for task in run.tasks][-1] == "ok"
    assert _way(run.result("ping")) == MODULE
    assert run.result("ping")["msg"].startswith("Connected to Kong Gateway")
    assert _way(run.result("here")) == (MODULE if why == "play-environment" else CONTROLLER)


def _become(folder: Path) -> Path:
    """A stand-in for sudo that runs the command as the one who asks."""
    text = '#!/bin/sh\nwhile [ "$1" != /bin/sh ]; do shift; done\nexec "$@"\n'
    return program(folder / "stand-in", text)


def test_a_host_that_is_not_local_is_left_to_the_module(playbook: Player) -> None:
    away = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
    run = _through(
        playbook, CONTROLLER, [_task("ping", "kong_ping")],
        inventory={"gateways": {"hosts": {"away": away}}},
    )
    assert [task["status"] for task in run.tasks] == ["unreachable"]


def test_a_task_that_is_delegated_here_runs_here(engine: Engine, playbook: Player) -> None:
    away = {"ansible_connection": "ssh", "ansible_host": "no-such-host.invalid"}
    tasks = [
        {**_upstream("delegated"), "delegate_to": "localhost"},
        {**_target("loop", target="{{ item }}"), "delegate_to": "localhost",
         "loop": ["a:80", "b:80"]},
    ]
    run = _through(
        playbook, CONTROLLER, tasks, inventory={"gateways": {"hosts": {"away": away}}}
    ).ok()
    assert [task["status"] for task in run.tasks] == ["changed", "changed"]
    assert _ways(run) == {CONTROLLER}


def test_the_switch_is_read_as_ansible_reads_booleans(playbook: Player) -> None:
    for written, way in (("no", MODULE), ("false", MODULE), ("yes", CONTROLLER), ("", CONTROLLER)):
        run = _through(playbook, written, [_task("ping", "kong_ping")]).ok()
        assert _ways(run) == {way}, written
