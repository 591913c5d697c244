# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source drift: differences from the state files, changes only, and no secret."""

from __future__ import annotations

import asyncio
import json
import os
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.gateway import Gateway, sandbox
from harness.paths import COLLECTION

SOURCE = runpy.run_path(str(COLLECTION / "extensions/eda/plugins/event_source/drift.py"))
TOKEN = "kong-admin-token-5772156649"
SECRET = "opens-alice-2718281828"
TARGET = "target 127.0.0.1:1 of upstream orders"
WEIGHT = "/upstreams/orders/targets/127.0.0.1:1"
STATE: dict[str, Any] = {
    "_format_version": "3.0",
    "upstreams": [
        {
            "name": "orders",
            "healthchecks": {"passive": {"unhealthy": {"http_failures": 5}}},
            "targets": [{"target": "127.0.0.1:1"}, {"target": "127.0.0.1:2"}],
        }
    ],
}


def looks(
    gateway: Gateway | str, *steps: Callable[[], Any], **options: Any
) -> list[list[dict[str, Any]]]:
    """Compare once, then after each step; the events of each of these looks."""

    async def work() -> list[list[dict[str, Any]]]:
        url = gateway if isinstance(gateway, str) else gateway.admin_url
        shared = {
            "state": "synced", "purge_kinds": ["upstream", "target"], "request_retries": 0,
            **({} if options.keys() & {"src", "content"} else {"content": STATE}), **options,
        }  # fmt: skip
        whole = SOURCE["options_of"]({"gateways": [{"name": "one", "admin_url": url}], **shared})
        queue: asyncio.Queue[Any] = asyncio.Queue()
        watch = SOURCE["Watch"](SOURCE["Comparison"](whole["gateways"][0]), queue, whole)
        found = []
        for step in (lambda: None, *steps):
            await asyncio.to_thread(step)
            await watch.once()
            found.append([queue.get_nowait()["drift"] for _event in range(queue.qsize())])
        return found

    return asyncio.run(work())


def seen(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["change"], each["difference"]) for each in events]


def weigh(gateway: Gateway, weight: int) -> Callable[[], Any]:
    return lambda: gateway.call("PATCH", WEIGHT, {"weight": weight})


def test_each_difference_is_emitted_once_when_it_appears_changes_and_goes(gateway: Gateway) -> None:
    found = looks(
        gateway,
        weigh(gateway, 300),
        lambda: None,
        weigh(gateway, 200),
        lambda: gateway.call("DELETE", WEIGHT),
        lambda: gateway.call("POST", "/upstreams/orders/targets", {"target": "127.0.0.1:1"}),
        lambda: gateway.call("POST", "/upstreams", {"name": "carts"}),
    )
    assert [seen(events) for events in found] == [
        [],
        [("drifted", f"update {TARGET}: weight 300 -> 100")],
        [],
        [("drifted", f"update {TARGET}: weight 200 -> 100")],
        [("drifted", f"create {TARGET}")],
        [("resolved", f"create {TARGET}")],
        [("drifted", "delete upstream carts")],
    ]
    (event,) = found[1]
    assert event.pop("at") > 0
    assert event == {
        "gateway": "one", "change": "drifted", "operation": "update", "kind": "target",
        "entity": TARGET, "difference": f"update {TARGET}: weight 300 -> 100", "reason": None,
    }  # fmt: skip


def test_nothing_is_written(gateway: Gateway) -> None:
    weigh(gateway, 300)()
    gateway.reset_requests()
    assert seen(looks(gateway)[0]) == [("drifted", f"update {TARGET}: weight 300 -> 100")]
    assert gateway.requests() and gateway.writes() == []


def test_what_differs_at_the_start_is_left_out_where_that_is_asked_for(gateway: Gateway) -> None:
    weigh(gateway, 300)()
    found = looks(gateway, weigh(gateway, 100), report_existing=False)
    assert seen(found[0]) == []
    assert seen(found[1]) == [("resolved", f"update {TARGET}: weight 300 -> 100")]


def test_a_file_that_changes_is_read_again(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "kong.yaml"
    file.write_text(json.dumps(STATE))

    def shrink() -> None:
        (upstream,) = STATE["upstreams"]
        smaller = {**upstream, "targets": upstream["targets"][1:]}
        file.write_text(json.dumps({**STATE, "upstreams": [smaller]}))

    found = looks(gateway, shrink, file.unlink, src=[str(file)])
    assert [seen(events) for events in found[:2]] == [[], [("drifted", f"delete {TARGET}")]]
    (failed,) = found[2]
    assert failed["change"] == "failed" and "kong.yaml: the file cannot be read" in failed["reason"]


def test_a_gateway_that_fails_is_reported_once_and_again_when_it_answers(gateway: Gateway) -> None:
    def recover() -> None:
        gateway.clear_faults()
        weigh(gateway, 300)()

    found = looks(
        gateway,
        lambda: gateway.faults(kind="answer", status=503, times=1000),
        lambda: None,
        recover,
    )
    assert [[each["change"] for each in events] for events in found] == [
        [], ["failed"], [], ["recovered", "drifted"],
    ]  # fmt: skip
    assert "503" in found[1][0]["reason"]


def test_pauses_grow_up_to_the_longest() -> None:
    args = {"admin_url": "http://127.0.0.1:1", "content": STATE, "request_retries": 0}
    options = SOURCE["options_of"]({**args, "interval": 2, "max_backoff": 30})

    async def pauses() -> list[float]:
        comparison = SOURCE["Comparison"](options["gateways"][0])
        watch = SOURCE["Watch"](comparison, asyncio.Queue(), options)
        return [await watch.once() for _look in range(8)]

    found = asyncio.run(pauses())
    assert found[:3] == sorted(found[:3])
    assert 3 <= found[0] <= 4 and found[-1] == 30


def test_no_secret_is_in_an_event_or_a_log(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    consumer = {"username": "alice", "keyauth_credentials": [{"key": SECRET}]}
    state = {"_format_version": "3.0", "consumers": [consumer]}

    def fill() -> None:
        gateway.call("POST", "/consumers", {"username": "alice"})
        gateway.call("POST", "/consumers/alice/key-auth", {"key": f"{SECRET}-another"})

    found = looks(
        gateway,
        fill,
        lambda: gateway.faults(kind="answer", status=401, body=f"{TOKEN} is wrong", times=1),
        content=state, state="applied", purge_kinds=None, admin_token=TOKEN,
        admin_headers={"X-Secret": SECRET},
    )  # fmt: skip
    assert [bool(events) for events in found] == [True, True, True]
    assert "create key_auth" in json.dumps(found)
    assert not any(secret in json.dumps(found) + caplog.text for secret in (TOKEN, SECRET))


def test_placeholders_are_read_from_the_environment(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "DECK_HOST", "127.0.0.1")
    text = json.dumps(STATE).replace("127.0.0.1", "${{ env \\\"DECK_HOST\\\" }}")
    assert seen(looks(gateway, content=text.replace('\\"', '"'))[0]) == []


def test_a_control_plane_of_konnect_is_compared() -> None:
    with sandbox(control_plane="default") as konnect:
        args = {"content": STATE, "state": "applied", **konnect.connection}
        (gateway,) = SOURCE["options_of"](args)["gateways"]
        assert gateway["name"] == "default"
        found = SOURCE["Comparison"](gateway).differences()
    assert {each["difference"] for each in found.values()} >= {f"create {TARGET}"}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "exactly one of src and content is required"),
        ({"src": ["a"], "content": {}}, "exactly one of src and content is required"),
        ({"src": ["a"], "interval": 0}, "interval must be greater than 0, got 0"),
        ({"src": ["a"], "gateways": []}, "gateways must be a list of dictionaries"),
        ({"src": ["a"], "gateways": ["http://a"]}, "each of gateways must be a dictionary"),
        ({"src": ["a"], "select_tag": "x"}, "no option select_tag; did you mean select_tags?"),
        ({"src": ["a"], "dest": "x"}, "irishtek.kong.drift has no option dest"),
        ({"src": ["a"], "admin_url": f"http://me:{TOKEN}@a"}, "must not hold credentials"),
    ],
)
def test_invalid_options_are_refused_by_name(args: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        SOURCE["options_of"](args)
    assert message in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_gateways_own_options_override_the_shared_ones() -> None:
    args = {
        "src": ["shared.yaml"], "state": "applied", "eda_feedback_queue": None,
        "gateways": [{"name": "a"}, {"name": "b", "content": STATE, "state": "synced"}],
    }  # fmt: skip
    assert SOURCE["options_of"](args)["gateways"] == [
        {"name": "a", "args": {"src": ["shared.yaml"], "state": "applied"}},
        {"name": "b", "args": {"content": STATE, "state": "synced"}},
    ]
