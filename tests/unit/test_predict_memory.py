# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What check mode keeps from task to task: the right things, and no more than it knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible import constants, context

from ansible_collections.irishtek.kong.plugins.module_utils._connection import Connection
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._module import run
from ansible_collections.irishtek.kong.plugins.module_utils._operations._generic import (
    KONG_ENTITY,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._info import KONG_INFO
from ansible_collections.irishtek.kong.plugins.module_utils._operations._upstream import (
    KONG_UPSTREAM,
)
from ansible_collections.irishtek.kong.plugins.plugin_utils._session import ControllerSession
from unit.checking import ReadOnly, Run
from unit.scripted import client_for

HERE = Connection("http://gateway.test:8001")
A, B = (f"{letter * 8}-2222-4333-8444-555555555555" for letter in "ab")
ALICE, BOB = ({"id": key, "username": name} for key, name in ((A, "alice"), (B, "bob")))
CONSUMERS: dict[str, Any] = {
    f"/consumers/{key}": each for each in (ALICE, BOB) for key in (each["id"], each["username"])
}


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ControllerSession:
    """The session of a worker in a run with --check."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    monkeypatch.setattr(context, "CLIARGS", {"check": True})
    handler = ReadOnly({"/": {"version": "3.10.0", "configuration": {}}})
    made = ControllerSession()
    made._clients[HERE] = client_for(handler, monkeypatch)[0]
    return made


def _task(session: ControllerSession, operation: Any, check: bool, **params: Any) -> Any:
    options = operation.spec.to_spec()
    defaults = {name: each["default"] for name, each in options.items() if "default" in each}
    return run(
        operation, {**defaults, "admin_url": HERE.url, **params}, check_mode=check, diff=False,
        warn=lambda line: None, session=session,
    )  # fmt: skip


def _is_known(session: ControllerSession) -> bool:
    with session.predictions(HERE) as predictions:
        return bool(predictions.known(KINDS["upstream"]))


def test_a_task_that_only_reads_keeps_what_was_predicted(session: ControllerSession) -> None:
    assert _task(session, KONG_UPSTREAM, True, name="web", state="present")["changed"]
    assert _task(session, KONG_INFO, False)["version"] == "3.10.0"
    assert _is_known(session)


def test_a_task_that_writes_leaves_nothing_that_is_complete(session: ControllerSession) -> None:
    assert _task(session, KONG_UPSTREAM, True, name="web", state="present")["changed"]
    session.forget_predictions(HERE)
    with session.predictions(HERE) as predictions:
        assert not predictions.complete and not predictions.known(KINDS["upstream"])
    with session.predictions(HERE) as predictions:
        assert not predictions.complete


@pytest.mark.parametrize("text", ["", '{"entities": {"upstr'])
def test_a_memory_that_was_cut_is_lost_and_no_error(
    session: ControllerSession, tmp_path: Path, text: str
) -> None:
    with session.predictions(HERE) as predictions:
        assert predictions.complete
    (memory,) = tmp_path.glob("irishtek_kong/*.json")
    memory.write_text(text)
    with session.predictions(HERE) as predictions:
        assert not predictions.complete


def test_entities_of_different_paths_are_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    checking = Run(ReadOnly({**CONSUMERS, "/consumers": {"data": [ALICE, BOB]}}), monkeypatch)
    options: dict[str, Any] = {"identity": "name", "search": False}
    for path in ("upstreams", "services", "vaults"):
        entity = {"name": "web", "prefix": "web", "host": "h"}
        known = {name: entity[name] for name in ("name", "host") if path != "vaults"}
        written = {**options, "path": path, "entity": known or {"name": "env", "prefix": "web"}}
        assert checking.task(KONG_ENTITY, **written)["operation"] == "create"
        assert checking.task(KONG_ENTITY, **written)["operation"] == "none"
    for owner in ("alice", "bob"):
        written = {
            "identity": "group", "search": True, "path": f"consumers/{owner}/acls",
            "entity": {"group": "gold"},
        }  # fmt: skip
        assert checking.task(KONG_ENTITY, **written)["operation"] == "create"
        assert checking.task(KONG_ENTITY, **written)["operation"] == "none"


def test_what_a_predicted_delete_takes_along_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    key = {"id": A.replace("a", "c"), "key": "k-1", "consumer": {"id": A}}
    stored = {**CONSUMERS, "/key-auths": {"data": [key]}}
    checking = Run(ReadOnly(stored), monkeypatch)
    with pytest.raises(InputError, match="is taken by another key_auth"):
        checking.of("bob", KINDS["key_auth"], key="k-1")
    assert checking.absent(KINDS["consumer"], username="alice").changed
    assert checking.of("bob", KINDS["key_auth"], key="k-1").operation == "create"


@pytest.mark.parametrize("offered", [True, False])
def test_what_a_gateway_has_is_asked_of_it(monkeypatch: pytest.MonkeyPatch, offered: bool) -> None:
    # Open gateways of 3.4 and 3.5 have the schema of consumer groups, and /workspaces.
    stored: dict[str, Any] = {"/workspaces": {"data": []}} if offered else {}
    checking = Run(ReadOnly(stored, edition="community"), monkeypatch)
    with pytest.raises(InputError, match="does not have consumer_groups"):
        checking.present(KINDS["consumer_group"], name="gold")
    if offered:
        assert checking.present(KINDS["workspace"], name="team").changed
    else:
        with pytest.raises(InputError, match="does not have workspaces"):
            checking.present(KINDS["workspace"], name="team")


def test_a_certificate_is_validated_without_its_snis(monkeypatch: pytest.MonkeyPatch) -> None:
    # Gateways of 3.4 and 3.5 do not know them there.
    stored = {"id": A, "cert": "c", "key": "k", "snis": ["a.test"]}
    handler = ReadOnly({f"/certificates/{A}": stored})
    Run(handler, monkeypatch).present(KINDS["certificate"], id=A, cert="d")
    assert handler.judged == [("certificates", {"id": A, "cert": "d", "key": "k"})]
