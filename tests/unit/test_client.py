# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests are repeated where that is harmless, within a deadline, and lists are read whole."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._connection import segment
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


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409])
def test_a_clear_refusal_is_not_asked_for_again(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    assert not _retried(script, monkeypatch, "GET", answer(status, {"message": "no"}))


@pytest.mark.parametrize("method", ALL)
def test_an_internal_error_is_asked_for_again_where_the_whole_is_sent(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    expected = method in ("GET", "PUT", "DELETE")
    assert _retried(script, monkeypatch, method, answer(500, {"message": "no"})) == expected


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
    longest = [min(5.0, 0.4 * 3**attempt) for attempt in range(8)]
    for pause, most in zip(clock.pauses, longest, strict=True):
        assert most * 0.75 <= pause <= most


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_a_gateway_that_is_away_for_two_seconds_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        away = clock.now < start + 2
        return answer(503, {"message": "later"}) if away else answer(200, {"id": "1"})

    monkeypatch.setattr("random.uniform", lambda least, most: least)
    client, clock = client_for(handler, monkeypatch)
    start = clock.now
    assert client.request(method, "/x") == {"id": "1"}


DATE = "Tue, 01 Dec 2026 08:00:07 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after": "60"}, 60.0),
        ({"retry_after": DATE, "date": "Tue, 01 Dec 2026 08:00:00 GMT"}, 7.0),
        ({"retry_after": DATE, "date": "Tue, 01 Dec 2026 07:00:00 -0100"}, 7.0),
        ({"retry_after": DATE}, 3.0),
    ],
    ids=["seconds", "fraction", "a minute", "date", "date of another zone", "date by our clock"],
)
def test_retry_after_is_honoured(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], seconds: float
) -> None:
    handler = script(
        Step("POST", "/x", answer(429, {"message": "slow"}, **headers)),
        Step("POST", "/x", answer(201, {"id": "1"})),
    )
    client, clock = client_for(handler, monkeypatch)
    clock.now = datetime.datetime(2026, 12, 1, 8, 0, 4, tzinfo=datetime.UTC).timestamp()
    assert client.request("POST", "/x", {}) == {"id": "1"}
    assert sum(clock.pauses) == seconds


@pytest.mark.parametrize("nonsense", ["soon", "nan", "inf", "-1", ""])
def test_a_retry_after_of_nonsense_is_none(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, nonsense: str
) -> None:
    handler = script(
        Step("GET", "/x", answer(429, {"message": "slow"}, retry_after=nonsense)),
        Step("GET", "/x", answer(200, {})),
    )
    client, clock = client_for(handler, monkeypatch)
    client.request("GET", "/x")
    assert sum(clock.pauses) <= 1


@pytest.mark.parametrize(("status", "after", "pauses"), [(503, "41", 0), (429, "61", 0)])
def test_what_takes_too_long_is_not_waited_for(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, status: int, after: str, pauses: int
) -> None:
    handler = script(Step("GET", "/x", answer(status, {"message": "slow"}, retry_after=after)))
    client, clock = client_for(handler, monkeypatch, timeout=10.0, retries=3)
    with pytest.raises(Refused) as caught:
        client.request("GET", "/x")
    assert clock.pauses == []
    assert caught.value.failure["retry_after"] == float(after)
    assert caught.value.failure["attempts"] == 1


@pytest.mark.parametrize("retries", [0, 3])
def test_a_limit_is_waited_for_ten_times_apart_from_other_retries(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, retries: int
) -> None:
    limited = Step("POST", "/x", answer(429, {"message": "slow"}, retry_after="60"))
    client, clock = client_for(script(*[limited] * 11), monkeypatch, retries=retries)
    told: list[str] = []
    client.progress = told.append
    with pytest.raises(Refused, match="the gateway limits requests") as caught:
        client.request("POST", "/x", {})
    assert sum(clock.pauses) == 600
    assert caught.value.failure["attempts"] == 11
    assert told[0] == "http://gateway.test:8001 limits requests: waiting 60 s"
    assert max(clock.pauses) <= 5, "told again every few seconds"


def test_a_limit_without_a_time_is_waited_for_longer_and_longer(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [Step("GET", "/x", answer(429, {"message": "slow"}))] * 10
    handler = script(*steps, Step("GET", "/x", DOWN), Step("GET", "/x", answer(200, {})))
    client, clock = client_for(handler, monkeypatch, retries=1, timeout=1.0)
    client.request("GET", "/x")
    assert sum(clock.pauses) > 200


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
        (".", "%2E"),
        ("..", "%2E%2E"),
        ("caf\u00e9", "caf%C3%A9"),
    ],
)
def test_a_name_is_one_segment_of_a_path(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, text: str, quoted: str
) -> None:
    assert segment(text) == quoted
    handler = script(Step("GET", f"/upstreams/{quoted}", answer(200, {})))
    client_for(handler, monkeypatch)[0].request("GET", f"/upstreams/{segment(text)}")
