# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A probe tells what it saw, waits as long as it may, and fails with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ansible_collections.irishtek.kong.plugins.module_utils import _deadline, _exchange
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError, KongError
from ansible_collections.irishtek.kong.plugins.module_utils._operations._base import Result, Task
from ansible_collections.irishtek.kong.plugins.module_utils._operations._probe import (
    KONG_PROBE,
    run_probe,
)
from unit.scripted import Clock

URL = "http://proxy.test:8000/api"
OPTIONS = KONG_PROBE.spec.options
DEFAULTS = {name: option["default"] for name, option in OPTIONS.items() if "default" in option}
PAIR = [{"name": "a", "weight": 300}, {"name": "b", "weight": 100}]
Answer = Callable[[int], httpx.Response]


class Proxy:
    """Answers each request by its number, counted from 0, and advances the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: list[httpx.Request] = []
        self.clients = 0
        self.answer: Answer = lambda number: _from("aaab"[number % 4])
        self.seconds = 0.001
        self.clock = Clock()
        monkeypatch.setattr(_exchange, "new_httpx_client", self._client)
        monkeypatch.setattr(_deadline, "time", self.clock)

    def _client(self, url: str, tls: dict[str, Any], **settings: Any) -> httpx.Client:
        self.clients += 1
        return httpx.Client(transport=httpx.MockTransport(self._handle), **settings)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.clock.now += self.seconds
        return self.answer(len(self.requests) - 1)

    def probe(self, *, check: bool = False, **params: Any) -> Result:
        given = {"url": URL, **DEFAULTS, **params}
        return run_probe(Task(given, None, check, False, pytest.fail))

    def failure(self, **params: Any) -> KongError:
        with pytest.raises(KongError) as caught:
            self.probe(**params)
        return caught.value


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Proxy:
    return Proxy(monkeypatch)


def _from(server: str, status: int = 200, **more: Any) -> httpx.Response:
    return httpx.Response(status, headers={"X-Echo-Server": server}, **more)


def test_one_request_proves_a_status(proxy: Proxy) -> None:
    result = proxy.probe()
    assert (result["changed"], result["requests"], result["statuses"]) == (False, 1, {"200": 1})
    assert result["msg"] == f"1 of 1 requests to {URL} had an expected response"
    assert (result["problems"], result["counts"], result["shares"]) == ([], {}, [])
    assert [request.method for request in proxy.requests] == ["GET"]


def test_shares_are_counted_by_a_header(proxy: Proxy) -> None:
    result = proxy.probe(server_header="x-echo-server", expected=PAIR)
    assert result["msg"].endswith("8 of 8 requests to " + URL + " had an expected response: "
                                  "a 6 (weight 300), b 2 (weight 100)")  # fmt: skip
    assert result["counts"] == {"a": 6, "b": 2}
    assert [share["percent"] for share in result["shares"]] == [75.0, 25.0]
    assert result["table"][1:3] == ["a       300     6         6", "b       100     2         2"]
    assert proxy.clients == 1


def test_shares_are_counted_by_a_field_of_the_body(proxy: Proxy) -> None:
    proxy.answer = lambda number: httpx.Response(200, json={"from": {"pod": number % 2}})
    expected = [{"name": "0", "weight": 1}, {"name": "1", "weight": 1}]
    assert proxy.probe(server_field="from.pod", expected=expected)["counts"] == {"0": 2, "1": 2}


@pytest.mark.parametrize("body", ["no JSON", "[1]", '{"from": 1}', '{"from": {"pod": {}}}', ""])
def test_a_body_without_the_field_names_no_server(proxy: Proxy, body: str) -> None:
    proxy.answer = lambda number: httpx.Response(200, text=body)
    exc = proxy.failure(server_field="from.pod", expected=[{"name": "a", "weight": 1}])
    assert "not every response names its server in from.pod" in exc.message


def test_wrong_shares_fail_with_what_was_seen(proxy: Proxy) -> None:
    third = {"name": "c", "weight": 400}
    exc = proxy.failure(server_header="X-Echo-Server", expected=[*PAIR[::-1], third])
    assert exc.message == (
        f"16 of 16 requests to {URL} had an expected response: b 4 (weight 100), a 12 (weight 300),"
        " c 0 (weight 400); not as expected: b responded 4 times, expected 2 times; a responded "
        "12 times, expected 6 times; c responded 0 times, expected 8 times"
    )  # fmt: skip
    assert exc.partial["counts"] == {"a": 12, "b": 4}
    assert len(exc.partial["problems"]) == 3


def test_other_statuses_and_lost_requests_fail_with_their_numbers(proxy: Proxy) -> None:
    def answer(number: int) -> httpx.Response:
        if number == 2:
            raise httpx.ConnectError("connection refused")
        return httpx.Response(503 if number < 2 else 204)

    proxy.answer = answer
    exc = proxy.failure(requests=4, statuses=[200, 204])
    assert exc.message == (
        f"1 of 4 requests to {URL} had an expected response; not as expected: 1 of 4 requests had "
        "no response: connection refused; 2 of 4 responses had the status 503"
    )
    assert exc.partial["statuses"] == {"204": 1, "503": 2, "connection refused": 1}


def test_a_response_that_takes_too_long_is_none(proxy: Proxy) -> None:
    def answer(number: int) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    proxy.answer = answer
    exc = proxy.failure(request_timeout=0.5)
    assert "no response: timed out after 0.001 s" in exc.message


def test_the_latency_of_so_many_responses_is_bounded(proxy: Proxy) -> None:
    def answer(number: int) -> httpx.Response:
        proxy.clock.now += 1 if number == 9 else 0.1
        return httpx.Response(200)

    proxy.answer, proxy.seconds = answer, 0
    exc = proxy.failure(requests=10, max_latency=0.5)
    assert "the slowest response took 1 s, more than max_latency 0.5 s" in exc.message
    proxy.requests.clear()
    assert proxy.probe(requests=10, max_latency=0.5, latency_percentile=90)["latency"]["max"] == 1
    proxy.requests.clear()
    exc = proxy.failure(requests=10, max_latency=0.5, latency_percentile=95)
    assert "percentile 95 took 1 s" in exc.message


def test_it_waits_until_all_of_it_holds(proxy: Proxy) -> None:
    def answer(number: int) -> httpx.Response:
        if number < 3:
            return httpx.Response(404)
        return _from("a") if number < 8 else _from("ab"[number % 2])

    proxy.answer = answer
    result = proxy.probe(
        server_header="X-Echo-Server", wait_timeout=60,
        expected=[{"name": "a", "weight": 1}, {"name": "b", "weight": 1}],
    )  # fmt: skip
    assert result["counts"] == {"a": 2, "b": 2}
    # Three attempts end with their first request, one has the wrong shares.
    assert (result["attempts"], len(proxy.requests)) == (5, 13)
    assert proxy.clock.pauses == [1.0] * 4


def test_waiting_ends_in_time_and_says_how_long_it_waited(proxy: Proxy) -> None:
    proxy.answer = lambda number: httpx.Response(404)
    exc = proxy.failure(wait_timeout=3, requests=2)
    assert "; not as expected within 3 s: 1 of 1 responses had the status 404" in exc.message
    assert sum(proxy.clock.pauses) < 3.001
    assert exc.partial["attempts"] == 3


def test_several_connections_share_the_requests(proxy: Proxy) -> None:
    assert proxy.probe(requests=10, concurrency=4)["statuses"] == {"200": 10}
    assert proxy.clients == 4
    assert proxy.probe(requests=2, concurrency=4)["statuses"] == {"200": 2}
    assert proxy.clients == 6


def test_method_headers_and_body_are_sent(proxy: Proxy) -> None:
    proxy.probe(method="post", headers={"Host": "a.test", "X-N": 1}, body="{}")
    (request,) = proxy.requests
    assert (request.method, request.content) == ("POST", b"{}")
    assert (request.headers["host"], request.headers["x-n"]) == ("a.test", "1")


def test_redirects_are_not_followed(proxy: Proxy) -> None:
    proxy.answer = lambda number: httpx.Response(302, headers={"Location": "http://other.test/"})
    assert proxy.probe(statuses=[302])["statuses"] == {"302": 1}


def test_check_mode_sends_nothing(proxy: Proxy) -> None:
    result = proxy.probe(check=True, wait_timeout=60)
    assert (result["changed"], result["skipped"], proxy.requests) == (False, True, [])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"url": "ftp://a"}, "url must begin with http:// or https://"),
        ({"url": "http://[::1"}, "url must begin with http:// or https://"),
        ({"url": "http://u:s3cret@a"}, "url must not contain credentials; put them into headers"),
        ({"requests": 0}, "requests must be at least 1, got 0"),
        ({"concurrency": 0}, "concurrency must be at least 1"),
        ({"concurrency": 51}, "concurrency must be at most 50"),
        ({"wait_timeout": -1}, "wait_timeout must be at least 0"),
        ({"max_latency": 0.0}, "max_latency must be greater than 0, got 0"),
        ({"request_timeout": float("nan")}, "request_timeout must be greater than 0"),
        ({"latency_percentile": 101.0}, "latency_percentile must be greater than 0 and at most"),
        ({"expected": PAIR}, "expected needs server_header or server_field"),
        ({"expected": [{"name": "a", "weight": 0}], "server_header": "X"}, "and one above 0"),
        ({"expected": [{"weight": -1}], "server_header": "X"}, "weights of 0 or more"),
        ({"headers": {"X": "a\nb"}}, "the value of header 'X' must be printable ASCII"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_request(
    proxy: Proxy, params: dict[str, Any], message: str
) -> None:
    exc = proxy.failure(**params)
    assert isinstance(exc, InputError) and message in exc.message
    assert "s3cret" not in exc.message
    assert proxy.requests == []
