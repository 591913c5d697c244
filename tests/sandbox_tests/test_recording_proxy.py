# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recording proxy before a gateway: transparent, until a test asks for a fault."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from harness.gateway import Gateway, sandbox
from harness.recording import recorded

LOST = (httpx.RemoteProtocolError, httpx.ReadError)


@pytest.fixture(scope="module")
def _recorded() -> Iterator[Gateway]:
    with sandbox() as started, recorded(started) as gateway:
        yield gateway


@pytest.fixture
def gateway(_recorded: Gateway) -> Gateway:
    """A gateway behind the proxy, empty and well-behaved."""
    _recorded.reset()
    return _recorded


@pytest.fixture
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    """A client of the proxy."""
    with httpx.Client(base_url=gateway.admin_url, trust_env=False, timeout=10) as client:
        yield client


def _names(gateway: Gateway) -> list[str]:
    return [entity["name"] for entity in gateway.entities("/upstreams")]


def test_requests_and_answers_pass_as_they_are(gateway: Gateway, client: httpx.Client) -> None:
    made = client.post("/consumers", json={"username": "ä b"})
    assert made.status_code == 201 and made.headers["server"].startswith("kong/")
    shown = client.get("/consumers/%C3%A4%20b", params={"a": "b c"})
    assert shown.json() == made.json()
    assert client.get("/consumers/none").status_code == 404
    assert client.delete(f"/consumers/{made.json()['id']}").status_code == 204
    no_body = client.post("/consumers", headers={"Content-Type": "application/json"})
    assert (no_body.status_code, no_body.json()["message"]) == (400, "Cannot parse JSON body")
    assert client.head("/consumers").content == b""
    assert [(each["method"], each["path"], each["query"]) for each in gateway.requests()[:2]] == [
        ("POST", "/consumers", ""), ("GET", "/consumers/ä b", "a=b+c"),
    ]
    assert gateway.writes()[0] == "POST /consumers" and len(gateway.requests()) == 6


def test_the_log_holds_bodies_and_statuses_until_it_is_reset(
    gateway: Gateway, client: httpx.Client
) -> None:
    client.post("/upstreams", json={"name": "a.test"})
    assert gateway.requests() == [
        {"method": "POST", "path": "/upstreams", "query": "", "status": 201,
         "body": {"name": "a.test"}},
    ]  # fmt: skip
    gateway.reset_requests()
    assert gateway.requests() == []


def test_an_answer_takes_the_place_of_the_gateways_own(
    gateway: Gateway, client: httpx.Client
) -> None:
    match = {"method": "POST", "path": "^/upstreams$"}
    gateway.faults(match=match, kind="answer", status=429, headers={"Retry-After": "7"}, skip=1)
    statuses = [
        client.post("/upstreams", json={"name": name}).status_code for name in ("a", "b", "c")
    ]
    assert statuses == [201, 429, 201]
    assert sorted(_names(gateway)) == ["a", "c"]


@pytest.mark.parametrize(("kind", "written"), [("cut_before", []), ("cut_after", ["a.test"])])
def test_a_connection_is_cut_before_or_after_the_write(
    gateway: Gateway, client: httpx.Client, kind: str, written: list[str]
) -> None:
    gateway.faults(match={"method": "POST"}, kind=kind)
    with pytest.raises(LOST):
        client.post("/upstreams", json={"name": "a.test"})
    assert [each["status"] for each in gateway.requests()] == [None]
    assert _names(gateway) == written


def test_a_delay_waits_and_then_serves(gateway: Gateway, client: httpx.Client) -> None:
    gateway.faults(kind="delay", seconds=0.3)
    started = time.monotonic()
    assert client.post("/upstreams", json={"name": "a.test"}).status_code == 201
    assert time.monotonic() - started >= 0.3


def test_what_a_fault_holds_up_is_dropped_when_the_fault_is_withdrawn(
    gateway: Gateway, client: httpx.Client
) -> None:
    gateway.faults(match={"method": "POST"}, kind="delay", seconds=600)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(client.post, "/upstreams", json={"name": "a.test"})
        deadline = time.monotonic() + 30
        while not gateway.requests():
            assert time.monotonic() < deadline
        gateway.clear_faults()
        with pytest.raises(LOST):
            held.result(30)
    assert _names(gateway) == []


def test_an_answer_can_drip(gateway: Gateway, client: httpx.Client) -> None:
    gateway.faults(kind="drip", seconds=0.01)
    started, pieces = time.monotonic(), []
    with client.stream("GET", "/upstreams") as answer:
        pieces = list(answer.iter_raw())
    assert json.loads(b"".join(pieces)) == {"data": [], "next": None}
    assert len(pieces) > 1 and time.monotonic() - started >= 0.01 * len(b"".join(pieces))
    gateway.faults(kind="drip", seconds=600)
    with pytest.raises(httpx.ReadTimeout):
        client.get("/upstreams", timeout=0.1)


def test_connections_are_counted(gateway: Gateway) -> None:
    gateway.reset_requests()
    with httpx.Client(base_url=gateway.admin_url, trust_env=False) as client:
        client.get("/upstreams")
        client.get("/upstreams")
        assert gateway.connections() == (1, gateway.connections().most)
    together = threading.Barrier(3)

    def ask() -> None:
        with httpx.Client(base_url=gateway.admin_url, trust_env=False) as client:
            client.get("/upstreams")
            together.wait(30)

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(ask) for number in range(3)]:
            done.result(30)
    assert gateway.connections().total == 4 and gateway.connections().most >= 3


def test_a_gateway_that_is_gone_cuts_the_connection() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = Gateway(f"http://127.0.0.1:{taken.getsockname()[1]}", proxy_url="")
        with recorded(nobody) as gateway, pytest.raises(LOST):
            httpx.get(gateway.admin_url, trust_env=False)


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_real_gateway_is_emptied_only_when_it_is_the_tests(
    gateway: Gateway, is_ours: bool
) -> None:
    real = replace(gateway, is_sandbox=False, is_ours=is_ours)
    assert real.occupied() == {}
    service = real.call("POST", "/services", {"name": "theirs", "host": "a.test"})
    real.call("POST", "/routes", {"paths": ["/a"], "service": {"id": service["id"]}})
    real.call("POST", "/plugins", {"name": "cors", "service": {"id": service["id"]}})
    real.call("POST", "/upstreams", {"name": "irishtek-test-pool"})
    assert real.occupied() == {"/plugins": 1, "/routes": 1, "/services": 1, "/upstreams": 1}
    real.reset()
    left = {"/plugins": 1, "/routes": 1, "/services": 1}
    assert real.occupied() == ({} if is_ours else left)
