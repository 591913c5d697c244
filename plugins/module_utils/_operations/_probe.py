# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests through a proxy, compared with what is expected: the operation behind ``kong_probe``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._argspec import ArgumentSpec
from .._deadline import Deadline, NotYet, poll
from .._entities._kind import Field
from .._errors import InputError
from .._exchange import send
from .._secret_names import holds_secret, is_secret_header
from .._shares import (
    Expected,
    Response,
    Share,
    allowed_deviation,
    count_servers,
    default_requests,
    latency_of,
    percentile,
    shares_of,
    table_of,
)
from .._transport import split_url
from ._base import Operation, Result, Task

_MOST_CONNECTIONS = 50
_LOWEST = {"requests": 1, "concurrency": 1, "tolerance": 0, "wait_timeout": 0}


@dataclass(frozen=True)
class Probe:
    """The options, and what follows from them.

    :param requests: how many are sent.
    :param deviation: responses by which a share may be off.
    """

    params: Mapping[str, Any]
    expected: tuple[Expected, ...]
    requests: int
    deviation: int


def run_probe(task: Task) -> Result:
    probe = _probe_from(task.params)
    if task.check_mode:
        return {
            "changed": False,
            "skipped": True,
            "msg": f"check mode sends no requests to {probe.params['url']}",
        }
    wait_timeout, interval = task.params["wait_timeout"], task.params["wait_interval"]
    attempts = 0

    def look() -> Result:
        nonlocal attempts
        attempts += 1
        result = {**_attempt(probe, waits=wait_timeout > 0), "attempts": attempts}
        if result["problems"]:
            raise _failure(result, wait_timeout)
        return result

    return poll(look, Deadline(wait_timeout), pause=interval, longest_pause=interval)


def _attempt(probe: Probe, waits: bool) -> Result:
    """All requests; when waiting only one, if that one already is not as expected."""
    params, requests = probe.params, probe.requests
    if waits:
        first = send(params, 1, 1)
        if requests == 1 or not first or first[0].status not in params["statuses"]:
            return _result(probe, first, 1)
    return _result(probe, send(params, requests, params["concurrency"]), requests)


def _result(probe: Probe, responses: Sequence[Response], requests: int) -> Result:
    counts = count_servers(responses)
    shares = shares_of(probe.expected, counts, requests, probe.deviation) if probe.expected else []
    statuses = Counter(str(each.status or each.error) for each in responses)
    latency = latency_of(responses)
    passed = sum(each.status in probe.params["statuses"] for each in responses)
    by_server = ", ".join(_counts(shares, counts))
    return {
        "changed": False,
        "msg": f"{passed} of {requests} requests to {probe.params['url']} had an expected response"
        + (f": {by_server}" if by_server else ""),
        "url": probe.params["url"],
        "requests": requests,
        "statuses": dict(sorted(statuses.items())),
        "counts": counts,
        "shares": [each.as_result(requests) for each in shares],
        "latency": latency,
        "table": table_of(shares, dict(sorted(statuses.items())), latency),
        "problems": _problems(probe, responses, requests, shares),
    }


def _counts(shares: Sequence[Share], counts: Mapping[str, int]) -> list[str]:
    if shares:
        return [f"{each.name} {each.count} (weight {each.weight})" for each in shares]
    return [f"{name} {count}" for name, count in counts.items()]


def _problems(
    probe: Probe, responses: Sequence[Response], requests: int, shares: Sequence[Share]
) -> list[str]:
    """What is not as expected, a sentence each."""
    errors = Counter(each.error for each in responses if each.status is None)
    others = Counter(
        each.status for each in responses if each.status not in (None, *probe.params["statuses"])
    )
    problems = [
        f"{count} of {requests} requests had no response: {error}"
        for error, count in errors.most_common()
    ]
    problems += [
        f"{count} of {requests} responses had the status {status}"
        for status, count in others.most_common()
    ]
    if len(responses) < requests:
        problems.append(f"only {len(responses)} of {requests} requests could be sent in time")
    problems += [
        f"{each.name} responded {each.count} times, expected {each.expected:.4g} times"
        for each in shares
        if not each.fair
    ]
    if probe.expected and any(each.status and each.server is None for each in responses):
        where = probe.params.get("server_header") or probe.params.get("server_field")
        problems.append(f"not every response names its server in {where}")
    return problems + _slowness(probe, responses)


def _slowness(probe: Probe, responses: Sequence[Response]) -> list[str]:
    seconds = sorted(each.seconds for each in responses if each.status is not None)
    highest, percent = probe.params.get("max_latency"), probe.params["latency_percentile"]
    slow = percentile(seconds, percent) if seconds else 0
    if highest is None or slow <= highest:
        return []
    which = "the slowest response" if percent == 100 else f"percentile {percent:g}"
    return [f"{which} took {slow:.3g} s, more than max_latency {highest:g} s"]


def _failure(result: Result, wait_timeout: float) -> NotYet:
    within = f" within {wait_timeout:g} s" if wait_timeout else ""
    exc = NotYet(f"{result['msg']}; not as expected{within}: {'; '.join(result['problems'])}")
    exc.partial = {name: value for name, value in result.items() if name != "msg"}
    return exc


def _probe_from(params: Mapping[str, Any]) -> Probe:
    """:raises InputError: an option is not valid."""
    expected = tuple(
        Expected(each["weight"], each.get("name")) for each in params.get("expected") or ()
    )
    _check(params, expected)
    requests = params.get("requests") or default_requests(expected)
    deviation = allowed_deviation(expected, requests, params["tolerance"]) if expected else 0
    return Probe(params, expected, requests, deviation)


def _check(params: Mapping[str, Any], expected: Sequence[Expected]) -> None:
    _check_url(params["url"])
    _check_numbers(params)
    if expected:
        _check_expected(params, expected)
    for name, value in (params.get("headers") or {}).items():
        if not (str(value).isascii() and str(value).isprintable() and name.isascii()):
            raise InputError(f"the value of header {name!r} must be printable ASCII")


def _check_numbers(params: Mapping[str, Any]) -> None:
    for name, lowest in _LOWEST.items():
        if params.get(name) is not None and params[name] < lowest:
            raise InputError(f"{name} must be at least {lowest}, got {params[name]:g}")
    for name in ("request_timeout", "max_latency", "wait_interval"):
        # Not a number is neither more nor less.
        if params.get(name) is not None and not params[name] > 0:
            raise InputError(f"{name} must be greater than 0, got {params[name]:g}")
    if params["concurrency"] > _MOST_CONNECTIONS:
        raise InputError(f"concurrency must be at most {_MOST_CONNECTIONS}")
    if not 0 < params["latency_percentile"] <= 100:
        raise InputError("latency_percentile must be greater than 0 and at most 100")


def _check_expected(params: Mapping[str, Any], expected: Sequence[Expected]) -> None:
    weights = [each.weight for each in expected]
    if min(weights) < 0 or not any(weights):
        raise InputError("expected needs weights of 0 or more, and one above 0")
    if not (params.get("server_header") or params.get("server_field")):
        raise InputError(
            "expected needs server_header or server_field, where a response names its server"
        )


def _check_url(url: str) -> None:
    parts = split_url(url)
    if parts is None:
        raise InputError("url must begin with http:// or https:// and a host")
    if parts.username is not None or parts.password is not None:
        raise InputError("url must not contain credentials; put them into headers")


_SHARE = (Field("name"), Field("weight", "int", required=True))

KONG_PROBE = Operation(run_probe, ArgumentSpec(
    connects=False,
    fields=(
        Field("url", required=True, nullable=False, hides=holds_secret),
        Field("headers", "dict", sensitive=is_secret_header),
        # It may hold any secret.
        Field("body", hides=bool),
        Field("expected", "list", elements="dict", fields=_SHARE),
    ),
    options={
        "method": {"type": "str", "default": "GET"},
        "requests": {"type": "int"},
        "concurrency": {"type": "int", "default": 1},
        "statuses": {"type": "list", "elements": "int", "default": [200]},
        "server_header": {"type": "str"},
        "server_field": {"type": "str"},
        "tolerance": {"type": "int", "default": 0},
        "max_latency": {"type": "float"},
        "latency_percentile": {"type": "float", "default": 100.0},
        "wait_timeout": {"type": "int", "default": 0},
        "wait_interval": {"type": "float", "default": 1.0},
        "request_timeout": {"type": "float", "default": 10.0},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "client_cert": {"type": "path"},
        "client_key": {"type": "path"},
    },
    mutually_exclusive=[("server_header", "server_field")],
))
