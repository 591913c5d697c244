# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A failure is a sentence: what was asked of which gateway, why not, and what to do."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._errors import (
    KongError,
    Refused,
    UnexpectedAnswer,
    Unreachable,
)
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._refusal import refusal
from unit.recordings import TESTS, steps
from unit.scripted import URL, answer, client_for

SECRET = "correct-horse"
VIOLATION = {
    "code": 2,
    "name": "schema violation",
    "message": "schema violation (\n  healthchecks.active: ...)",
    "fields": {"healthchecks": {"active": {"timeout": "too big"}}, "@entity": ["one of a, b"]},
}
HTML = "<html><h1>400 The plain HTTP request was sent to HTTPS port</h1></html>"


def _error(handler: Callable[[httpx.Request], Any], patch: pytest.MonkeyPatch) -> KongError:
    headers = (("Kong-Admin-Token", SECRET),)
    client, _clock = client_for(handler, patch, retries=0, headers=headers)
    with pytest.raises(KongError) as caught:
        client.request("PATCH", "/upstreams/web", {"slots": 10})
    assert SECRET not in f"{caught.value.message}{caught.value.failure}"
    return caught.value


@pytest.mark.parametrize(
    ("given", "kind", "sentence"),
    [
        (answer(400, VIOLATION), Refused, "schema violation (one of a, b; "
         "healthchecks.active.timeout: too big)"),
        (answer(400, {"code": 10, "name": "invalid unique prefix", "message": "invalid: a_b"}),
         Refused, "invalid prefix: invalid: a_b (HTTP 400)"),
        (answer(401, {"message": "Unauthorized"}), Refused,
         "Unauthorized (HTTP 401); check admin_token (or KONG_ADMIN_TOKEN)"),
        (answer(401, text="<html>"), Refused,
         "HTTP 401; check admin_token (or KONG_ADMIN_TOKEN)"),
        (answer(403, {"message": "no"}), Refused,
         "no (HTTP 403); check what admin_token may do, and workspace"),
        (answer(405, {"message": "cannot", "code": 12}), Refused,
         "cannot (HTTP 405); this gateway runs without a database, "
         "so its entities cannot be changed one by one; add them to its declarative "
         "configuration and load that with kong_state"),
        (answer(405, {"message": "Method not allowed"}), Refused,
         "Method not allowed (HTTP 405)"),
        (answer(409, {"message": "UNIQUE violation", "code": 5}), Refused,
         "UNIQUE violation (HTTP 409)"),
        (answer(429, {"message": "slow down"}), Refused,
         "slow down (HTTP 429); the gateway limits requests"),
        (answer(500, {"message": "An unexpected error occurred"}), Refused,
         "An unexpected error occurred (HTTP 500)"),
        (answer(502, text="<html>Bad Gateway</html>"), Refused, "HTTP 502"),
        (answer(200, text="<html>Kong Manager</html>", content_type="text/html; charset=utf-8"),
         UnexpectedAnswer,
         f"the response of {URL} is not that of an Admin API (HTTP 200, text/html); "
         "check that admin_url is the URL of an Admin API, not of the proxy, Kong Manager or "
         "another server"),
        (answer(404, text="<html>nginx</html>", content_type="text/html"), UnexpectedAnswer,
         f"the response of {URL} is not that of an Admin API (HTTP 404, text/html); "
         "check that admin_url is the URL of an Admin API, not of the proxy, Kong Manager or "
         "another server"),
        (answer(400, text=HTML, content_type="text/html"), UnexpectedAnswer,
         f"the response of {URL} is not that of an Admin API (HTTP 400, text/html); "
         "the port uses HTTPS, so admin_url must begin with https://"),
        (answer(400, text="<h1>400 No required SSL certificate was sent</h1>",
                content_type="text/html"), UnexpectedAnswer,
         f"the response of {URL} is not that of an Admin API (HTTP 400, text/html); "
         "it requires a client certificate; set client_cert and client_key"),
        (answer(400, text="<h1>400 The SSL certificate error</h1>", content_type="text/html"),
         UnexpectedAnswer,
         f"the response of {URL} is not that of an Admin API (HTTP 400, text/html); "
         "it does not accept the client certificate; check client_cert"),
        (answer(301, text="", location="https://gw.test/"), UnexpectedAnswer,
         f"the response of {URL} is not that of an Admin API (HTTP 301, text/plain); "
         "it redirects to https://gw.test/; check admin_url"),
        (answer(404, {"message": "no Route matched with those values", "request_id": "r"}),
         UnexpectedAnswer, f"{URL} is the gateway's proxy, not its Admin API; check admin_url"),
        (answer(200, ["a", "list"]), UnexpectedAnswer,
         f"the response of {URL} is not that of an Admin API (HTTP 200, application/json); "
         "check that admin_url is the URL of an Admin API, not of the proxy, Kong Manager or "
         "another server"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_success_is_a_sentence(
    given: httpx.Response, kind: type[KongError], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = _error(lambda request: given, monkeypatch)
    assert (type(error), error.message) == (kind, sentence)
    assert error.failure["status"] == given.status_code
    assert (error.failure["method"], error.failure["url"]) == ("PATCH", f"{URL}/upstreams/web")


def _raise(exc: type[httpx.RequestError], text: str, cause: BaseException | None = None) -> Any:
    def handler(request: httpx.Request) -> httpx.Response:
        raise exc(text, request=request) from cause

    return handler


def _untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError("certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


def _no_tls() -> ssl.SSLError:
    error = ssl.SSLError(1, "wrong version number")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


@pytest.mark.parametrize(
    ("handler", "sent", "reason"),
    [
        (_raise(httpx.ConnectError, "[Errno 111] Connection refused"), False,
         "[Errno 111] Connection refused; check admin_url (or KONG_ADMIN_URL) and that the "
         "gateway runs"),
        (_raise(httpx.ConnectTimeout, "x"), False,
         "timed out after 10 s; check the address or request_timeout"),
        (_raise(httpx.ReadTimeout, "x"), True,
         "timed out after 10 s; check the address or request_timeout"),
        (_raise(httpx.ReadError, "reset"), True, "the connection was lost (reset)"),
        (_raise(httpx.DecodingError, "bad gzip"), True, "the connection was lost (bad gzip)"),
        (_raise(httpx.ProxyError, "407 Proxy Authentication Required"), False,
         "407 Proxy Authentication Required; check admin_url (or KONG_ADMIN_URL) and that the "
         "gateway runs"),
        (_raise(httpx.ConnectError, "x", _untrusted()), False,
         "its TLS certificate is not trusted (self-signed certificate); "
         "set ca_path to its CA, or validate_certs to false"),
        (_raise(httpx.ConnectError, "x", _no_tls()), False,
         "TLS failed (wrong version number); check that the port uses HTTPS, and "
         "whether it requires client_cert"),
    ],
)  # fmt: skip
def test_no_answer_is_a_sentence_with_its_reason(
    handler: Any, sent: bool, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = _error(handler, monkeypatch)
    assert isinstance(error, Unreachable)
    assert error.sent is sent
    assert error.message == f"no response from {URL}: {reason}"


def test_a_certificate_that_is_not_accepted_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, clock = client_for(_raise(httpx.ConnectError, "x", _untrusted()), monkeypatch)
    with pytest.raises(Unreachable) as caught:
        client.request("GET", "/")
    assert caught.value.failure["attempts"] == 1
    assert clock.pauses == []


def test_what_was_being_done_stands_before_the_reason_once() -> None:
    error = Refused("why not", 400)
    error.within("Could not update upstream web at http://gw")
    error.within("somewhere further out")
    assert error.message == str(error) == "Could not update upstream web at http://gw: why not"


def test_structured_details_come_with_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    given = answer(400, {**VIOLATION, "request_id": "abc"})
    assert _error(lambda request: given, monkeypatch).failure == {
        "status": 400,
        "method": "PATCH",
        "url": f"{URL}/upstreams/web",
        "code": 2,
        "name": "schema violation",
        "fields": VIOLATION["fields"],
        "request_id": "abc",
        "attempts": 1,
    }


def _refusals() -> list[Any]:
    """Every refusal that a real gateway was seen to give."""
    return [
        pytest.param(step["response"], id=f"{path.stem}-{number}")
        for path in sorted((TESTS / "conformance" / "database").glob("*.json"))
        for number, step in enumerate(steps(path.stem))
        if step["response"]["status"] >= 400 and isinstance(step["response"].get("body"), dict)
    ]


@pytest.mark.parametrize("response", _refusals())
def test_every_recorded_refusal_becomes_one_line_that_names_its_fields(
    response: dict[str, Any],
) -> None:
    body = response["body"]
    sentence = refusal(body, response["status"])
    assert "\n" not in sentence
    assert sentence
    # Some refusals of a body that cannot be read have no message.
    assert sentence != f"HTTP {response['status']}" or not body.get("message")
    if body.get("code") == 2:
        assert all(name in sentence for name in body["fields"] if name != "@entity")


def test_the_http_library_logs_no_url(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client, _clock = client_for(lambda request: answer(200, {}), monkeypatch)
    client.request("GET", "/consumers/someone")
    assert "someone" not in caplog.text
    assert logging.getLogger("httpx").level == logging.WARNING
