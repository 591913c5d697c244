# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No module, run as a process, writes a secret: to the system's log, a job's file, or Ansible's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.certificates import self_signed
from harness.gateway import Gateway
from harness.kinds import pem_texts
from harness.paths import ROOT
from harness.playbook import LOCAL, Player
from integration.test_secrets_of_both_ways import SITECUSTOMIZE

HIDDEN = "n0t-to-be-seen"
Options = dict[str, Any]
TOKEN = f"t0ken-{HIDDEN}"
HEADERS_OF_REQUESTS = {
    "admin_headers": {"Authorization": f"Bearer b34rer-{HIDDEN}", "X-Env": "prod"},
}
HEADERS = {"active": {"headers": {"Authorization": [f"pr0be-{HIDDEN}"]}}}
LOG = {
    "http_endpoint": f"http://user:url-{HIDDEN}@log.test/", "headers": {"X-Custom": f"h-{HIDDEN}"}
}  # fmt: skip
# How jobs end on Konnect, where they end otherwise: it has the enterprise edition's kinds, and no
# OAuth 2.0.
ON_KONNECT = {
    ("kong_consumer_group", None): "changed", ("kong_partial", "redis-ce"): "changed",
    ("kong_workspace", None): "changed", ("kong_credential", "oauth2"): "failed",
    ("konnect_control_plane", None): "changed", ("konnect_control_plane_info", None): "ok",
    ("konnect_data_plane_certificate", None): "changed", ("konnect_node_info", None): "ok",
}  # fmt: skip


def _document(pems: dict[str, str]) -> Options:
    """A state file with secrets of every kind."""
    return {
        "_format_version": "3.0",
        "upstreams": [{"name": "doc.test", "healthchecks": HEADERS}],
        "services": [{"name": "doc", "host": "doc.test",
                      "plugins": [{"name": "http-log", "config": LOG}]}],
        "consumers": [{
            "username": "bob",
            "keyauth_credentials": [{"key": f"d0c-{HIDDEN}"}],
            "basicauth_credentials": [{"username": "bob", "password": f"d0c-{HIDDEN}"}],
            "jwt_secrets": [{"key": "bob", "secret": f"d0c-{HIDDEN}"}],
            "hmacauth_credentials": [{"username": "bob", "secret": f"d0c-{HIDDEN}"}],
        }],
        "certificates": [{
            "id": "11111111-2222-4333-8444-555555555555",
            "cert": pems["<cert 2>"], "key": pems["<key 2>"],
        }],
    }  # fmt: skip


def _credential(kind: str, **options: Any) -> tuple[str, Options, str]:
    return "kong_credential", {"type": kind, "consumer": "alice", **options}, "changed"


Job = tuple[str, Options, str]


def _jobs(pems: dict[str, str], folder: Path) -> tuple[list[Job], list[Job]]:
    """Every module with every secret that it takes, and how the job ends; in two playbooks."""
    alice: Job = ("kong_consumer", {"username": "alice"}, "changed")
    whole = [alice, *_credentials(), *_whole(_document(pems), folder)]
    return [*_traffic(), *_keys(pems)], whole


def _traffic() -> list[Job]:
    secret_url = f"http://user:url-{HIDDEN}@web.test/"
    return [
        ("kong_ping", {}, "ok"),
        ("kong_lock", {}, "changed"),
        ("kong_probe",
         {"url": "http://127.0.0.1:9/", "body": f"b0dy-{HIDDEN}",
          "headers": {"Authorization": f"pr0be-{HIDDEN}", "X-Env": "prod"}}, "failed"),
        ("kong_probe", {"url": secret_url}, "failed"),
        ("kong_upstream", {"name": "web.test", "healthchecks": HEADERS}, "changed"),
        ("kong_upstream", {"name": "web.test", "healthchecks": HEADERS, "slots": 3}, "failed"),
        ("kong_target", {"upstream": "web.test", "target": "10.0.0.1:80"}, "changed"),
        ("kong_target_health",
         {"upstream": "web.test", "target": "10.0.0.1:80", "health": "healthy"}, "failed"),
        ("kong_service", {"name": "web", "host": "web.test"}, "changed"),
        ("kong_service", {"name": "web", "url": secret_url}, "failed"),
        ("kong_route", {"name": "web", "service": "web", "paths": ["/"]}, "changed"),
        ("kong_plugin", {"name": "http-log", "config": LOG}, "changed"),
        ("kong_plugin", {"name": "http-log", "config": {**LOG, "no_such": 1}}, "failed"),
    ]  # fmt: skip


def _credentials() -> list[Job]:
    return [
        _credential("key_auth", key=f"cred-{HIDDEN}"),
        _credential("basic_auth", username="al", password=f"cred-{HIDDEN}"),
        _credential("hmac_auth", username="al", secret=f"cred-{HIDDEN}"),
        _credential("jwt", key="al", secret=f"cred-{HIDDEN}"),
        _credential("oauth2", client_id="al", name="al", client_secret=f"cred-{HIDDEN}",
                    redirect_uris=["http://b.test"]),
        ("kong_consumer_group", {"name": "gold"}, "failed"),
    ]  # fmt: skip


def _keys(pems: dict[str, str]) -> list[Job]:
    return [
        ("kong_certificate",
         {"snis": ["a.test"], "cert": pems["<cert 1>"], "key": pems["<key 1>"]}, "changed"),
        ("kong_sni", {"name": "b.test", "certificate": "a.test"}, "changed"),
        ("kong_ca_certificate", {"cert": pems["<cert 1>"]}, "changed"),
        ("kong_vault", {"prefix": "v", "name": "hcv", "config": {"token": f"v4ult-{HIDDEN}"}},
         "failed"),
        ("kong_key_set", {"name": "all"}, "changed"),
        ("kong_key",
         {"name": "one", "kid": "one",
          "pem": {"private_key": pems["<key 1>"], "public_key": pems["<public 1>"]}}, "changed"),
        ("kong_partial", {"name": "shared", "type": "redis-ce",
                          "config": {"password": f"part-{HIDDEN}"}}, "failed"),
        ("kong_workspace", {"name": "team"}, "failed"),
        ("konnect_control_plane", {"name": "team"}, "failed"),
        ("konnect_control_plane_info", {}, "failed"),
        ("konnect_data_plane_certificate", {"content": pems["<cert 1>"]}, "failed"),
        ("konnect_node_info", {}, "failed"),
    ]  # fmt: skip


def _whole(document: Options, folder: Path) -> list[Job]:
    entity = {
        "path": "consumers/alice/key-auth", "schema": "keyauth_credentials", "identity": "key",
        "search": True, "entity": {"key": f"k3y-{HIDDEN}", "tags": ["x"]},
    }  # fmt: skip
    return [
        ("kong_entity", entity, "changed"),
        ("kong_entity", {**entity, "no_such_option": 1}, "failed"),
        ("kong_plan", {"content": document, "dest": str(folder / "plan.json")}, "changed"),
        ("kong_state", {"content": document}, "changed"),
        ("kong_state", {"content": {**document, "no_such_section": [{"key": HIDDEN}]}}, "failed"),
        ("kong_state", {"content": document, "no_such_option": 1}, "failed"),
        ("kong_info", {"kinds": ["plugin", "basic_auth", "key_auth", "certificate"]}, "ok"),
        ("kong_dump", {"dest": str(folder / "dump.yml")}, "changed"),
    ]  # fmt: skip


def test_every_module_is_swept(tmp_path: Path) -> None:
    pems = dict.fromkeys(("<cert 1>", "<cert 2>", "<key 1>", "<key 2>", "<public 1>"), "x")
    first, second = _jobs(pems, tmp_path)
    swept = {module for module, _options, _end in (*first, *second)}
    assert swept == {path.stem for path in (ROOT / "plugins/modules").glob("kon*_*.py")}


def _left_to_be_read(folder: Path) -> str:
    """All that a run left: results, logs, files of jobs."""
    paths = [folder / "record.json", folder / "syslog", folder / "ansible.log"]
    paths += [path for path in (folder / "jobs").rglob("*") if path.is_file()]
    return "\n".join(path.read_text() for path in paths)


def _play(tasks: list[Job], gateway: Gateway) -> str:
    """The tasks as jobs, one after another: each ends when its result stands in its file."""
    ended = "'started' not in lookup('ansible.builtin.file', kept.results_file)"
    waiting = {"until": ended, "retries": 600, "delay": 0.4}
    played: list[dict[str, Any]] = []
    for module, options, _end in tasks:
        job = {"register": "kept", "async": 120, "poll": 0}
        played += [
            {"name": f"job {module}", f"irishtek.kong.{module}": options, **job},
            {"name": "wait", "ansible.builtin.debug": {"msg": "its time"}, **waiting},
        ]
    connection = replace(gateway, token=TOKEN).connection
    defaults = {"group/irishtek.kong.kong": {**connection, **HEADERS_OF_REQUESTS}}
    play = {"hosts": "gateways", "gather_facts": False, "module_defaults": defaults}
    return json.dumps([{**play, "tasks": played}]) + "\n"


def _other_ends(gateway: Gateway) -> dict[tuple[str, str | None], str]:
    if gateway.control_plane:
        return ON_KONNECT
    # The open edition has workspaces, too, before Kong 3.9.
    return {("kong_workspace", None): "changed"} if gateway.entities("/workspaces") else {}


def _end(result: Options) -> str:
    return "failed" if result.get("failed") else "changed" if result["changed"] else "ok"


@pytest.mark.parametrize("part", [0, 1])
def test_no_module_writes_a_secret_anywhere(
    empty_gateway: Gateway, playbook: Player, tmp_path: Path, part: int
) -> None:
    folder = playbook.folder
    (folder / "site").mkdir()
    (folder / "site/sitecustomize.py").write_text(SITECUSTOMIZE)
    (folder / "syslog").touch()
    pems = pem_texts([self_signed(tmp_path, name) for name in ("one", "two")])
    tasks = _jobs(pems, folder)[part]
    run = playbook(
        _play(tasks, empty_gateway), inventory={"gateways": {"hosts": {"here": LOCAL}}}, diff=True,
        environment={
            "KONG_ANSIBLE_IN_PROCESS": "0", "ANSIBLE_LOG_PATH": str(folder / "ansible.log"),
            "ANSIBLE_VERBOSITY": "4", "KONG_TEST_SYSLOG": str(folder / "syslog"),
            "PYTHONPATH": str(folder / "site"), "ANSIBLE_ASYNC_DIR": str(folder / "jobs"),
        },
    )  # fmt: skip
    jobs = [task["result"] for task in run.ok().tasks if task["name"].startswith("job")]
    ends = [_end(json.loads(Path(job["results_file"]).read_text())) for job in jobs]
    others = _other_ends(empty_gateway)
    assert ends == [
        others.get((module, options.get("type")), end) for module, options, end in tasks
    ]
    everything = run.stdout + _left_to_be_read(folder)
    private = [pems[f"<key {number}>"].splitlines()[1] for number in (1, 2)]
    for secret in (HIDDEN, *private):
        at = everything.find(secret)
        assert at < 0, everything[max(0, at - 300) : at + 60]
    assert (folder / "syslog").read_text().count("Invoked with") >= len(tasks) - 3
    assert "prod" in everything, "what is no secret can be read"
