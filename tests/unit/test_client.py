# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests are repeated where that is harmless, within a deadline, and lists are read whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ansible_collections.irishtek.kong.plugins.module_utils import _client
from ansible_collections.irishtek.kong.plugins.module_utils._client import segment
from ansible_collections.irishtek.kong.plugins.module_utils._errors import (
    Refused,
    UnexpectedAnswer,
    Unreachable,
)
from unit.scripted import Script, Step, answer, client_for

Scripts = Callable[..., Script]
LOST, DOWN = httpx.ReadError, httpx.ConnectError
ALL = ("GET", "PUT", "PATCH", "DELETE", "POST")


def _retried(scripts: Scripts, monkeypatch: pytest.MonkeyPatch, method: str, first: Any) -> bool:
    """Whether a request is sent a second time after ``first``."""
    handler = scripts(Step(method, "/x", first))
    client, clock = client_for(handler, monkeypatch, retries=1)
    try:
        client.request(method, "/x")
    except AssertionError:
        return True
    except (Unreachable, Refused):
        assert clock.pauses == []
    return False


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize(
    ("first", "harmless_always"),
    [
        (DOWN, True),
        (httpx.ConnectTimeout, True),
        (answer(429, {"message": "slow"}), True),
        (LOST, False),
        (httpx.ReadTimeout, False),
        (httpx.RemoteProtocolError, False),
        (answer(502, {"message": "no"}), False),
        (answer(503, text="<html>"), False),
        (answer(504, {}), False),
    ],
)
def test_what_may_have_been_done_is_not_sent_twice(
    script: Scripts,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    first: Any,
    harmless_always: bool,
) -> None:
    expected = harmless_always or method != "POST"
    assert _retried(script, monkeypatch, method, first) == expected


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 500])
def test_a_clear_refusal_is_not_asked_for_again(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    assert not _retried(script, monkeypatch, "GET", answer(status, {"message": "no"}))


def test_a_post_that_only_asks_is_repeated(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = script(Step("POST", "/x", LOST), Step("POST", "/x", answer(200, {"ok": 1})))
    client, clock = client_for(handler, monkeypatch)
    assert client.request("POST", "/x", {}, repeatable=True) == {"ok": 1}
    assert len(clock.pauses) == 1


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_request_is_sent_again_as_often_as_is_written(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, retries: int
) -> None:
    handler = script(*[Step("GET", "/x", DOWN)] * (retries + 1))
    client, clock = client_for(handler, monkeypatch, retries=retries)
    with pytest.raises(Unreachable) as caught:
        client.request("GET", "/x")
    assert caught.value.failure["attempts"] == retries + 1
    assert len(clock.pauses) == retries


def test_pauses_grow_vary_and_end(script: Scripts, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = script(*[Step("GET", "/x", DOWN)] * 9)
    client, clock = client_for(handler, monkeypatch, retries=8, timeout=100.0)
    with pytest.raises(Unreachable):
        client.request("GET", "/x")
    longest = [min(5.0, 0.2 * 2**attempt) for attempt in range(8)]
    for pause, most in zip(clock.pauses, longest, strict=True):
        assert most / 2 <= pause <= most


def test_retry_after_is_honoured(script: Scripts, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = script(
        Step("POST", "/x", answer(429, {"message": "slow"}, retry_after="7")),
        Step("POST", "/x", answer(201, {"id": "1"})),
    )
    client, clock = client_for(handler, monkeypatch)
    assert client.request("POST", "/x", {}) == {"id": "1"}
    assert clock.pauses == [7.0]


def test_retry_after_never_exceeds_the_deadline(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = script(Step("GET", "/x", answer(429, {"message": "slow"}, retry_after="41")))
    client, clock = client_for(handler, monkeypatch, timeout=10.0, retries=3)
    with pytest.raises(Refused) as caught:
        client.request("GET", "/x")
    assert clock.pauses == []
    assert caught.value.failure["retry_after"] == 41
    assert caught.value.failure["attempts"] == 1


def test_all_attempts_end_with_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        clock.now += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("slow", request=request)

    client, clock = client_for(slow, monkeypatch, timeout=10.0, retries=9)
    start = clock.now
    with pytest.raises(Unreachable):
        client.request("GET", "/x")
    assert 90.0 < clock.now - start <= 100.0


def test_lists_are_read_by_offset_in_pages_of_1000(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {"data": [{"n": 1}, {"n": 2}], "offset": "a b=", "next": "/x?offset=a%20b%3D"}
    handler = script(
        Step("GET", "/x?size=1000&tags=t%2Cu", answer(200, first)),
        Step("GET", "/x?size=1000&tags=t%2Cu&offset=a+b%3D", answer(200, {"data": [{"n": 3}]})),
    )
    client, _clock = client_for(handler, monkeypatch)
    found = [each["n"] for each in client.pages("/x", {"tags": "t,u"})]
    assert found == [1, 2, 3]


@pytest.mark.parametrize("empty", [{}, []])
def test_an_empty_list_may_come_as_an_empty_object(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, empty: Any
) -> None:
    client, _clock = client_for(
        script(Step("GET", "/x?size=1000", answer(200, {"data": empty, "next": None}))),
        monkeypatch,
    )
    assert list(client.pages("/x")) == []


def test_what_is_no_list_is_said_to_be_none(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _clock = client_for(
        script(Step("GET", "/x?size=1000", answer(200, {"version": "3.10.0"}))), monkeypatch
    )
    with pytest.raises(UnexpectedAnswer, match="GET http://gateway.test:8001/x is not a list"):
        list(client.pages("/x"))


def test_a_request_without_a_body_has_no_content_type(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = script(
        Step("DELETE", "/x", answer(204)), Step("PATCH", "/x", answer(200, {}), {"weight": 0})
    )
    client, _clock = client_for(handler, monkeypatch)
    assert client.request("DELETE", "/x") is None
    client.request("PATCH", "/x", {"weight": 0})
    without, with_body = handler.requests
    assert "content-type" not in without.headers
    assert without.content == b""
    assert with_body.headers["content-type"] == "application/json"


def test_credentials_go_as_headers_with_every_request(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = script(Step("GET", "/", answer(200, {})), Step("GET", "/x", answer(200, {})))
    client, _clock = client_for(handler, monkeypatch, headers=(("Kong-Admin-Token", "t"),))
    client.request("GET", "/")
    client.request("GET", "/x")
    assert [each.headers["Kong-Admin-Token"] for each in handler.requests] == ["t", "t"]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("web", "web"),
        ("10.0.0.1:80", "10.0.0.1:80"),
        ("[::1]:80", "%5B::1%5D:80"),
        ("a/b", "a%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("a b%", "a%20b%25"),
        ("../x", "..%2Fx"),
        ("caf\u00e9", "caf%C3%A9"),
    ],
)
def test_a_name_is_one_segment_of_a_path(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, text: str, quoted: str
) -> None:
    assert segment(text) == quoted
    handler = script(Step("GET", f"/upstreams/{quoted}", answer(200, {})))
    client_for(handler, monkeypatch)[0].request("GET", f"/upstreams/{segment(text)}")


def test_each_thread_has_a_client_of_its_own_and_close_closes_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, _clock = client_for(lambda request: answer(200, {}), monkeypatch)
    made: list[httpx.Client] = []
    make = vars(_client)["new_httpx_client"]

    def counted(*args: Any, **settings: Any) -> httpx.Client:
        made.append(make(*args, **settings))
        return made[-1]

    monkeypatch.setattr(_client, "new_httpx_client", counted)

    def work() -> None:
        client.request("GET", "/")
        client.request("GET", "/")

    threads = [threading.Thread(target=work) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert len(made) == 3
    client.close()
    assert all(each.is_closed for each in made)
    client.request("GET", "/")
    assert len(made) == 4
