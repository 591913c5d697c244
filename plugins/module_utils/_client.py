# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP: one ``request()`` with authentication, retries, paging and errors as exceptions.

Knows no entities. One :class:`Client` serves a whole task, or all items of a loop, from any number
of threads, which share a few connections, one thread at a time.
"""

from __future__ import annotations

import contextlib
import copy
import email.utils
import math
import queue
import random
import ssl
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Callable

from ._connection import Connection
from ._deadline import Deadline, seconds_until
from ._errors import (
    InputError,
    KongError,
    Refused,
    UnexpectedAnswer,
    Unreachable,
    flat_reasons,
)
from ._sender import Response, Sender
from ._transport import new_sender

# The pauses of three retries outlast a gateway that restarts its workers.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.4, 5.0
_MOST_THROTTLED, _LONGEST_THROTTLED = 10, 60.0
_SECONDS_BETWEEN_LINES = 5.0


class RetryBudget:
    """The attempts of one request.

    Pauses that a gateway asks for by HTTP 429 are not part of the limits: it says itself when to
    send the request again, and nothing was done.
    """

    def __init__(self, connection: Connection, progress: Callable[[str], None]) -> None:
        self.deadline = Deadline(connection.timeout * (connection.retries + 1))
        self.attempts = 1
        self._failed = self._throttled = 0
        self._connection = connection
        self._progress = progress

    def pause(self, exc: KongError) -> bool:
        """Count a failure and pause before the next attempt; False when no attempt is left."""
        throttled = isinstance(exc, Refused) and exc.status == 429
        seconds = self._throttled_pause(exc) if throttled else self._pause(exc)
        if seconds is None or not self._sleep(seconds, announced=throttled):
            return False
        self.attempts += 1
        return True

    def next_deadline(self, exc: KongError) -> AbstractContextManager[None] | None:
        """The deadline of the next attempt after a pause; None when no attempt is left."""
        return self.deadline.running() if self.pause(exc) else None

    def _pause(self, exc: KongError) -> float | None:
        self._failed += 1
        if self._failed > self._connection.retries:
            return None
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 3.0 ** (self._failed - 1))
        return exc.failure.get("retry_after") or _with_jitter(longest)

    def _throttled_pause(self, exc: KongError) -> float | None:
        self._throttled += 1
        pause: float | None = exc.failure.get("retry_after")
        if pause is None:
            pause = _with_jitter(min(_LONGEST_THROTTLED, 2.0 ** (self._throttled - 1)))
        if self._throttled > _MOST_THROTTLED or pause > _LONGEST_THROTTLED:
            return None
        self.deadline.extend(pause)
        return pause

    def _sleep(self, seconds: float, announced: bool) -> bool:
        if seconds >= self.deadline.left():
            return False
        while announced and seconds > _SECONDS_BETWEEN_LINES:
            self._progress(f"{self._connection.url} limits requests: waiting {seconds:.0f} s")
            if not self.deadline.pause(_SECONDS_BETWEEN_LINES):
                return False
            seconds -= _SECONDS_BETWEEN_LINES
        return self.deadline.pause(seconds)


def _with_jitter(seconds: float) -> float:
    return seconds * random.uniform(0.75, 1.0)


def may_repeat(exc: KongError, method: str, repeatable: bool) -> bool:
    """Whether a request that failed can be sent again without harm."""
    if not exc.transient:
        return False
    if isinstance(exc, Unreachable):
        return repeatable or not exc.sent
    if isinstance(exc, Refused) and exc.status == 500:
        return repeatable and method != "PATCH"
    return repeatable or (isinstance(exc, Refused) and exc.status == 429)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, which servers send as such (also with a fraction) or as a date."""
    text = headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        date, now = _timestamp(text), _timestamp(headers.get("date", ""))
        if date is None:
            return None
        # By the server's clock, if it sends its time: ours may differ.
        seconds = seconds_until(date) if now is None else date - now
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _timestamp(text: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        return None


with contextlib.suppress(ImportError):  # reported at the edge, with the library's name
    import httpx

PAGE_SIZE = 1000  # the most that a gateway gives in one page
USER_AGENT = "irishtek.kong"
NO_DATABASE = (
    "this gateway runs without a database, so its entities cannot be changed one by one; "
    "add them to its declarative configuration and load that with kong_state"
)
MOST_CONNECTIONS = 20  # to one gateway
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
# From the body and the status of a refusal to its message and its details.
ReadRefusal = Callable[[Mapping[str, Any], int], "tuple[str, dict[str, Any]]"]


class Client:
    """Requests to one Admin API, or to Konnect."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.url = connection.workspace_url
        # Gets a line about each long pause.
        self.progress: Callable[[str], None] = lambda line: None
        # The message and the details of an error status, from its body.
        self.read_refusal: ReadRefusal = admin_refusal
        # Those that are open come first; None stands for one that is not.
        self._idle: queue.LifoQueue[Sender | httpx.Client | None] = queue.LifoQueue()
        for _number in range(MOST_CONNECTIONS):
            self._idle.put(None)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        params: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> Any:
        """Send one request, again if that does no harm, and return the JSON of the response.

        :param path: begins with ``/``; segments are already quoted (:func:`segment`).
        :param repeatable: whether sending it twice does no harm; by default so for all but POST.
        :returns: the parsed body, ``None`` for an empty one.
        :raises Unreachable: no response.
        :raises Refused: an error status.
        :raises UnexpectedAnswer: a response that is not that of an Admin API.
        """
        if repeatable is None:
            repeatable = method in _REPEATABLE
        budget = RetryBudget(self.connection, self.progress)
        while True:
            try:
                with budget.deadline.running():
                    return self._once(method, path, body, params)
            except (Unreachable, Refused) as exc:
                if may_repeat(exc, method, repeatable) and budget.pause(exc):
                    continue
                exc.failure["attempts"] = budget.attempts
                exc.try_again = partial(budget.next_deadline, exc)
                raise

    def pages(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[Any]:
        """All entities of a list, page by page.

        The gateway's ``next`` link drops ``size``, so the pages are requested by ``offset``
        (conformance case paging).
        """
        query = {"size": str(PAGE_SIZE), **(params or {})}
        while True:
            page = self.request("GET", path, params=query)
            data = page.get("data") if isinstance(page, dict) else None
            if data is None:
                raise UnexpectedAnswer(
                    f"the response to GET {self.url}{path} is not a list of entities"
                )
            # Lua writes an empty list as an empty object.
            yield from data or []
            if not page.get("offset"):
                return
            query["offset"] = str(page["offset"])

    def at(self, path: str = "", read_refusal: ReadRefusal | None = None, base: str = "") -> Client:
        """The paths below another one, in no workspace, over the same connections.

        :param base: the URL of another server that takes the same credentials.
        """
        other = copy.copy(self)
        other.url = (base or self.connection.url).rstrip("/") + path
        other.read_refusal = read_refusal or self.read_refusal
        return other

    def close(self) -> None:
        """Close what is open and idle; a later request opens a connection again."""
        idle = []
        with contextlib.suppress(queue.Empty):
            while True:
                idle.append(self._idle.get_nowait())
        for client in idle:
            if client is not None:
                client.close()
            self._idle.put(None)

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[Sender | httpx.Client]:
        client = self._idle.get()
        try:
            if client is None:
                client = new_sender(
                    self.url,
                    self.connection.tls,
                    {
                        "User-Agent": USER_AGENT,
                        "Accept": "application/json",
                        **dict(self.connection.headers),
                    },
                )
            yield client
        finally:
            self._idle.put(client)

    def _once(self, method: str, path: str, body: Any, params: Mapping[str, str] | None) -> Any:
        # A JSON content type with no body is refused by the gateway, and httpx sets it only
        # when there is one.
        with self._borrowed() as client:
            deadline = Deadline(self.connection.timeout)
            timeout = deadline.left()
            try:
                with deadline.running():
                    response: Response | httpx.Response = client.request(
                        method, self.url + path, json=body, params=params, timeout=timeout
                    )
            except httpx.RequestError as exc:
                raise self._unreachable(exc, method, path, timeout) from exc
            except httpx.InvalidURL as exc:
                raise InputError(f"{self.url}{path} is not a valid URL: {exc}") from exc
        return self._read(response, method, path)

    def _unreachable(self, exc: Exception, method: str, path: str, timeout: float) -> Unreachable:
        sent = not isinstance(
            exc, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
        )
        reason, final = _explain(exc, timeout, self.connection.where)
        return Unreachable(
            f"no response from {self.url}: {reason}",
            sent=sent,
            method=method,
            url=self.url + path,
            **({"final": True} if final else {}),
        )

    def _read(self, response: Response | httpx.Response, method: str, path: str) -> Any:
        details: dict[str, Any] = {
            "status": response.status_code,
            "method": method,
            "url": self.url + path,
        }
        if response.status_code == 304 or (not response.content and response.is_success):
            return None
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            self._fail_on_foreign_answer(response, details)
        if response.is_success:
            return body
        if body.get("message") == "no Route matched with those values":
            raise UnexpectedAnswer(
                f"{self.url} is the gateway's proxy, not its Admin API; check admin_url", **details
            )
        raise self._refused(response, body, details)

    def _fail_on_foreign_answer(
        self, response: Response | httpx.Response, details: dict[str, Any]
    ) -> None:
        content_type = response.headers.get("content-type", "no content type").split(";")[0]
        status, option = response.status_code, self.connection.option
        if response.is_error and status not in (400, 404):
            # A proxy in front of the gateway responds in HTML; its status says enough.
            raise self._refused(response, {}, details)
        page = response.text[:2000]
        if "plain HTTP request was sent to HTTPS port" in page:
            hint = f"the port uses HTTPS, so {option} must begin with https://"
        elif "No required SSL certificate was sent" in page:
            hint = "it requires a client certificate; set client_cert and client_key"
        elif "The SSL certificate error" in page:
            hint = "it does not accept the client certificate; check client_cert"
        elif response.is_redirect:
            hint = f"it redirects to {response.headers.get('location')}; check {option}"
        else:
            hint = (
                f"check that {option} is the URL of {self.connection.product}, "
                "not of the proxy, Kong Manager or another server"
            )
        raise UnexpectedAnswer(
            f"the response of {self.url} is not that of {self.connection.product} "
            f"(HTTP {status}, {content_type}); {hint}",
            **details,
        )

    def _refused(
        self, response: Response | httpx.Response, body: dict[str, Any], details: dict[str, Any]
    ) -> Refused:
        message, more = self.read_refusal(body, details["status"])
        details.update(more)
        request_id = body.get("request_id") or response.headers.get("x-kong-admin-request-id")
        if request_id:
            details["request_id"] = request_id
        seconds = retry_after(response.headers)
        if seconds is not None:
            details["retry_after"] = seconds
        if details["status"] == 403 and details.get("method") == "GET":
            # A task reads many things, and only some of them may be forbidden.
            message = f"{urllib.parse.urlsplit(details['url']).path}: {message}"
        return Refused(message, **details)


def admin_refusal(body: Mapping[str, Any], status: int) -> tuple[str, dict[str, Any]]:
    """An Admin API's reason in one line, and the parts of the body that say more."""
    details = {key: body[key] for key in ("code", "name", "fields") if key in body}
    return refusal(body, status), details


def refusal(body: Mapping[str, Any], status: int) -> str:
    """The gateway's message, without the line breaks of nested fields."""
    fields = body.get("fields")
    if body.get("code") == 2 and isinstance(fields, dict) and fields:
        reasons = "; ".join(flat_reasons(fields))
        return f"{body.get('name', 'schema violation')} ({reasons})"
    message = " ".join(str(body.get("message") or body.get("error") or "").split())
    if body.get("code") == 10:
        # Only the name says which field: "invalid unique prefix".
        message = f"{str(body.get('name')).replace('unique ', '')}: {message}"
    text = f"{message} (HTTP {status})" if message else f"HTTP {status}"
    if status == 401:
        return f"{text}; check admin_token (or KONG_ADMIN_TOKEN)"
    if status == 403:
        return f"{text}; check what admin_token may do, and workspace"
    if status == 405 and body.get("code") == 12:
        return f"{text}; {NO_DATABASE}"
    if status == 429:
        return f"{message or 'too many requests'} (HTTP 429); the gateway limits requests"
    return text


def _explain(exc: BaseException, timeout: float, where: str) -> tuple[str, bool]:
    """Why there was no response, what to do, and whether another attempt is pointless."""
    if isinstance(exc, httpx.TimeoutException):
        # The rest of a deadline is a little less than the option.
        seconds = math.ceil(timeout * 10) / 10
        return f"timed out after {seconds:g} s; check the address or request_timeout", False
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = cause.verify_message or str(cause)
            hint = "set ca_path to its CA, or validate_certs to false"
            return f"its TLS certificate is not trusted ({why}); {hint}", True
        if isinstance(cause, ssl.SSLError):
            why = (cause.reason or str(cause)).replace("_", " ").lower()
            hint = "check that the port uses HTTPS, and whether it requires client_cert"
            return f"TLS failed ({why}); {hint}", True
        cause = cause.__cause__ or cause.__context__
    if isinstance(exc, (httpx.ConnectError, httpx.ProxyError)):
        return f"{exc}; check {where}", False
    return f"the connection was lost ({exc})", False
