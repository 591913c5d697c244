# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP: one ``request()`` with authentication, retries, paging and errors as exceptions.

PRIVATE to the collection: it can change in any release.

Knows no entities. One :class:`Client` serves a whole task, or all items of a loop, from any number
of threads. They share a few ``httpx.Client`` of one connection each, one thread at a time, because
httpx's own pool costs more than it saves when threads share it.
"""

from __future__ import annotations

import contextlib
import copy
import email.utils
import math
import queue
import random
import re
import ssl
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable

from ._deadline import Deadline, seconds_until
from ._errors import InputError, KongError, Refused, UnexpectedAnswer, Unreachable
from ._transport import is_loopback, new_httpx_client

with contextlib.suppress(ImportError):  # reported at the edge, with the library's name
    import httpx

PAGE_SIZE = 1000  # the most that a gateway gives in one page
USER_AGENT = "irishtek.kong"
NO_DATABASE = (
    "this gateway runs without a database, so its entities cannot be changed one by one: "
    "write them into its declarative configuration and load that as a whole"
)
MOST_CONNECTIONS = 10  # to one gateway
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
# The pauses of three retries outlast a gateway that restarts its workers.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.4, 5.0
_MOST_THROTTLED, _LONGEST_THROTTLED = 10, 60.0
_SECONDS_BETWEEN_LINES = 5.0
# From the body and the status of a refusal to its message and its details.
ReadRefusal = Callable[[Mapping[str, Any], int], "tuple[str, dict[str, Any]]"]
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True)
class Connection:
    """Where a gateway's Admin API is and how to get in.

    ``timeout`` is in seconds and for one request; all attempts of one request together take at most
    ``timeout * (retries + 1)``, and what the gateway asks to wait by HTTP 429.

    :param url: without the workspace; of Konnect, without a control plane.
    :param option: the name of the option that holds the URL, for messages.
    :param control_plane: name or ID of a control plane of Konnect; None: an Admin API.
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
    option: str = "admin_url"
    control_plane: str | None = None

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
        shown = self.option if "@" in self.url else f"{self.option} {self.url!r}"
        no_url = InputError(
            f"{shown} is not the URL of {self.product}: "
            "it begins with http:// or https:// and a host"
        )
        try:
            parts = urllib.parse.urlsplit(self.url)
            usable = parts.port != 0 and bool(parts.hostname) and parts.scheme in ("http", "https")
        except ValueError:
            raise no_url from None
        if parts.username is not None or parts.password is not None:
            ways = "konnect_token" if self.is_konnect else "admin_token or in admin_headers"
            raise InputError(f"{self.option} must not hold credentials: give them as {ways}")
        if not usable:
            raise no_url
        if self.is_konnect and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise InputError(f"{shown} would send konnect_token unencrypted: use https://")

    @property
    def is_konnect(self) -> bool:
        return self.control_plane is not None

    @property
    def product(self) -> str:
        return "Konnect" if self.is_konnect else "an Admin API"

    @property
    def this_product(self) -> str:
        return "Konnect" if self.is_konnect else "the Admin API"

    @property
    def where(self) -> str:
        """The options to check when nothing is found at the URL."""
        if self.is_konnect:
            return "konnect_region or konnect_url"
        return f"{self.option} (or KONG_ADMIN_URL)" if self.option == "admin_url" else self.option

    @property
    def workspace_url(self) -> str:
        """Where the workspace's entities are; the same as ``url`` for the default workspace."""
        names = (self.control_plane, self.workspace)
        return "/".join([self.url.rstrip("/"), *(segment(name) for name in names if name)])

    @property
    def tls(self) -> dict[str, Any]:
        return {
            "validate_certs": self.validate_certs,
            "ca_path": self.ca_path,
            "client_cert": self.client_cert,
            "client_key": self.client_key,
        }


class Budget:
    """How often, and until when, one request is tried.

    A gateway that limits requests (HTTP 429) is waited for apart from that: it says itself when to
    come again, and nothing was done.
    """

    def __init__(self, connection: Connection, progress: Callable[[str], None]) -> None:
        self.deadline = Deadline(connection.timeout * (connection.retries + 1))
        self.attempts = 1
        self._failed = self._throttled = 0
        self._connection = connection
        self._progress = progress

    def again(self, exc: KongError) -> bool:
        """Count what failed, and pause before the next attempt; False when there must be none."""
        throttled = isinstance(exc, Refused) and exc.status == 429
        pause = self._throttled_pause(exc) if throttled else self._pause(exc)
        if pause is None or not self._sleep(pause, told=throttled):
            return False
        self.attempts += 1
        return True

    def next(self, exc: KongError) -> contextlib.AbstractContextManager[None] | None:
        """The deadline of the next attempt, for those who look before they try again."""
        return self.deadline.running() if self.again(exc) else None

    def _pause(self, exc: KongError) -> float | None:
        self._failed += 1
        if self._failed > self._connection.retries:
            return None
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 3.0 ** (self._failed - 1))
        return _asked_for(exc) or longest * random.uniform(0.75, 1.0)

    def _throttled_pause(self, exc: KongError) -> float | None:
        self._throttled += 1
        pause = _asked_for(exc)
        if pause is None:
            longest = min(_LONGEST_THROTTLED, 2.0 ** (self._throttled - 1))
            pause = longest * random.uniform(0.75, 1.0)
        if self._throttled > _MOST_THROTTLED or pause > _LONGEST_THROTTLED:
            return None
        self.deadline.extend(pause)
        return pause

    def _sleep(self, seconds: float, told: bool) -> bool:
        if seconds >= self.deadline.left():
            return False
        while told and seconds > _SECONDS_BETWEEN_LINES:
            self._progress(f"{self._connection.url} limits requests: waiting {seconds:.0f} s")
            if not self.deadline.pause(_SECONDS_BETWEEN_LINES):
                return False
            seconds -= _SECONDS_BETWEEN_LINES
        return self.deadline.pause(seconds)


def _asked_for(exc: KongError) -> float | None:
    return exc.failure.get("retry_after")


def _is_harmless(exc: KongError, method: str, repeatable: bool) -> bool:
    """Whether a request that failed so may be sent again."""
    if not exc.transient:
        return False
    if isinstance(exc, Unreachable):
        return repeatable or not exc.sent
    if isinstance(exc, Refused) and exc.status == 500:
        return repeatable and method != "PATCH"
    return repeatable or (isinstance(exc, Refused) and exc.status == 429)


class Client:
    """Requests to one Admin API, or to Konnect."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.url = connection.workspace_url
        # Told of long pauses, in a line.
        self.progress: Callable[[str], None] = lambda line: None
        # The message and the details of an error status, from its body.
        self.read_refusal: ReadRefusal = admin_refusal
        # Those that are open come first; None stands for one that is not.
        self._idle: queue.LifoQueue[httpx.Client | None] = queue.LifoQueue()
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
        budget = Budget(self.connection, self.progress)
        while True:
            try:
                with budget.deadline.running():
                    return self._once(method, path, body, params)
            except (Unreachable, Refused) as exc:
                if _is_harmless(exc, method, repeatable) and budget.again(exc):
                    continue
                exc.failure["attempts"] = budget.attempts
                exc.try_again = partial(budget.next, exc)
                raise

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
    def _borrowed(self) -> Iterator[httpx.Client]:
        client = self._idle.get()
        try:
            if client is None:
                client = new_httpx_client(
                    self.url,
                    self.connection.tls,
                    headers={
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
                    response = client.request(
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
            f"no answer from {self.connection.this_product} at {self.url}: {reason}",
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
        status, option = response.status_code, self.connection.option
        if response.is_error and status not in (400, 404):
            # What stands between us and the gateway answers in HTML; its status says enough.
            raise self._refused(response, {}, details)
        if "plain HTTP request was sent to HTTPS port" in response.text[:2000]:
            hint = f"the port speaks HTTPS, so {option} must begin with https://"
        elif response.is_redirect:
            hint = f"it redirects to {response.headers.get('location')}, which may be the right one"
        else:
            hint = (
                f"check that {option} is that of {self.connection.this_product}, "
                "not of the proxy, Kong Manager or another server"
            )
        raise UnexpectedAnswer(
            f"{self.url} does not answer as {self.connection.product} does "
            f"(HTTP {status}, {content_type}): {hint}",
            **details,
        )

    def _refused(
        self, response: httpx.Response, body: dict[str, Any], details: dict[str, Any]
    ) -> Refused:
        message, more = self.read_refusal(body, details["status"])
        details.update(more)
        request_id = body.get("request_id") or response.headers.get("x-kong-admin-request-id")
        if request_id:
            details["request_id"] = request_id
        retry_after = _retry_after(response.headers)
        if retry_after is not None:
            details["retry_after"] = retry_after
        if details["status"] == 403 and details.get("method") == "GET":
            # A task reads many things, and only some of them may be forbidden.
            message = f"{urllib.parse.urlsplit(details['url']).path}: {message}"
        return Refused(message, **details)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, which servers give as such (also with a fraction) or as a date."""
    text = headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        date, now = _timestamp(text), _timestamp(headers.get("date", ""))
        if date is None:
            return None
        # By the server's clock, where it tells it: ours may be another.
        seconds = seconds_until(date) if now is None else date - now
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _timestamp(text: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        return None


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


def _explain(exc: BaseException, timeout: float, where: str) -> tuple[str, bool]:
    """Why there was no answer, what to do, and whether trying again is pointless."""
    if isinstance(exc, httpx.TimeoutException):
        # What is left of a deadline is a little less than the written one.
        seconds = math.ceil(timeout * 10) / 10
        return f"none within {seconds:g} s; check the address, or raise request_timeout", False
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
        return f"{exc}; check {where} and that the gateway runs", False
    return f"the connection was lost ({exc})", False
