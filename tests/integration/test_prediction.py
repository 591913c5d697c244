# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode tells the truth: what it predicts is what the run then leaves, or is refused for."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from harness.engine import Engine, Result
from harness.gateway import PREFIX, TAG

UPSTREAM, SERVICE, ROUTE = (f"{PREFIX}{kind}" for kind in ("upstream", "service", "route"))
GENERATED_VALUE = ("id", "created_at", "updated_at")

# A real gateway's database takes its time.
bounded = settings(
    max_examples=8 if os.environ.get("KONG_ADMIN_URL") else 60,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    # The gateway is emptied in each example.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _some(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Any choice of these options, each with a value or, now and then, an explicit null."""
    nullable = {name: st.one_of(*[values] * 4, st.none()) for name, values in fields.items()}
    return st.fixed_dictionaries({}, optional=nullable)


def _both(
    one: st.SearchStrategy[dict[str, Any]], other: st.SearchStrategy[dict[str, Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(one, other).map(lambda pair: {**pair[0], **pair[1]})


WORDS = st.sampled_from(["a", "b-1", "x_y", "Zebra", "0", "ümlaut"])
TAGS = st.permutations([TAG, "b", "a c", "2"]).flatmap(
    lambda tags: st.integers(1, 4).map(lambda count: [TAG, *tags[:count]])
)
HEADERS = st.dictionaries(
    st.sampled_from(["X-One", "x-two"]), st.lists(WORDS, min_size=1, max_size=3), max_size=2
)
COUNTS = st.sampled_from([0, 1, 3, 255])
SECONDS = st.sampled_from([0, 1, 0.5, 2.0, 65535])
STATUSES = st.lists(st.sampled_from([100, 200, 302, 404, 500, 999]), min_size=1, max_size=4)
PROBES = st.sampled_from(["http", "https", "tcp", "grpc", "grpcs"])
HASHED_ON = st.sampled_from(
    ["none", "ip", "consumer", "path", "header", "cookie", "query_arg", "uri_capture"]
)
UNHEALTHY = {
    "http_failures": COUNTS, "tcp_failures": COUNTS, "timeouts": COUNTS, "http_statuses": STATUSES,
}
HEALTHY = {"successes": COUNTS, "http_statuses": STATUSES}
ACTIVE = {
    "type": PROBES,
    "http_path": st.sampled_from(["/", "/health?deep=1"]),
    "timeout": SECONDS,
    "concurrency": st.sampled_from([1, 10, 500]),
    "https_sni": st.just("probe.test"),
    "https_verify_certificate": st.booleans(),
    "headers": HEADERS,
    "healthy": _some({**HEALTHY, "interval": SECONDS}),
    "unhealthy": _some({**UNHEALTHY, "interval": SECONDS}),
}
PASSIVE = {"type": PROBES, "healthy": _some(HEALTHY), "unhealthy": _some(UNHEALTHY)}
COHERENT_HASHING: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {"hash_on": "ip"},
        {"hash_on": "none"},
        {"algorithm": "consistent-hashing", "hash_on": "consumer", "hash_fallback": "ip"},
        {"algorithm": "consistent-hashing"},
        {"algorithm": "least-connections"},
        {"algorithm": "round-robin"},
        {"algorithm": "latency", "hash_on": "none"},
        {"hash_on": "header", "hash_on_header": "X-User"},
        {"hash_on": "header", "hash_on_header": "X-User", "hash_fallback": "query_arg",
         "hash_fallback_query_arg": "user"},
        {"hash_on": "cookie", "hash_on_cookie": "session", "hash_on_cookie_path": "/a"},
        {"hash_on": "uri_capture", "hash_on_uri_capture": "one"},
        {"hash_on": None}, {"algorithm": None}, {"algorithm": None, "hash_on": None},
    ]
)
ANY_HASHING = _some(
    {
        "algorithm": st.sampled_from(
            ["round-robin", "least-connections", "latency", "consistent-hashing"]
        ),
        "hash_on": HASHED_ON,
        "hash_fallback": HASHED_ON,
        "hash_on_header": st.just("X-User"),
        "hash_fallback_header": st.just("X-Other"),
        "hash_on_cookie": st.just("session"),
        "hash_on_cookie_path": st.sampled_from(["/", "/a"]),
        "hash_on_query_arg": st.just("user"),
        "hash_fallback_query_arg": st.just("other"),
        "hash_on_uri_capture": st.just("one"),
        "hash_fallback_uri_capture": st.just("two"),
    }
)
OTHER_FIELDS = _some(
    {
        "slots": st.sampled_from([10, 1000, 65536]),
        "host_header": st.sampled_from(["web.test", "web.test:80"]),
        "use_srv_name": st.booleans(),
        "healthchecks": _some(
            {
                "threshold": st.sampled_from([0, 1.5, 100]),
                "active": _some(ACTIVE),
                "passive": _some(PASSIVE),
            }
        ),
        "tags": TAGS,
    }
)
UPSTREAMS = _both(OTHER_FIELDS, st.one_of(COHERENT_HASHING, COHERENT_HASHING, ANY_HASHING))
ADDRESSES = st.sampled_from(
    [
        "10.0.0.1", "10.0.0.1:8000", "010.000.000.001:08000", "10.0.0.2:80", "web.test",
        "Web.Test:80", "web.test.", "::1", "[::1]:8000", "[2001:db8::A]:443", "2001:db8::a",
        "under_score.test:65535", "10.0.0.256", "a b", "web.test:0", "web.test:65536",
    ]
)
WEIGHTS = st.sampled_from([0, 1, 100, 65535])
TARGET = _some({"weight": WEIGHTS, "tags": TAGS})
ENDPOINTS = st.lists(
    st.sampled_from(
        [{"ip": "10.0.0.0/8"}, {"ip": "127.0.0.1", "port": 80}, {"port": 9}, {"ip": "::1"}]
    ),
    max_size=3,
)
PROTOCOLS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {}, {"protocol": "http"}, {"protocol": "https", "tls_verify": True},
        {"protocol": "tcp", "path": None}, {"protocol": "tls_passthrough"}, {"protocol": None},
    ]
)
SERVICES = _both(
    _some({
        "host": st.sampled_from(["echo.test", UPSTREAM]),
        "port": st.sampled_from([0, 80, 65535]),
        "path": st.sampled_from(["/", "/a/b", "/a%20b"]),
        "retries": st.sampled_from([0, 5, 32767]),
        "connect_timeout": st.sampled_from([1, 2147483646]),
        "read_timeout": st.sampled_from([1, 60000]),
        "write_timeout": st.sampled_from([1, 60000]),
        "tls_verify": st.booleans(),
        "tls_verify_depth": st.sampled_from([0, 64]),
        "enabled": st.booleans(),
        "tags": TAGS,
    }),
    PROTOCOLS,
) | st.fixed_dictionaries(
    {
        "url": st.sampled_from(
            ["http://echo.test", "https://echo.test/x", "http://[::1]:81/", "grpc://e.test:9"]
        ),
    },
    optional={"retries": st.sampled_from([1, 2]), "tags": TAGS},
)
ROUTES = _some(
    {
        "service": st.just(SERVICE),
        "protocols": st.sampled_from([["http"], ["https"], ["https", "http"]]),
        "methods": st.lists(st.sampled_from(["GET", "POST", "PURGE"]), max_size=3),
        "hosts": st.lists(st.sampled_from(["a.test", "*.b.test", "c.test:81"]), max_size=3),
        "paths": st.lists(st.sampled_from(["/", "/a", "/a//b", "~/x/(?<id>\\d+)$"]), max_size=3),
        "headers": HEADERS,
        "snis": st.lists(st.sampled_from(["a.test", "b.test"]), max_size=2),
        "https_redirect_status_code": st.sampled_from([426, 301]),
        "regex_priority": st.sampled_from([0, 7]),
        "strip_path": st.booleans(),
        "path_handling": st.sampled_from(["v0", "v1"]),
        "preserve_host": st.booleans(),
        "request_buffering": st.booleans(),
        "response_buffering": st.booleans(),
        "tags": TAGS,
    }
)
STREAMS = _some(
    {
        "protocols": st.sampled_from([["tcp"], ["tls", "tcp"], ["tls"], ["udp"], ["http"]]),
        "snis": st.lists(st.sampled_from(["a.test", "b.test"]), max_size=2),
        "sources": ENDPOINTS,
        "destinations": ENDPOINTS,
        "tags": TAGS,
    }
)


def _lasting(value: Any) -> Any:
    """A result without what a gateway makes up anew each time."""
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if key not in GENERATED_VALUE}
        return {key: _lasting(item) for key, item in kept.items() if key != "failure"}
    if isinstance(value, list):
        return [_lasting(item) for item in value]
    return value


def _sparse(result: Any) -> Any:
    """A result without what is null, too."""
    if isinstance(result, dict):
        lasting = _lasting(result)
        return {key: _sparse(item) for key, item in lasting.items() if item is not None}
    return [_sparse(item) for item in result] if isinstance(result, list) else result


def _stored(engine: Engine) -> list[Any]:
    """Everything of ours that the gateway holds, times included."""
    paths = (
        f"/upstreams/{UPSTREAM}", f"/upstreams/{UPSTREAM}/targets",
        f"/services/{SERVICE}", f"/routes/{ROUTE}",
    )
    return [engine.gateway.call("GET", path) for path in paths]


def _empty(engine: Engine) -> None:
    engine.forget()
    for path in (f"/routes/{ROUTE}", f"/services/{SERVICE}", f"/upstreams/{UPSTREAM}"):
        engine.gateway.call("DELETE", path)


def _holds(engine: Engine, module: str, **options: Any) -> Result:
    """One task: predicted, done as predicted, and not done twice."""
    before = _stored(engine)
    engine.forget()
    predicted = engine(module, check=True, **options)
    assert _stored(engine) == before, "check mode has changed something"
    engine.forget()
    real = engine(module, **options)
    assert _lasting(predicted) == _lasting(real)
    if real.get("failed"):
        assert "\n" not in real["msg"]
        assert _stored(engine) == before, "a refused task has changed something"
        return real
    kind = module.removeprefix("kong_")
    if real[kind]:
        path = f"/{kind}s/{real[kind]['id']}"
        if kind == "target":
            path = f"/upstreams/{UPSTREAM}/targets/{real[kind]['id']}"
        found = _lasting(engine.gateway.call("GET", path))
        # Konnect leaves out what is null.
        assert found == (_sparse if engine.gateway.control_plane else _lasting)(real[kind])
    after = _stored(engine)
    again = engine(module, **options)
    assert (again.get("msg"), again["changed"], again["operation"]) == (None, False, "none")
    assert _stored(engine) == after, "the second run has changed something"
    return real


@bounded
@given(first=UPSTREAMS, second=UPSTREAMS)
def test_upstreams_become_what_check_mode_predicted(
    engine: Engine, first: dict[str, Any], second: dict[str, Any]
) -> None:
    _empty(engine)
    _holds(engine, "kong_upstream", name=UPSTREAM, **first)
    _holds(engine, "kong_upstream", name=UPSTREAM, **second)


@bounded
@given(address=ADDRESSES, spelled=ADDRESSES, first=TARGET, second=TARGET)
def test_targets_become_what_check_mode_predicted(
    engine: Engine, address: str, spelled: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    _empty(engine)
    engine.ok("kong_upstream", name=UPSTREAM, tags=[TAG])
    for target, options in ((address, first), (spelled, second), (address, second)):
        _holds(engine, "kong_target", upstream=UPSTREAM, target=target, **options)


@bounded
@given(first=SERVICES, second=SERVICES)
def test_services_become_what_check_mode_predicted(
    engine: Engine, first: dict[str, Any], second: dict[str, Any]
) -> None:
    _empty(engine)
    base = {} if "url" in first else {"host": "echo.test"}
    _holds(engine, "kong_service", name=SERVICE, **{**base, **first})
    _holds(engine, "kong_service", name=SERVICE, **second)


@bounded
@given(first=ROUTES, second=ROUTES)
def test_routes_become_what_check_mode_predicted(
    engine: Engine, first: dict[str, Any], second: dict[str, Any]
) -> None:
    _empty(engine)
    engine.ok("kong_service", name=SERVICE, host="echo.test", tags=[TAG])
    _holds(engine, "kong_route", name=ROUTE, **{"hosts": ["base.test"], **first})
    _holds(engine, "kong_route", name=ROUTE, **second)


def test_a_grpc_route_becomes_what_check_mode_predicted(engine: Engine) -> None:
    _empty(engine)
    grpc = {"protocols": ["grpc"], "paths": ["/a"]}
    _holds(engine, "kong_route", name=ROUTE, **grpc)
    _holds(engine, "kong_route", name=ROUTE, strip_path=None)
    _holds(engine, "kong_route", name=ROUTE, protocols=["http"], strip_path=None)


@bounded
@given(first=STREAMS, second=STREAMS)
def test_stream_routes_become_what_check_mode_predicted(
    engine: Engine, first: dict[str, Any], second: dict[str, Any]
) -> None:
    _empty(engine)
    base = {"protocols": ["tcp"], "sources": [{"port": 9}]}
    _holds(engine, "kong_route", name=ROUTE, **{**base, **first})
    _holds(engine, "kong_route", name=ROUTE, **second)
