# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Door two opens only where nothing asks for another process, and hands on plain values."""

from __future__ import annotations

import datetime
import json
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action.normal import ActionModule as NormalAction

from ansible_collections.irishtek.kong.plugins.action import kong_upstream
from ansible_collections.irishtek.kong.plugins.plugin_utils import _action
from ansible_collections.irishtek.kong.plugins.plugin_utils._action import SWITCH, plain

SECRET = "correct-horse"


def _way(args: dict[str, Any] | None = None, **changes: Any) -> Any:
    """The action plugin of kong_upstream for a local task; ``changes`` are its circumstances."""
    found = {"transport": "local", "become": False, "async_val": 0, "environment": [], **changes}
    action: Any = object.__new__(kong_upstream.ActionModule)
    action._task = SimpleNamespace(
        action="irishtek.kong.kong_upstream",
        args=args or {},
        async_val=found["async_val"],
        environment=found["environment"],
        check_mode=False,
        diff=False,
    )
    action._connection = SimpleNamespace(transport=found["transport"])
    action._play_context = SimpleNamespace(become=found["become"])
    return action


@pytest.fixture(autouse=True)
def _no_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SWITCH, raising=False)


def test_a_local_task_runs_in_this_process() -> None:
    assert _way()._runs_here({})
    assert _way(environment=[{}, None])._runs_here({})


@pytest.mark.parametrize(
    "changes",
    [{"transport": "ssh"}, {"become": True}, {"async_val": 5}, {"environment": [{"A": "b"}]}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_task_that_asks_for_another_process_gets_one(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    way = _way(**changes)
    assert not way._runs_here({})
    monkeypatch.setattr(NormalAction, "run", lambda self, tmp, task_vars: {"way": "one"})
    assert way.run(None, {}) == {"way": "one"}


@pytest.mark.parametrize(
    ("value", "here"), [("0", False), ("false", False), ("no", False), ("1", True), ("", True)]
)
def test_in_process_can_be_switched_off(
    value: str, here: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SWITCH, value)
    assert _way()._runs_here({}) is here


def test_in_process_can_be_switched_off_for_a_host() -> None:
    assert not _way()._runs_here({"kong_ansible_in_process": False})


def test_without_the_http_library_the_module_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_action, "HTTPX_IMPORT_ERROR", "no module named httpx")
    assert not _way()._runs_here({})


class Tagged(str):
    """A text as newer versions of ansible-core hand it over."""


class TaggedDict(dict[Any, Any]):
    """A dictionary of that sort."""


class Vaulted:
    """A vaulted text as older versions hand it over: decrypted when it is made a text."""

    def __str__(self) -> str:
        return SECRET


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (Tagged("a"), "a"),
        (TaggedDict({Tagged("a"): [Tagged("b"), 1, 1.5]}), {"a": ["b", 1, 1.5]}),
        ((1, 2), [1, 2]),
        ({"a"}, ["a"]),
        (Vaulted(), SECRET),
        (datetime.date(2020, 1, 2), "2020-01-02"),
        (b"abc", "abc"),
    ],
)
def test_values_become_those_that_a_module_would_get(value: Any, expected: Any) -> None:
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected)
    json.dumps(found)


def test_texts_inside_lose_their_tags_too() -> None:
    found = plain({"a": [Tagged("b")]})
    # A tagged text is an instance of str, too, so the class itself is looked at.
    assert found["a"][0].__class__ is str


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"unheard_of": 1}, "Unsupported parameters for (irishtek.kong.kong_upstream) module"),
        ({"slots": "many"}, "slots"),
        ({"name": None}, "name must not be null"),
        ({"admin_url": f"http://a:{SECRET}@gw.test"}, "admin_url must not contain credentials"),
        ({"admin_url": "http://gw.test", "admin_token": f"{SECRET}\n"}, "admin_token must be"),
    ],
)
def test_wrong_arguments_fail_as_in_a_module_and_repeat_no_secret(
    args: dict[str, Any], message: str
) -> None:
    headers = {"Authorization": [SECRET]}
    written = {"name": "web", "healthchecks": {"active": {"headers": headers}}, **args}
    result = _way(written)._run_here()
    assert result["failed"] is True
    assert message in result["msg"]
    assert SECRET not in json.dumps(result)
