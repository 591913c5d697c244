# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A failure is a sentence, what can be repeated is, and nothing is created twice."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from harness.engine import Engine, Result
from harness.gateway import PREFIX, Gateway, sandbox
from integration.dialects import control_plane

UPSTREAM = f"{PREFIX}upstream"
SERVICE = f"{PREFIX}service"
TWENTY = [{"target": f"10.0.0.{number}:80"} for number in range(1, 21)]


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which nobody listens, taken so that nobody begins to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def _sentence(result: Result, *parts: str) -> None:
    assert result["failed"] and not result["changed"], result
    assert "\n" not in result["msg"]
    for part in parts:
        assert part in result["msg"]


def _asked(gateway: Gateway) -> list[str]:
    return [f"{each['method']} {each['path']}" for each in gateway.requests()]


def _targets(gateway: Gateway) -> list[str]:
    return sorted(target["target"] for target in gateway.entities(f"/upstreams/{UPSTREAM}/targets"))


def test_a_gateway_that_is_not_there(engine: Engine, closed_port: int, pauses: list[float]) -> None:
    url = f"http://127.0.0.1:{closed_port}"
    option, label = engine.gateway.url_option, replace(engine.gateway, admin_url=url).label
    result = engine.refused("kong_upstream", name=UPSTREAM, request_retries=2, **{option: url})
    _sentence(result, f"upstream {UPSTREAM} at {label}", "no response", "refused", option)
    assert result["failure"]["attempts"] == 3
    assert len(pauses) == 2
    assert all(0 < pause <= 5 for pause in pauses)


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:8001", "ftp://gateway.test", "http://", "http://[::1", "http://gateway.test:port",
     "http://gateway.test:99999", "http://gate way.test"],
)
def test_what_cannot_be_an_admin_url(engine: Engine, url: str) -> None:
    option = engine.gateway.url_option
    result = engine.refused("kong_ping", **{option: url, "request_retries": 0})
    _sentence(result, option if "[" in url else url)


@pytest.mark.parametrize("value", ["to\nken", "to\x00ken", "tökén-sëcret"])
@pytest.mark.parametrize("option", ["token", "headers"])
def test_a_token_that_no_header_can_hold(engine: Engine, option: str, value: str) -> None:
    headers = {"admin_headers": {"X-Key": value}}
    written = {engine.gateway.token_option: value} if option == "token" else headers
    result = engine.refused("kong_ping", **written)
    _sentence(result, engine.gateway.token_option if option == "token" else "header")
    assert value not in str(result)


def test_a_wrong_token(dialect: str) -> None:
    with sandbox("--admin-token", "right", control_plane=control_plane(dialect)) as guarded:
        engine, option = Engine(guarded), guarded.token_option
        result = engine.refused("kong_upstream", name=UPSTREAM, **{option: "wr0ng"})
        _sentence(result, f"upstream {UPSTREAM} at {guarded.label}", "401", f"check {option}")
        assert "wr0ng" not in str(result)
        engine.ok("kong_upstream", name=UPSTREAM, **{option: "right"})


@pytest.mark.parametrize(("module", "options"), [
    ("kong_ping", {}),
    ("kong_info", {"kinds": ["upstream"]}),
    ("kong_dump", {}),
    ("kong_state", {"content": {"_format_version": "3.0", "upstreams": [{"name": "u"}]},
                    "state": "applied"}),
    ("kong_plugin", {"name": "cors", "state": "absent"}),
])  # fmt: skip
@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_names_the_gateway(
    empty_gateway: Gateway, engine: Engine, module: str, options: dict[str, Any], status: int
) -> None:
    body = '{"message": "no"}'
    empty_gateway.faults(kind="answer", status=status, body=body, times=None)
    for check in (True, False):
        engine.forget()
        result = engine.refused(module, check=check, **options)
        _sentence(result, empty_gateway.label, f"HTTP {status}")
        assert result["msg"].count(empty_gateway.admin_url) == 1


def test_a_token_among_the_headers(engine: Engine) -> None:
    with sandbox("--admin-token", "right") as guarded:
        header = {"Kong-Admin-Token": "right"}
        engine.ok("kong_ping", admin_url=guarded.admin_url, admin_headers=header)


@pytest.mark.parametrize("status", [200, 404, 500])
def test_an_answer_in_html(
    empty_gateway: Gateway, engine: Engine, pauses: list[float], status: int
) -> None:
    page = "<html><body>It works!</body></html>"
    empty_gateway.faults(
        kind="answer", status=status, body=page, content_type="text/html; charset=utf-8", times=None
    )
    result = engine.refused("kong_upstream", name=UPSTREAM)
    _sentence(result, f"upstream {UPSTREAM} at {empty_gateway.label}", f"HTTP {status}")
    assert "It works" not in result["msg"] and ": (" not in result["msg"]
    assert (f"check that {empty_gateway.url_option}" in result["msg"]) == (status != 500)


@pytest.mark.parametrize("body", ["{}", '{"hello": "world"}', "[]", "null", "7", '"text"', ""])
@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("kong_ping", {}),
        ("kong_info", {"kinds": ["upstream"]}),
        ("kong_upstream", {"name": UPSTREAM}),
        ("kong_upstream", {"name": UPSTREAM, "state": "absent"}),
        ("kong_target", {"upstream": UPSTREAM, "target": "a:80"}),
        ("kong_target", {"upstream": UPSTREAM, "targets": [{"target": "a:80"}]}),
    ],
)
def test_json_of_another_server(
    empty_gateway: Gateway, engine: Engine, module: str, options: dict[str, Any], body: str
) -> None:
    empty_gateway.faults(kind="answer", status=200, body=body, times=None)
    _sentence(engine.refused(module, **options), "not", empty_gateway.admin_url)


def test_a_redirect_is_named_and_not_followed(empty_gateway: Gateway, engine: Engine) -> None:
    headers = {"Location": "https://gateway.test/"}
    empty_gateway.faults(kind="answer", status=301, body="", headers=headers)
    _sentence(engine.refused("kong_ping"), "redirects to https://gateway.test/")


def test_the_proxy_in_the_place_of_the_admin_api(gateway: Gateway, engine: Engine) -> None:
    for module, options in (("kong_ping", {}), ("kong_upstream", {"name": UPSTREAM})):
        result = engine.refused(module, admin_url=gateway.proxy_url, **options)
        _sentence(result, f"{gateway.proxy_url} is the gateway's proxy, not its Admin API")


def test_too_many_requests_are_sent_again_after_the_time_that_is_asked_for(
    empty_gateway: Gateway, engine: Engine, pauses: list[float]
) -> None:
    empty_gateway.faults(kind="answer", status=429, headers={"Retry-After": "7"}, times=2)
    engine.ok("kong_upstream", name=UPSTREAM)
    # In pieces, between which it says that it waits.
    assert pauses == [5, 2, 5, 2]
    empty_gateway.faults(
        match={"method": "POST"}, kind="answer", status=429, headers={"Retry-After": "1"}
    )
    assert engine.ok("kong_target", upstream=UPSTREAM, target="a:80")["changed"]
    assert pauses == [5, 2, 5, 2, 1]


def test_a_wait_of_more_than_a_minute_is_not_begun(
    empty_gateway: Gateway, engine: Engine, pauses: list[float]
) -> None:
    empty_gateway.faults(kind="answer", status=429, headers={"Retry-After": "3600"}, times=None)
    result = engine.refused("kong_upstream", name=UPSTREAM)
    _sentence(result, "HTTP 429", "limits requests")
    assert result["failure"]["retry_after"] == 3600
    assert pauses == []


@pytest.mark.parametrize("status", [502, 503, 504])
def test_reads_are_repeated_when_something_between_fails(
    empty_gateway: Gateway, engine: Engine, pauses: list[float], status: int
) -> None:
    empty_gateway.faults(match={"method": "GET"}, kind="answer", status=status, times=3)
    engine.ok("kong_upstream", name=UPSTREAM)
    assert len(pauses) == 3
    empty_gateway.faults(match={"method": "GET"}, kind="answer", status=status, times=4)
    _sentence(engine.refused("kong_upstream", name=UPSTREAM), str(status))


def test_a_write_that_the_gateway_itself_failed_at_is_not_repeated(
    empty_gateway: Gateway, engine: Engine, pauses: list[float]
) -> None:
    empty_gateway.faults(match={"method": "POST"}, kind="answer", status=500)
    result = engine.refused("kong_upstream", name=UPSTREAM)
    _sentence(result, UPSTREAM, empty_gateway.admin_url, "500")
    assert "uncertain" not in result["failure"]
    assert pauses == []
    assert empty_gateway.entities("/upstreams") == []


def test_a_read_that_the_gateway_itself_failed_at_is_repeated(
    empty_gateway: Gateway, engine: Engine, pauses: list[float]
) -> None:
    empty_gateway.faults(match={"method": "GET"}, kind="answer", status=500)
    assert engine.ok("kong_upstream", name=UPSTREAM)["changed"]
    assert len(pauses) == 1


LOSSES: list[dict[str, Any]] = [
    {"kind": "answer", "status": 502}, {"kind": "answer", "status": 503},
    {"kind": "answer", "status": 504}, {"kind": "cut_before"}, {"kind": "cut_after"},
]
WRITES: dict[str, tuple[str, dict[str, Any], dict[str, Any] | None, str]] = {
    "upstream-POST": ("kong_upstream", {"name": UPSTREAM, "slots": 20}, None, "create"),
    "upstream-PATCH": (
        "kong_upstream", {"name": UPSTREAM, "slots": 30}, {"name": UPSTREAM}, "update",
    ),
    "upstream-DELETE": (
        "kong_upstream", {"name": UPSTREAM, "state": "absent"}, {"name": UPSTREAM}, "delete",
    ),
    "service-POST": ("kong_service", {"name": SERVICE, "host": "a.test"}, None, "create"),
    "target-POST": (
        "kong_target", {"upstream": UPSTREAM, "target": "a:80"}, {"name": UPSTREAM}, "create",
    ),
    "target-PATCH": (
        "kong_target", {"upstream": UPSTREAM, "target": "a:80", "weight": 3},
        {"name": UPSTREAM, "targets": [{"target": "a:80"}]}, "update",
    ),
    "target-DELETE": (
        "kong_target", {"upstream": UPSTREAM, "target": "a:80", "state": "absent", "force": True},
        {"name": UPSTREAM, "targets": [{"target": "a:80"}]}, "delete",
    ),
}


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: str(loss.get("status", loss["kind"])))
@pytest.mark.parametrize("write", WRITES)
def test_a_lost_answer_leaves_one_write(
    empty_gateway: Gateway, engine: Engine, pauses: list[float], write: str, loss: dict[str, Any]
) -> None:
    module, options, there, operation = WRITES[write]
    if there:
        engine.ok("kong_upstream", **there)
    empty_gateway.faults(match={"method": write.partition("-")[2]}, **loss)
    result = engine.ok(module, **options)
    assert (result["changed"], result["operation"]) == (True, operation)
    for path, most in (("/upstreams", 1), ("/services", 1)):
        assert len(empty_gateway.entities(path)) <= most
    again = engine.ok(module, **options)
    assert (again["changed"], again["operation"]) == (False, "none")


@pytest.mark.parametrize("write", WRITES)
def test_answers_lost_for_good_are_said_to_be_uncertain(
    empty_gateway: Gateway, engine: Engine, pauses: list[float], write: str
) -> None:
    module, options, there, operation = WRITES[write]
    if there:
        engine.ok("kong_upstream", **there)
    method = write.partition("-")[2]
    empty_gateway.faults(match={"method": method}, kind="cut_before", times=None)
    result = engine.refused(module, **options)
    _sentence(result, f"Could not {operation}", "it is not known whether the change was made")
    assert result["failure"]["uncertain"] is True


def test_a_slow_read_ends_in_time(empty_gateway: Gateway, engine: Engine) -> None:
    empty_gateway.faults(match={"method": "GET"}, kind="delay", seconds=2)
    result = engine.refused(
        "kong_upstream", name=UPSTREAM, request_timeout=0.2, request_retries=0
    )
    _sentence(result, f"upstream {UPSTREAM}", "timed out after 0.2 s", "request_timeout")


def test_a_slow_create_is_not_made_twice(empty_gateway: Gateway, engine: Engine) -> None:
    empty_gateway.faults(match={"method": "POST"}, kind="delay", seconds=1)
    result = engine.ok("kong_upstream", name=UPSTREAM, request_timeout=0.5)
    assert result["operation"] == "create"
    posts: list[Any] = []
    deadline = time.monotonic() + 20
    while (len(posts) < 2 or None in posts) and time.monotonic() < deadline:
        posts = [each["status"] for each in empty_gateway.requests() if each["method"] == "POST"]
    assert sorted(posts) == [201, 400 if empty_gateway.control_plane else 409]
    assert len(empty_gateway.entities("/upstreams")) == 1


def test_two_plays_that_make_the_same_at_once_both_succeed(
    empty_gateway: Gateway, engine: Engine
) -> None:
    targets = TWENTY[:5]
    for number in range(10):
        name = f"{UPSTREAM}-{number}"
        start = threading.Barrier(2)
        results: list[Result] = []

        def play(name: str, start: Any, results: list[Result]) -> None:
            own = Engine(empty_gateway)
            start.wait(10)
            results.append(own("kong_upstream", name=name, slots=20, targets=targets))

        arguments = (name, start, results)
        threads = [threading.Thread(target=play, args=arguments) for count in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert [result.get("msg") for result in results] == [None, None]
        creates = [
            change["target"] if change["kind"] == "target" else change["name"]
            for result in results
            for change in result["changes"]
        ]
        assert sorted(creates) == sorted([each["target"] for each in targets] + [name])
        assert len(empty_gateway.entities(f"/upstreams/{name}/targets")) == 5


@pytest.mark.parametrize("module", ["kong_upstream", "kong_target"])
def test_a_failure_in_the_middle_tells_what_was_done_and_a_rerun_converges(
    empty_gateway: Gateway, engine: Engine, module: str
) -> None:
    engine.ok("kong_upstream", name=UPSTREAM)
    options = {"name": UPSTREAM} if module == "kong_upstream" else {"upstream": UPSTREAM}
    empty_gateway.faults(
        match={"method": "POST", "path": "/targets$"}, kind="answer", status=500, skip=7
    )
    result = engine.refused(module, targets=TWENTY, **options)
    done = [change["target"] for change in result["changes"]]
    left = [change["target"] for change in result["not_done"]]
    assert result["changed"] is True
    assert sorted(done) == _targets(empty_gateway)
    assert len(done) >= 7 and left
    assert sorted(done + left) == sorted(each["target"] for each in TWENTY)
    assert f"of upstream {UPSTREAM}" in result["msg"] and "\n" not in result["msg"]
    assert len(result["diff"]) == len(done)
    again = engine.ok(module, targets=TWENTY, **options)
    assert sorted(change["target"] for change in again["changes"]) == sorted(left)
    assert not engine.ok(module, targets=TWENTY, **options)["changed"]


def test_an_upstream_that_was_made_before_its_targets_failed_is_told(
    empty_gateway: Gateway, engine: Engine
) -> None:
    empty_gateway.faults(match={"path": "/targets$"}, kind="answer", status=500, times=None)
    result = engine.refused("kong_upstream", name=UPSTREAM, targets=TWENTY)
    assert result["changed"] is True
    assert result["changes"] == [
        {"operation": "create", "kind": "upstream", "name": UPSTREAM}
    ]
    assert len(result["not_done"]) == 20


def test_what_is_wrong_in_the_input_is_said_before_the_first_request(
    empty_gateway: Gateway, engine: Engine
) -> None:
    for options in (
        {"targets": [{"target": "a:80"}, {"target": "a:80:80"}]},
        {"targets": [{"target": "10.0.0.1"}, {"target": "010.0.0.1:8000"}]},
        {"targets": [{"target": "a:80", "weight": 65536}]},
        {"purge_targets": True},
        {"targets": [], "purge_targets": True},
    ):
        result = engine.refused("kong_upstream", name=UPSTREAM, **options)
        _sentence(result)
    assert _asked(empty_gateway) == []
