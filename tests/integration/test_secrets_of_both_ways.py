# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret of an entity in what either way displays, logs or writes to the system's log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from harness.certificates import self_signed
from harness.gateway import Gateway
from harness.kinds import pem_texts
from harness.playbook import LOCAL, Player, Run

HIDDEN = "n0t-to-be-seen"
# What a module writes to the system's log goes to a file.
SITECUSTOMIZE = '''
import os, syslog

def _kept(*args):
    with open(os.environ["KONG_TEST_SYSLOG"], "a") as kept:
        kept.write(str(args[-1]) + "\\n")

syslog.syslog = _kept
'''
Tasks = list[dict[str, Any]]


def _play(playbook: Player, way: str, tasks: Tasks, **more: Any) -> tuple[Run, str, str]:
    """Run tasks at -vvv; the run, all that it left to be read, and the system's log."""
    folder = playbook.folder
    (folder / "site").mkdir(exist_ok=True)
    (folder / "site/sitecustomize.py").write_text(SITECUSTOMIZE)
    system, log = folder / "syslog", folder / "ansible.log"
    system.touch()
    play: dict[str, Any] = {
        "hosts": "gateways", "gather_facts": False,
        "tasks": [{**task, "ignore_errors": True, "register": "kept"} for task in tasks],
    }
    play["tasks"].append({"name": "seen", "ansible.builtin.debug": {"var": "kept"}})
    run = playbook(
        json.dumps([play]) + "\n", inventory={"gateways": {"hosts": {"here": LOCAL}}}, diff=True,
        environment={
            "KONG_ANSIBLE_IN_PROCESS": way, "ANSIBLE_LOG_PATH": str(log),
            "ANSIBLE_VERBOSITY": "3", "KONG_TEST_SYSLOG": str(system),
            "PYTHONPATH": str(folder / "site"),
        },
        **more,
    )
    written = system.read_text()
    seen = run.stdout + log.read_text() + (folder / "record.json").read_text() + written
    return run, seen, written


def _plugin(value: str, **more: Any) -> dict[str, Any]:
    config = {
        "http_endpoint": f"http://user:{value}-url@log.test/",
        "headers": {"X-Custom": f"{value}-header"}, **more,
    }
    return {"name": "http-log", "config": config}


def _credential(value: str, **more: Any) -> dict[str, Any]:
    named = {"type": "basic_auth", "consumer": "alice", "username": "alice"}
    return {**named, "password": value, **more}


def _limits(value: Any) -> dict[str, Any]:
    return {"name": "rate-limiting", "config": {"minute": 5, "redis_password": value}}


def _steps(certificate: dict[str, Any], other_key: str) -> list[tuple[str, dict[str, Any], str]]:
    """Modules, their options, and how each task ends."""
    nested_key = {
        "path": "consumers/alice/key-auth", "schema": "keyauth_credentials", "identity": "key",
        "search": True, "entity": {"key": f"k3y-{HIDDEN}", "tags": ["x"]},
    }
    key = {"type": "key_auth", "consumer": "alice", "key": f"k3y-{HIDDEN}"}
    return [
        ("kong_consumer", {"username": "alice"}, "changed"),
        ("kong_plugin", _plugin(f"0ld-{HIDDEN}"), "changed"),
        ("kong_plugin", _plugin(f"n3w-{HIDDEN}"), "changed"),
        ("kong_plugin", _plugin(f"b4d-{HIDDEN}", no_such_setting=1), "failed"),
        ("kong_plugin", _plugin(f"b4d-{HIDDEN}", timeout=f"t3xt-{HIDDEN}"), "failed"),
        ("kong_plugin", {"name": "http-log", "config": f"t3xt-{HIDDEN}"}, "failed"),
        ("kong_plugin", {**_plugin(f"b4d-{HIDDEN}"), "no_such_option": 1}, "failed"),
        ("kong_plugin", _limits(f"0ld-{HIDDEN}"), "changed"),
        ("kong_plugin", _limits([f"l1st-{HIDDEN}"]), "failed"),
        ("kong_credential", _credential(f"0ld-{HIDDEN}"), "changed"),
        ("kong_credential", _credential(f"n3w-{HIDDEN}"), "changed"),
        ("kong_credential", _credential(f"b4d-{HIDDEN}", tags=["a,b"]), "failed"),
        ("kong_credential", _credential(f"b4d-{HIDDEN}", no_such_option=1), "failed"),
        ("kong_credential", key, "changed"),
        ("kong_entity", nested_key, "changed"),
        ("kong_certificate", certificate, "changed"),
        ("kong_certificate", {**certificate, "key": other_key}, "failed"),
        ("kong_info", {"kinds": ["plugin", "basic_auth", "key_auth", "certificate"]}, "ok"),
        ("kong_plugin", {**_plugin(f"n3w-{HIDDEN}"), "state": "absent"}, "changed"),
    ]


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
@pytest.mark.parametrize("way", ["0", "1"], ids=["module", "controller"])
def test_secrets_of_entities_are_seen_nowhere(
    empty_gateway: Gateway, playbook: Player, tmp_path: Path, way: str, check: bool
) -> None:
    pems = pem_texts([self_signed(tmp_path, name) for name in ("one", "two")])
    certificate = {"snis": ["a.test"], "cert": pems["<cert 1>"], "key": pems["<key 1>"]}
    steps = _steps(certificate, pems["<key 2>"])
    tasks = [
        {"name": f"{at} {module}", f"irishtek.kong.{module}": options}
        for at, (module, options, status) in enumerate(steps)
    ]
    run, seen, system = _play(playbook, way, tasks, check=check)
    expected = [status for module, options, status in steps]
    if check and way == "0":
        # A module's process does not know that an earlier task would have made the plugin.
        expected[-1] = "ok"
    assert [task["status"] for task in run.ok().tasks[:-1]] == expected
    urls = [f"{each['path']}?{each['query']}" for each in empty_gateway.requests()]
    everything = seen + unquote("\n".join(urls))
    private = [pems[f"<key {number}>"].splitlines()[1] for number in (1, 2)]
    for secret in (HIDDEN, *private):
        at = everything.find(secret)
        assert at < 0, everything[max(0, at - 300) : at + 60]
    assert ("Invoked with" in system) == (way == "0")
    assert pems["<cert 1>"].splitlines()[1] in seen
