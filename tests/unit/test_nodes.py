# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting is over when every node balances so; a lost connection does not end it, its time does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError, KongError
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._admin import AdminGateway
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._protocol import Gateway
from ansible_collections.irishtek.kong.plugins.module_utils._operations._base import Task
from ansible_collections.irishtek.kong.plugins.module_utils._operations._info import run_ping
from ansible_collections.irishtek.kong.plugins.module_utils._operations._nodes import (
    balancing_nodes,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._target import run_target
from unit.scripted import URL, Clock, answer, client_for

ID = "11111111-2222-4333-8444-555555555555"
ONE = {"id": ID, "target": "10.0.0.1:80", "weight": 100, "tags": None}
TWO = {"id": ID.replace("1", "2"), "target": "10.0.0.2:80", "weight": 100, "tags": None}
OTHER = "http://other.test:8007"
POOL = "/upstreams/web/targets"
Answers = dict[tuple[str, str], Any]


class Nodes:
    """Gateways that answer by path and URL: with a response, or with what a call gives."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: Answers, role: str) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self._patch = monkeypatch
        self.role = role
        self.gateway, self.clock = self._open(URL)

    def _open(self, url: str, **connection: Any) -> tuple[AdminGateway, Clock]:
        client, clock = client_for(self._handle, self._patch, url=url, **connection)
        return AdminGateway(client), clock

    def node(self, url: str) -> Gateway:
        return self._open(url)[0]

    def _handle(self, request: httpx.Request) -> httpx.Response:
        url = f"{request.url.scheme}://{request.url.netloc.decode()}"
        self.asked.append(f"{request.method} {url}{request.url.path}")
        if request.url.path == "/":
            root = {"version": "3.9.1", "configuration": {"role": self.role}}
            return answer(200, root)
        found = self.answers[url, request.url.path]
        result: httpx.Response = found() if callable(found) else found
        return result

    def run(self, check_mode: bool = False, **params: Any) -> Any:
        written = {"upstream": "web", "target": "10.0.0.1:80", "state": "drained", "wait": True,
                   "wait_timeout": 10, **params}  # fmt: skip
        task = Task(written, self.gateway, check_mode, False, print, node=self.node)
        return run_target(task)


def _page(*entities: Entity) -> httpx.Response:
    return answer(200, {"data": list(entities) or {}, "next": None})


def _seen(weight: int, health: str = "HEALTHCHECKS_OFF") -> httpx.Response:
    return _page({**ONE, "health": health, "data": {"nodeWeight": weight}})


def _after(looks: int, then: httpx.Response, first: Any) -> Callable[[], httpx.Response]:
    left = [first] * looks

    def answered() -> httpx.Response:
        each = left.pop() if left else then
        if isinstance(each, httpx.Response):
            return each
        raise each("lost")

    return answered


def _answers(own: Any, other: Any) -> Answers:
    return {
        (URL, POOL): _page(ONE, TWO),
        (URL, f"{POOL}/{ID}"): answer(200, {**ONE, "weight": 0}),
        (URL, "/upstreams/web/health"): own,
        (OTHER, "/upstreams/web/health"): other,
    }


def test_every_node_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = Nodes(monkeypatch, _answers(_seen(0), _after(3, _seen(0), _seen(100))), "traditional")
    result = nodes.run(status_urls=[OTHER])
    assert result["health"] == {"10.0.0.1:80": "HEALTHCHECKS_OFF"}
    assert result["nodes"] == {URL: result["health"], OTHER: result["health"]}
    assert len(nodes.clock.pauses) == 3


def test_a_node_that_does_not_follow_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = Nodes(monkeypatch, _answers(_seen(0), _seen(100)), "traditional")
    with pytest.raises(KongError) as caught:
        nodes.run(status_urls=[OTHER])
    assert caught.value.message == (
        f"targets of upstream web at {URL} are not out of the balancer after 10 s: "
        f"10.0.0.1:80 is HEALTHCHECKS_OFF with the weight 100 at {OTHER}"
    )
    assert set(caught.value.failure["nodes"]) == {URL, OTHER}


@pytest.mark.parametrize(
    "lost", [httpx.ReadError, httpx.ConnectError, answer(503, {"message": ""})]
)
@pytest.mark.parametrize("own", [True, False])
def test_waiting_survives_a_lost_connection(
    monkeypatch: pytest.MonkeyPatch, lost: Any, own: bool
) -> None:
    away = _after(5, _seen(0), lost)
    answers = _answers(away, _seen(0)) if own else _answers(_seen(0), away)
    nodes = Nodes(monkeypatch, answers, "traditional")
    assert nodes.run(status_urls=[OTHER])["nodes"][OTHER]


def test_a_node_that_never_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = _answers(_seen(0), _after(99, _seen(0), httpx.ConnectError))
    nodes = Nodes(monkeypatch, answers, "traditional")
    start = nodes.clock.now
    with pytest.raises(KongError, match=rf"no response from {OTHER}"):
        nodes.run(status_urls=[OTHER])
    assert nodes.clock.now - start <= 10


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_control_plane_alone_is_refused_in_check_mode_too(
    monkeypatch: pytest.MonkeyPatch, check_mode: bool
) -> None:
    nodes = Nodes(monkeypatch, _answers(_page(), _page()), "control_plane")
    with pytest.raises(InputError, match="no balancer to wait for; set status_urls to"):
        nodes.run(check_mode)
    assert nodes.asked == [f"GET {URL}/"]


def test_the_data_planes_of_a_control_plane_are_asked_and_not_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nodes = Nodes(monkeypatch, _answers(None, _seen(0)), "control_plane")
    assert nodes.run(status_urls=[OTHER])["nodes"] == {OTHER: {"10.0.0.1:80": "HEALTHCHECKS_OFF"}}
    assert f"GET {URL}/upstreams/web/health" not in nodes.asked


PLANES: list[Entity] = [
    {"hostname": "dp-1", "ip": "10.0.0.21", "last_seen": 1_767_225_600},
    {"hostname": "dp-2", "ip": "fd00::2", "last_seen": 1_767_225_570},
    {"hostname": "gone", "ip": "10.0.0.23", "last_seen": 1_767_000_000},
    {"hostname": "never", "ip": "10.0.0.24"},
]


@pytest.mark.parametrize(
    ("written", "urls"),
    [
        (["http://{ip}:8007"], ["http://10.0.0.21:8007", "http://[fd00::2]:8007"]),
        (["http://{hostname}:8007"], ["http://dp-1:8007", "http://dp-2:8007"]),
        ([OTHER, "http://{hostname}:1", OTHER], [OTHER, "http://dp-1:1", "http://dp-2:1"]),
    ],
)
def test_the_control_planes_list_names_its_data_planes(
    monkeypatch: pytest.MonkeyPatch, written: list[str], urls: list[str]
) -> None:
    answers = {(URL, "/clustering/data-planes"): _page(*PLANES)}
    nodes = Nodes(monkeypatch, answers, "control_plane")
    task = Task({"status_urls": written}, nodes.gateway, False, False, print, node=nodes.node)
    assert [node.url for node in balancing_nodes(task)] == urls


def test_a_list_without_data_planes_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {(URL, "/clustering/data-planes"): answer(404, {"message": "Not found"})}
    with pytest.raises(InputError, match=r"has no connected data planes for http://\{ip\}:8007"):
        Nodes(monkeypatch, answers, "traditional").run(status_urls=["http://{ip}:8007"])


def _pinged(monkeypatch: pytest.MonkeyPatch, handler: Any, **params: Any) -> tuple[Any, Clock]:
    client, clock = client_for(handler, monkeypatch)
    written = {"wait": True, "wait_timeout": 60, "wait_interval": 1.0, **params}
    return Task(written, AdminGateway(client), False, False, print), clock


def test_a_ping_that_waits_ends_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        clock.now += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("slow", request=request)

    task, clock = _pinged(monkeypatch, slow, wait_timeout=1)
    start = clock.now
    with pytest.raises(KongError, match="waited 1 s: no response"):
        run_ping(task)
    assert clock.now - start == pytest.approx(1)


def test_a_ping_waits_for_a_gateway_that_comes_up(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[Any] = [
        httpx.ConnectError, httpx.ReadError, answer(502, text="<html>"),
        answer(200, text="<html>"), answer(500, {"message": "x"}), answer(404, {"message": "x"}),
    ]  # fmt: skip

    def handler(request: httpx.Request) -> httpx.Response:
        each = left.pop(0) if left else answer(200, {"version": "3.9.1"})
        if isinstance(each, httpx.Response):
            return each
        raise each("lost", request=request)

    task, _clock = _pinged(monkeypatch, handler)
    assert run_ping(task)["version"] == "3.9.1"


@pytest.mark.parametrize("status", [401, 403])
def test_a_ping_does_not_wait_for_refused_credentials(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    task, clock = _pinged(monkeypatch, lambda request: answer(status, {"message": "no"}))
    with pytest.raises(KongError, match=str(status)):
        run_ping(task)
    assert clock.pauses == []


def test_a_time_of_nothing_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    task, clock = _pinged(
        monkeypatch, lambda request: answer(200, {"version": "3.9.1"}), wait_timeout=0
    )
    assert run_ping(task)["version"] == "3.9.1"
    assert clock.pauses == []
