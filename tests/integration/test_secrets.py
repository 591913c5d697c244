# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret is displayed, at any verbosity, nor logged, nor in results, either way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from harness.gateway import PREFIX, TAG, Gateway, sandbox
from harness.playbook import LOCAL, Player, Run
from harness.vault import vault
from integration.dialects import control_plane

UPSTREAM = f"{PREFIX}secrets"
TOKEN = "t0ken-n0t-to-be-seen"
PROBE = "Bearer pr0be-n0t-to-be-seen"
NEW_PROBE = "Bearer n3w-pr0be-n0t-to-be-seen"
WAYS = pytest.mark.parametrize("way", ["0", "1"], ids=["module", "controller"])


@pytest.fixture(scope="module")
def guarded(dialect: str) -> Iterator[Gateway]:
    """A sandbox that asks for a token."""
    with sandbox("--admin-token", TOKEN, control_plane=control_plane(dialect)) as started:
        yield replace(started, token=TOKEN)


def _play(
    playbook: Player, way: str, tasks: list[dict[str, Any]], **more: Any
) -> tuple[Run, str]:
    """Run tasks at -vvv; the run, and everything that it left to be read."""
    log = playbook.folder / "ansible.log"
    seen = {"name": "seen", "ansible.builtin.debug": {"var": "kept"}}
    played = [{**task, "ignore_errors": True, "register": "kept"} for task in tasks]
    play = {"hosts": "gateways", "gather_facts": False, "tasks": [*played, seen]}
    run = playbook(
        json.dumps([play]) + "\n", inventory={"gateways": {"hosts": {"here": LOCAL}}}, diff=True,
        environment={
            "KONG_ANSIBLE_IN_PROCESS": way, "ANSIBLE_LOG_PATH": str(log),
            "ANSIBLE_VERBOSITY": "3", "KONG_ADMIN_TOKEN": "", **more.pop("environment", {}),
        },
        **more,
    )
    return run, run.stdout + log.read_text() + (playbook.folder / "record.json").read_text()


def _upstream(**options: Any) -> dict[str, Any]:
    written = {"name": UPSTREAM, **options}
    return {"name": "upstream", "irishtek.kong.kong_upstream": written}


def _probing(value: str) -> dict[str, Any]:
    return {"active": {"headers": {"Authorization": [value], "X-Plain": ["seen-value"]}}}


@WAYS
@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
def test_a_token_is_seen_nowhere(
    guarded: Gateway, playbook: Player, way: str, check: bool
) -> None:
    connection, token = guarded.connection, guarded.token_option
    written = {**connection, "tags": [TAG], "host_header": "h.test"}
    by_header = _upstream(admin_url=guarded.admin_url, admin_headers={"Kong-Admin-Token": TOKEN})
    if guarded.control_plane:
        # A token of Konnect has no other way.
        by_header = _upstream(**written)
    run, seen = _play(
        playbook, way,
        [
            _upstream(**written),
            _upstream(**{**written, "slots": 3}),
            _upstream(**{**written, token: "wr0ng-n0t-to-be-seen", "name": "other.test"}),
            _upstream(**{**written, "no_such_option": TOKEN}),
            by_header,
            {"name": "info", "irishtek.kong.kong_info": connection},
            {"name": "ping", "irishtek.kong.kong_ping": connection},
            _upstream(**written, state="absent"),
        ],
        check=check,
    )
    states = ["failed" if task["status"] == "failed" else "ok" for task in run.ok().tasks[:-1]]
    assert states == ["ok", "failed", "failed", "failed", "ok", "ok", "ok", "ok"]
    assert "n0t-to-be-seen" not in seen
    assert "h.test" in seen


@WAYS
def test_a_token_of_the_environment_is_seen_nowhere(
    guarded: Gateway, playbook: Player, way: str
) -> None:
    # The other way in is not set.
    environment = {"KONG_ADMIN_URL": "", **guarded.environment}
    run, seen = _play(playbook, way, [_upstream(tags=[TAG])], environment=environment)
    assert run.ok().tasks[0]["status"] in ("ok", "changed")
    assert "n0t-to-be-seen" not in seen


@WAYS
def test_a_password_in_the_url_is_refused_and_seen_nowhere(
    gateway: Gateway, playbook: Player, way: str
) -> None:
    url = gateway.admin_url.replace("://", "://admin:passw0rd-n0t-to-be-seen@")
    run, seen = _play(playbook, way, [_upstream(**{**gateway.connection, gateway.url_option: url})])
    assert run.tasks[0]["status"] == "failed"
    assert "must not contain credentials" in run.tasks[0]["result"]["msg"]
    assert "n0t-to-be-seen" not in seen


@WAYS
def test_a_credential_among_the_headers_of_health_checks_is_seen_nowhere(
    gateway: Gateway, engine: Any, playbook: Player, way: str
) -> None:
    connection = gateway.connection
    run, seen = _play(
        playbook, way,
        [
            _upstream(**connection, tags=[TAG], healthchecks=_probing(PROBE)),
            _upstream(**connection, healthchecks=_probing(NEW_PROBE)),
            {"name": "info", "irishtek.kong.kong_info": {**connection, "kinds": ["upstream"]}},
            _upstream(**connection, slots=3, healthchecks=_probing(PROBE)),
            _upstream(**connection, state="absent"),
        ],
    )
    assert [task["status"] for task in run.ok().tasks][:5] == [
        "changed", "changed", "ok", "failed", "changed",
    ]
    assert "n0t-to-be-seen" not in seen
    assert "seen-value" in seen
    assert "******** (changed)" in json.dumps(run.tasks[1]["result"]["diff"])


@WAYS
def test_a_vaulted_token_opens_and_is_seen_nowhere(
    guarded: Gateway, playbook: Player, way: str
) -> None:
    secret = vault(playbook.folder, {"token": TOKEN})
    run, seen = _play(
        playbook, way,
        [
            {"name": "vars", "ansible.builtin.include_vars": {"file": secret.file}},
            _upstream(**{**guarded.connection, guarded.token_option: "{{ token }}"}, tags=[TAG]),
        ],
        environment=secret.environment,
    )
    assert run.ok().tasks[1]["status"] in ("ok", "changed")
    assert "n0t-to-be-seen" not in seen
