# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source upstream_health: changes only, all of them, and no secret."""

from __future__ import annotations

import asyncio
import json
import runpy
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from events.conftest import until
from harness.gateway import Gateway, sandbox
from harness.paths import ROOT

SOURCE = runpy.run_path(
    str(ROOT / "extensions/eda/plugins/event_source/upstream_health.py")
)
TOKEN = "kong-admin-token-5772156649"


def polls(gateway: Gateway | str, *steps: Callable[[], None], **options: Any) -> list[Any]:
    """Poll once, then after each step; the events of each of these polls."""

    async def work() -> list[Any]:
        url = gateway if isinstance(gateway, str) else gateway.admin_url
        whole = SOURCE["options_of"]({"gateways": [{"url": url, "name": "one"}], **options})
        queue: asyncio.Queue[Any] = asyncio.Queue()
        async with aiohttp.ClientSession() as session:
            one = SOURCE["Gateway"](whole["gateways"][0], session)
            watch = SOURCE["Watch"](one, queue, whole)
            found = []
            for step in (lambda: None, *steps):
                await asyncio.to_thread(step)
                await watch.once()
                found.append([queue.get_nowait() for _event in range(queue.qsize())])
            return found

    return asyncio.run(work())


def seen(events: list[Any]) -> list[tuple[Any, ...]]:
    bodies = [event["upstream_health"] for event in events]
    return [(each["target"], each["change"], each["previous"]) for each in bodies]


def write(
    gateway: Gateway, method: str, path: str, body: Any = None, health: str | None = None
) -> Callable[[], None]:
    """A write to `orders`, and the wait until the balancer shows the target like that."""

    def step() -> None:
        gateway.call(method, f"/upstreams/orders{path}", body)
        if health:
            target = (body or {}).get("target", "127.0.0.1:1")
            until(gateway, lambda found: found.get(target) == health)

    return step


def mark(gateway: Gateway, health: str) -> Callable[[], None]:
    return write(gateway, "PUT", f"{FIRST}/{health}", health=health.upper())


FIRST = "/targets/127.0.0.1:1"


def test_each_change_is_emitted_once_and_nothing_else_is(gateway: Gateway) -> None:
    found = polls(
        gateway,
        lambda: None,
        mark(gateway, "unhealthy"),
        lambda: None,
        mark(gateway, "healthy"),
        write(gateway, "PATCH", FIRST, {"weight": 0}, "HEALTHCHECKS_OFF"),
        write(gateway, "PATCH", FIRST, {"weight": 50}, "HEALTHY"),
        write(gateway, "POST", "/targets", {"target": "127.0.0.1:3"}, "HEALTHY"),
        write(gateway, "DELETE", FIRST),
        write(gateway, "DELETE", ""),
    )
    one = "127.0.0.1:1"
    assert [sorted(seen(events)) for events in found] == [
        [],
        [],
        [(one, "unhealthy", "healthy")],
        [],
        [(one, "healthy", "unhealthy")],
        [(one, "drained", "healthy")],
        [(one, "healthy", "drained")],
        [("127.0.0.1:3", "added", None)],
        [(one, "removed", "healthy")],
        [("127.0.0.1:2", "removed", "healthy"), ("127.0.0.1:3", "removed", "healthy")],
    ]
    (event,) = found[5]
    body = event["upstream_health"]
    assert body.pop("at") > 0
    assert body == {
        "gateway": "one", "upstream": "orders", "target": one, "change": "drained",
        "previous": "healthy", "status": "drained", "weight": 0,
    }  # fmt: skip


def test_a_response_that_is_the_last_one_again_is_not_read(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    decoded = SOURCE["_decoded"]

    def watched(body: bytes) -> Any:
        read.append(body)
        return decoded(body)

    monkeypatch.setitem(SOURCE["Gateway"]._entries.__globals__, "_decoded", watched)
    polls(gateway, lambda: None, lambda: None, upstreams=["orders"])
    assert len(read) == 1


def test_a_target_that_is_unhealthy_at_the_start_is_emitted_with_report_existing(
    gateway: Gateway,
) -> None:
    mark(gateway, "unhealthy")()
    assert polls(gateway) == [[]]
    (events,) = polls(gateway, report_existing=True)
    assert seen(events) == [("127.0.0.1:1", "unhealthy", None)]


def test_without_health_checks_targets_are_unchecked(gateway: Gateway) -> None:
    off = {"healthchecks": {"passive": {"unhealthy": {"http_failures": 0}}}}
    found = polls(gateway, write(gateway, "PATCH", "", off, "HEALTHCHECKS_OFF"))
    assert sorted(seen(found[1])) == [
        ("127.0.0.1:1", "unchecked", "healthy"),
        ("127.0.0.1:2", "unchecked", "healthy"),
    ]


def test_more_upstreams_are_found_at_the_next_discovery(gateway: Gateway) -> None:
    def add() -> None:
        gateway.call("POST", "/upstreams", {"name": "carts"})

    def fill() -> None:
        # Weight 0: a status that does not wait for a balancer.
        gateway.call("POST", "/upstreams/carts/targets", {"target": "127.0.0.1:9", "weight": 0})

    assert seen(polls(gateway, add, fill, discovery_interval=1e-9)[2]) == [
        ("127.0.0.1:9", "added", None)
    ]
    gateway.call("DELETE", "/upstreams/carts")
    assert polls(gateway, add, fill)[2] == []


def test_a_gateway_that_fails_is_reported_once_and_again_when_it_answers(gateway: Gateway) -> None:
    fault = {"match": {"path": "/health$"}, "kind": "answer", "status": 503, "times": 2}
    found = polls(
        gateway,
        lambda: gateway.faults(**fault),
        lambda: None,
        mark(gateway, "unhealthy"),
    )
    assert [seen(events) for events in found] == [
        [],
        [(None, "unreachable", None)],
        [],
        [("127.0.0.1:1", "unhealthy", "healthy"), (None, "reachable", None)],
    ]


def test_pauses_grow_up_to_the_longest_and_are_the_gateways_own_where_it_names_one() -> None:
    options = SOURCE["options_of"]({"gateways": ["http://127.0.0.1:1"], "interval": 2})

    async def pauses() -> list[float]:
        async with aiohttp.ClientSession() as session:
            one = SOURCE["Gateway"](options["gateways"][0], session)
            watch = SOURCE["Watch"](one, asyncio.Queue(), options)
            return [await watch.once() for _poll in range(40)]

    found = asyncio.run(pauses())
    assert found == sorted(found[:5]) + found[5:]
    assert 3 <= found[0] <= 4 and found[-1] <= 60 and min(found[10:]) >= 45

    async def asked_to_wait(gateway: Gateway) -> float:
        whole = SOURCE["options_of"]({"gateways": [gateway.admin_url], "interval": 1})
        async with aiohttp.ClientSession() as session:
            one = SOURCE["Gateway"](whole["gateways"][0], session)
            return float(await SOURCE["Watch"](one, asyncio.Queue(), whole).once())

    with sandbox() as gateway:
        gateway.faults(kind="answer", status=429, headers={"Retry-After": "30"})
        assert asyncio.run(asked_to_wait(gateway)) == 30


def test_no_secret_is_in_an_event_or_a_log(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    found = polls(
        gateway,
        mark(gateway, "unhealthy"),
        lambda: gateway.faults(kind="cut_before", times=2),
        lambda: gateway.faults(kind="answer", status=401, body=TOKEN, times=1),
        token=TOKEN,
        headers={"X-Secret": TOKEN},
    )
    sent = gateway.requests()
    assert sent and found[1] and found[2]
    assert TOKEN not in json.dumps(found) + caplog.text
    assert "HTTP 401" in caplog.text


def test_a_status_port_is_polled_for_the_upstreams_that_are_named(tmp_path: Any) -> None:
    document = {
        "_format_version": "3.0",
        "upstreams": [{"name": "orders", "targets": [{"target": "127.0.0.1:1"}]}],
    }
    config = tmp_path / "kong.json"
    config.write_text(json.dumps(document))
    options = ("--mode", "dbless", "--config", str(config), "--status-port", "0")
    with sandbox(*options, "--health-delay", "0") as gateway:
        url = gateway.status_url
        assert seen(polls(url)[0]) == [(None, "unreachable", None)]
        assert polls(url, upstreams=["orders"]) == [[]]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "gateways is required"),
        ({"gateways": []}, "gateways is required"),
        ({"gateways": "http://127.0.0.1"}, "gateways is required"),
        ({"gateways": ["kong-1"]}, "gateway 1 has no url"),
        ({"gateways": ["http://a", {"name": "b"}]}, "gateway 2 has no url"),
        ({"gateways": [f"http://me:{TOKEN}@a"]}, "must not hold credentials: use token"),
        ({"gateways": ["http://a"], "interval": 0}, "interval must be greater than 0, got 0"),
        ({"gateways": ["http://a"], "timeout": -1}, "timeout must be greater than 0, got -1"),
    ],
)
def test_invalid_options_are_refused_by_name(args: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        SOURCE["options_of"](args)
    assert message in str(caught.value)
    assert TOKEN not in str(caught.value)
