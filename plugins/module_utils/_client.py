# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP: one ``request()`` with authentication, retries, paging and errors as exceptions.

PRIVATE to the collection: it can change in any release.

Knows no entities. One :class:`Client` serves a whole task, or all items of a loop, from any number
of threads: each thread gets an ``httpx.Client`` of its own, because httpx's pool costs more than it
saves when threads share it.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import random
import re
import ssl
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ._errors import InputError, KongError, Refused, UnexpectedAnswer, Unreachable
from ._transport import new_httpx_client

with contextlib.suppress(ImportError):  # reported at the edge, with the library's name
    import httpx

PAGE_SIZE = 1000  # the most that a gateway gives in one page
USER_AGENT = "irishtek.kong"
NO_DATABASE = (
    "this gateway runs without a database, so its entities cannot be changed one by one: "
    "write them into its declarative configuration and load that as a whole"
)
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
_TRY_AGAIN = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE = 5.0
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True)
class Connection:
    """Where a gateway's Admin API is and how to get in.

    ``timeout`` is in seconds and for one request; all attempts of one request together take at most
    ``timeout * (retries + 1)``.

    :param url: without the workspace.
    """

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    timeout: float = 10.0
    retries: int = 3
    validate_certs: bool = True
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    workspace: str | None = None

    def __post_init__(self) -> None:
        self._check_url()
        for name, value in self.headers:
            if not _HEADER_NAME.fullmatch(name):
                raise InputError(f"{name!r} cannot be the name of a header")
            if not (value.isascii() and value.isprintable() and value == value.strip()):
                # The HTTP library would repeat the value, a secret, in its error.
                raise InputError(
                    f"the value of header {name!r} has what no header can hold: a control "
                    "character, one outside of ASCII, or a blank at an end"
                )

    def _check_url(self) -> None:
        # What stands before an @ may be a password, even in a URL that is none.
        shown = "admin_url" if "@" in self.url else f"admin_url {self.url!r}"
        no_url = InputError(
            f"{shown} is not the URL of an Admin API: it begins with http:// or https:// and a host"
        )
        try:
            parts = urllib.parse.urlsplit(self.url)
            usable = parts.port != 0 and bool(parts.hostname) and parts.scheme in ("http", "https")
        except ValueError:
            raise no_url from None
        if parts.username is not None or parts.password is not None:
            raise InputError(
                "admin_url must not hold credentials: give them as admin_token or in admin_headers"
            )
        if not usable:
            raise no_url

    @property
    def workspace_url(self) -> str:
        """Where the workspace's entities are; the same as ``url`` for the default workspace."""
        base = self.url.rstrip("/")
        return f"{base}/{segment(self.workspace)}" if self.workspace else base

    @property
    def tls(self) -> dict[str, Any]:
        return {
            "validate_certs": self.validate_certs,
            "ca_path": self.ca_path,
            "client_cert": self.client_cert,
            "client_key": self.client_key,
        }


class Client:
    """Requests to one Admin API."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.url = connection.workspace_url
        self._own = threading.local()
        self._opened: list[httpx.Client] = []
        self._opening = threading.Lock()

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        params: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> Any:
        """Send one request, again where that is harmless, and return the answer's JSON.

        :param path: begins with ``/``; segments are already quoted (:func:`segment`).
        :param repeatable: whether twice is as good as once; by default so for all but POST.
        :returns: the parsed body, ``None`` for an empty one.
        :raises Unreachable: no answer; ``sent`` tells whether the request may have been handled.
        :raises Refused: an error status.
        :raises UnexpectedAnswer: an answer that no Admin API gives.
        """
        if repeatable is None:
            repeatable = method in _REPEATABLE
        deadline = time.monotonic() + self.connection.timeout * (self.connection.retries + 1)
        for attempt in itertools.count(1):
            # The last attempt may have less than the others, so that the deadline holds.
            timeout = min(self.connection.timeout, deadline - time.monotonic())
            try:
                return self._once(method, path, body, params, timeout)
            except (Unreachable, Refused) as exc:
                pause = self._pause(exc, attempt, repeatable)
                if pause is None or time.monotonic() + pause >= deadline:
                    exc.failure["attempts"] = attempt
                    raise
                time.sleep(pause)
        raise AssertionError("unreachable")  # pragma: no cover

    def pages(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[Any]:
        """All entities of a list, page by page.

        The gateway's ``next`` link drops ``size``, so the pages are asked for by ``offset``
        (conformance case paging).
        """
        query = {"size": str(PAGE_SIZE), **(params or {})}
        while True:
            page = self.request("GET", path, params=query)
            data = page.get("data") if isinstance(page, dict) else None
            if data is None:
                raise UnexpectedAnswer(
                    f"the answer to GET {self.url}{path} is not a list of entities"
                )
            # Lua writes an empty list as an empty object.
            yield from data or []
            if not page.get("offset"):
                return
            query["offset"] = str(page["offset"])

    def outside_workspaces(self) -> Client:
        """The paths that belong to no workspace, over the same connections."""
        outside = copy.copy(self)
        outside.url = self.connection.url.rstrip("/")
        return outside

    def close(self) -> None:
        with self._opening:
            for client in self._opened:
                client.close()
            self._opened.clear()
        self._own = threading.local()

    def _session(self) -> httpx.Client:
        session = getattr(self._own, "session", None)
        if session is None:
            session = new_httpx_client(
                self.url,
                self.connection.tls,
                headers={
                    "User-Agent": USER_AGENT,
                    "Accept": "application/json",
                    **dict(self.connection.headers),
                },
                timeout=self.connection.timeout,
            )
            self._own.session = session
            with self._opening:
                self._opened.append(session)
        return session

    def _once(
        self,
        method: str,
        path: str,
        body: Any,
        params: Mapping[str, str] | None,
        timeout: float,
    ) -> Any:
        # A JSON content type with no body is refused by the gateway, and httpx sets it only
        # when there is one.
        try:
            response = self._session().request(
                method, self.url + path, json=body, params=params, timeout=timeout
            )
        except httpx.RequestError as exc:
            raise self._unreachable(exc, method, path, timeout) from exc
        except httpx.InvalidURL as exc:
            raise InputError(f"{self.url}{path} is not a valid URL: {exc}") from exc
        return self._read(response, method, path)

    def _pause(self, exc: KongError, attempt: int, repeatable: bool) -> float | None:
        """Seconds to wait before the next attempt, None where there must be none."""
        if attempt > self.connection.retries:
            return None
        if isinstance(exc, Unreachable):
            if exc.failure.get("final") or (exc.sent and not repeatable):
                return None
        elif isinstance(exc, Refused):
            if exc.status not in _TRY_AGAIN or (exc.status != 429 and not repeatable):
                return None
            if exc.failure.get("retry_after") is not None:
                return float(exc.failure["retry_after"])
        longest = min(_LONGEST_PAUSE, 0.2 * 2.0 ** (attempt - 1))
        return longest * random.uniform(0.5, 1.0)

    def _unreachable(self, exc: Exception, method: str, path: str, timeout: float) -> Unreachable:
        sent = not isinstance(
            exc, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
        )
        reason, final = _explain(exc, timeout)
        return Unreachable(
            f"no answer from the Admin API at {self.url}: {reason}",
            sent=sent,
            method=method,
            url=self.url + path,
            **({"final": True} if final else {}),
        )

    def _read(self, response: httpx.Response, method: str, path: str) -> Any:
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
                f"{self.url} is the gateway's proxy, not its Admin API: check admin_url", **details
            )
        raise self._refused(response, body, details)

    def _fail_on_foreign_answer(self, response: httpx.Response, details: dict[str, Any]) -> None:
        content_type = response.headers.get("content-type", "no content type").split(";")[0]
        status = response.status_code
        if response.is_error and status not in (400, 404):
            # What stands between us and the gateway answers in HTML; its status says enough.
            raise self._refused(response, {}, details)
        if "plain HTTP request was sent to HTTPS port" in response.text[:2000]:
            hint = "the port speaks HTTPS, so admin_url must begin with https://"
        elif response.is_redirect:
            hint = f"it redirects to {response.headers.get('location')}, which may be the right one"
        else:
            hint = (
                "check that admin_url is that of the Admin API, "
                "not of the proxy, Kong Manager or another server"
            )
        raise UnexpectedAnswer(
            f"{self.url} does not answer as an Admin API does "
            f"(HTTP {status}, {content_type}): {hint}",
            **details,
        )

    def _refused(
        self, response: httpx.Response, body: dict[str, Any], details: dict[str, Any]
    ) -> Refused:
        for key in ("code", "name", "fields"):
            if key in body:
                details[key] = body[key]
        request_id = body.get("request_id") or response.headers.get("x-kong-admin-request-id")
        if request_id:
            details["request_id"] = request_id
        retry_after = response.headers.get("retry-after", "")
        if retry_after.isdigit():
            details["retry_after"] = int(retry_after)
        return Refused(refusal(body, details["status"]), **details)


def refusal(body: Mapping[str, Any], status: int) -> str:
    """The gateway's reason in one line: its message, without the line breaks of nested fields."""
    fields = body.get("fields")
    if body.get("code") == 2 and isinstance(fields, dict) and fields:
        reasons = "; ".join(flat_reasons(fields))
        return f"{body.get('name', 'schema violation')} ({reasons})"
    message = " ".join(str(body.get("message") or body.get("error") or "").split())
    text = f"{message} (HTTP {status})" if message else f"HTTP {status}"
    if status == 401:
        return f"{text}; check admin_token (or KONG_ADMIN_TOKEN)"
    if status == 403:
        return f"{text}; check what admin_token may do, and workspace"
    if status == 405 and body.get("code") == 12:
        return f"{text}; {NO_DATABASE}"
    if status == 429:
        return f"{message or 'too many requests'} (HTTP 429); raise request_retries or slow down"
    return text


def flat_reasons(fields: Any, at: str = "") -> Iterator[str]:
    """The leaves of an error body's ``fields`` as ``path: reason``; those of ``@entity`` bare."""
    if isinstance(fields, dict):
        for key in sorted(fields):
            where = at if key == "@entity" else f"{at}.{key}" if at else str(key)
            yield from flat_reasons(fields[key], where)
    elif isinstance(fields, list):
        for reason in fields:
            yield from flat_reasons(reason, at)
    elif fields is not None:
        yield f"{at}: {fields}" if at else str(fields)


def segment(text: str) -> str:
    """Quote one segment of a path; ``:`` stays, as addresses hold it and the gateway takes it."""
    return urllib.parse.quote(text, safe=":~")


def _explain(exc: BaseException, timeout: float) -> tuple[str, bool]:
    """Why there was no answer, what to do, and whether trying again is pointless."""
    if isinstance(exc, httpx.TimeoutException):
        return f"none within {timeout:.3g} s; check the address, or raise request_timeout", False
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = cause.verify_message or str(cause)
            return (
                f"its TLS certificate is not accepted ({why}); "
                "give its CA as ca_path, or set validate_certs to false"
            ), True
        if isinstance(cause, ssl.SSLError):
            why = (cause.reason or str(cause)).replace("_", " ").lower()
            return f"TLS failed ({why}); does the port speak HTTPS, and want a client_cert?", True
        cause = cause.__cause__ or cause.__context__
    if isinstance(exc, (httpx.ConnectError, httpx.ProxyError)):
        return f"{exc}; check admin_url (or KONG_ADMIN_URL) and that the gateway runs", False
    return f"the connection was lost ({exc})", False
