# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""At the edge every failure is a result, and no secret leaves with it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils import basic

from ansible_collections.irishtek.kong.plugins.module_utils import _parallel
from ansible_collections.irishtek.kong.plugins.module_utils._entities._service import SERVICE
from ansible_collections.irishtek.kong.plugins.module_utils._errors import (
    MASKED,
    InputError,
    KongError,
    Refused,
)
from ansible_collections.irishtek.kong.plugins.module_utils._module import (
    KongModule,
    Session,
    failed,
    run,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._base import (
    Operation,
    Task,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._entity import (
    entity_operation,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._generic import KONG_ENTITY
from ansible_collections.irishtek.kong.plugins.module_utils._operations._state import KONG_STATE
from ansible_collections.irishtek.kong.plugins.module_utils._operations._upstream import (
    KONG_UPSTREAM,
)
from ansible_collections.irishtek.kong.plugins.module_utils._parallel import for_each
from ansible_collections.irishtek.kong.plugins.module_utils._predict import PredictingGateway

SECRET = "correct-horse"
PARAMS = {
    "admin_url": "http://gw.test", "validate_certs": True, "request_timeout": 1.0,
    "request_retries": 0,
}  # fmt: skip
WITH_SECRET = {
    "name": "web",
    "healthchecks": {"active": {"headers": {"Authorization": [SECRET], "Accept": ["x"]}}},
}


def _operation(work: Callable[[Task], dict[str, Any]]) -> Operation:
    return Operation(work, KONG_UPSTREAM.spec)


def _run(work: Callable[[Task], dict[str, Any]], check_mode: bool = False) -> dict[str, Any]:
    return run(
        _operation(work),
        PARAMS,
        check_mode=check_mode,
        diff=False,
        warn=print,
        session=Session(),
    )


def test_an_error_inside_is_a_failed_result_with_what_was_done_before() -> None:
    def work(task: Task) -> dict[str, Any]:
        error = Refused("why not", 400, fields={"a": "b"})
        error.within("Could not create upstream web")
        error.partial = {"changed": True, "changes": [1]}
        raise error

    assert _run(work) == {
        "changed": True,
        "changes": [1],
        "failed": True,
        "msg": "Could not create upstream web: why not",
        "failure": {"status": 400, "fields": {"a": "b"}},
    }


def test_a_failure_before_anything_was_done_is_no_change() -> None:
    assert failed(InputError("no"))["changed"] is False


@pytest.mark.parametrize("check_mode", [False, True])
def test_only_check_mode_predicts(check_mode: bool) -> None:
    result = _run(
        lambda task: {"predicting": isinstance(task.gateway, PredictingGateway)}, check_mode
    )
    assert result == {"predicting": check_mode}


def test_a_connection_that_cannot_be_fails_before_the_operation_runs() -> None:
    def work(task: Task) -> dict[str, Any]:
        raise AssertionError("it ran")

    result = run(
        _operation(work),
        {**PARAMS, "admin_url": "nonsense"},
        check_mode=False,
        diff=False,
        warn=print,
        session=Session(),
    )
    assert result["failed"] and "is not the URL of an Admin API" in result["msg"]


def _module(
    monkeypatch: pytest.MonkeyPatch, params: dict[str, Any], operation: Operation = KONG_UPSTREAM
) -> KongModule:
    """A module as a module process, with these task parameters."""
    arguments = {"ANSIBLE_MODULE_ARGS": {"admin_url": "http://gw.test", **params}}
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(arguments).encode())
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    return KongModule(operation.spec)


def test_a_module_keeps_nulls_and_masks_what_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    module = _module(monkeypatch, {**WITH_SECRET, "host_header": None})
    assert module.written["host_header"] is None
    assert SECRET in json.dumps(module.written)
    assert SECRET not in json.dumps(module.shown_params)


@pytest.mark.parametrize(
    "mistake",
    [{"slots": "many"}, {"unheard_of": 1}, {"algorithm": "none"}, {"name": None},
     {"healthchecks": {"active": {"headers": {"Authorization": [SECRET]}, "unheard_of": 1}}}],
)  # fmt: skip
def test_a_module_with_wrong_arguments_repeats_no_secret(
    mistake: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        _module(monkeypatch, {**WITH_SECRET, **mistake})
    printed = capsys.readouterr().out
    assert json.loads(printed)["failed"] is True
    assert SECRET not in printed


def test_a_module_logs_no_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(
        basic.AnsibleModule, "log", lambda self, msg, log_args=None: logged.append(repr(log_args))
    )
    caplog.set_level(logging.DEBUG)
    _module(monkeypatch, {**WITH_SECRET, "admin_token": SECRET})
    assert len(logged) == 1
    assert SECRET not in logged[0] + caplog.text


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        (KONG_STATE, {"content": {"consumers": [{"keyauth_credentials": [{"key": SECRET}]}]}}),
        (KONG_STATE, {"content": f"key: {SECRET}"}),
        (KONG_STATE, {"content": {}, "default_lookup_tags": {"services": [SECRET]}}),
        (KONG_ENTITY, {"path": "things", "entity": {"anything": SECRET}}),
        (KONG_UPSTREAM, {"name": "w", "admin_headers": {"Authorization": SECRET}}),
        (entity_operation(SERVICE), {"name": "s", "url": f"http://user:{SECRET}@h"}),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_what_is_free_form_is_not_shown_nor_logged(
    monkeypatch: pytest.MonkeyPatch, operation: Operation, params: dict[str, Any]
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(
        basic.AnsibleModule, "log", lambda self, msg, log_args=None: logged.append(repr(log_args))
    )
    module = _module(monkeypatch, params, operation)
    assert SECRET in json.dumps(module.written)
    assert SECRET not in json.dumps(module.shown_params) + logged[0]


def test_of_headers_those_with_credentials_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"Authorization": f"Bearer {SECRET}", "X-Env": "prod", "X-Api-Key": "k3y-0f-1t"}
    module = _module(monkeypatch, {"name": "prod-web", "admin_headers": headers})
    shown = {"Authorization": MASKED, "X-Env": "prod", "X-Api-Key": MASKED}
    assert module.shown_params["admin_headers"] == shown
    assert {f"Bearer {SECRET}", SECRET, "k3y-0f-1t"} <= module.no_log_values
    assert "prod" not in module.no_log_values


def test_after_a_failure_no_new_item_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_parallel, "WORKERS", 1)
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 2:
            raise KongError("it failed")
        return item

    with pytest.raises(KongError, match="it failed"):
        for_each(work, range(5))
    assert begun == [0, 1, 2]


def test_results_come_in_the_order_of_the_items() -> None:
    assert for_each(lambda item: item * 2, range(25)) == list(range(0, 50, 2))
    assert for_each(lambda item: item, []) == []


def test_a_sentence_about_what_no_output_can_hold_can_be_output_all_the_same() -> None:
    assert failed(InputError("service a\ud800: no"))["msg"] == "service a\\ud800: no"
