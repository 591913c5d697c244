# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP: one ``request()`` with authentication, retries, paging and errors as exceptions.

Knows no entities. One :class:`Client` serves a whole task, or all items of a loop, from any number
of threads, which share a few connections, one thread at a time.
"""

from __future__ import annotations

import contextlib
import copy
import math
import queue
import ssl
import urllib.parse
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Callable

from ._connection import Connection
from ._deadline import Deadline
from ._errors import InputError, Refused, UnexpectedAnswer, Unreachable
from ._retries import RetryBudget, may_repeat, retry_after
from ._sender import Response, Sender
from ._transport import new_sender

with contextlib.suppress(ImportError):  # reported at the edge, with the library's name
    import httpx

PAGE_SIZE = 1000  # the most that a gateway gives in one page
USER_AGENT = "irishtek.kong"
MOST_CONNECTIONS = 20  # to one gateway
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
# From the body and the status of a refusal to its message and its details.
ReadRefusal = Callable[[Mapping[str, Any], int], "tuple[str, dict[str, Any]]"]


class Client:
    """Requests to one Admin API, or to Konnect.

    :param read_refusal: the message and the details of an error status, from its body.
    """

    def __init__(self, connection: Connection, read_refusal: ReadRefusal) -> None:
        self.connection = connection
        self.url = connection.workspace_url
        # Gets a line about each long pause.
        self.progress: Callable[[str], None] = lambda line: None
        self.read_refusal = read_refusal
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
