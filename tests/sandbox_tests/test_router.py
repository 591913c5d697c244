# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router finds the route that a gateway's traditional router finds."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.paths import escape, normalize, upstream_path
from sandbox.router import Request, Router, split_port
from sandbox_tests.proxy_support import Entity, route, service


def matched(routes: list[Entity], **request: Any) -> str | None:
    """The name of the route found for a request (default: GET / without a host)."""
    asked = Request(**{"method": "GET", "path": "/", **request})
    found = Router(routes, [service()]).match(asked)
    return found.route["name"] if found else None


@pytest.mark.parametrize(
    ("fields", "request_", "expected"),
    [
        ({"paths": ["/a"]}, {"path": "/a"}, True),
        ({"paths": ["/a"]}, {"path": "/abc"}, True),
        ({"paths": ["/a"]}, {"path": "/b/a"}, False),
        ({"paths": ["/b", "/a"]}, {"path": "/a"}, True),
        ({"paths": ["/caf\u00e9"]}, {"path": "/caf%C3%A9"}, True),
        ({"paths": ["/a/c"]}, {"path": "/a/b/../c"}, True),
        ({"paths": ["/a/c"]}, {"path": "/a//c"}, True),
        ({"paths": ["~/users/\\d+$"]}, {"path": "/users/12"}, True),
        ({"paths": ["~/users/\\d+$"]}, {"path": "/users/12/x"}, False),
        ({"paths": ["~/users/\\d+$"]}, {"path": "/v1/users/12"}, False),
        ({"paths": ["~/\\w+$"]}, {"path": "/t%C3%AAte"}, False),
        ({"methods": ["POST"]}, {"method": "POST"}, True),
        ({"methods": ["POST"]}, {"method": "GET"}, False),
        ({"hosts": ["a.test"]}, {"host": "a.test"}, True),
        ({"hosts": ["a.test"]}, {"host": "A.Test"}, True),
        ({"hosts": ["a.test"]}, {"host": "a.test:8000"}, True),
        ({"hosts": ["a.test"]}, {"host": "b.test"}, False),
        ({"hosts": ["a.test"]}, {}, False),
        ({"hosts": ["a.test:8000"]}, {"host": "a.test:8000"}, True),
        ({"hosts": ["a.test:8000"]}, {"host": "a.test:9000"}, False),
        ({"hosts": ["a.test:80"]}, {"host": "a.test"}, True),
        ({"hosts": ["*.a.test"]}, {"host": "x.y.a.test"}, True),
        ({"hosts": ["*.a.test"]}, {"host": "a.test"}, False),
        ({"hosts": ["*.a.test"]}, {"host": "x.a.test:8000"}, True),
        ({"hosts": ["a.*"]}, {"host": "a.example"}, True),
        ({"hosts": ["a.*"]}, {"host": "b.example"}, False),
        ({"headers": {"X-Env": ["Blue", "green"]}}, {"headers": {"x-env": ["blue"]}}, True),
        ({"headers": {"X-Env": ["blue"]}}, {"headers": {"x-env": ["red"]}}, False),
        ({"headers": {"x-env": ["blue"], "x-b": ["1"]}}, {"headers": {"x-env": ["blue"]}}, False),
        ({"headers": {"x-env": ["~*^blue-\\d+$"]}}, {"headers": {"x-env": ["Blue-12"]}}, True),
        ({"headers": {"x-env": ["~*^blue-\\d+$"]}}, {"headers": {"x-env": ["blue"]}}, False),
        ({"snis": ["a.test"], "paths": ["/"]}, {"scheme": "https", "sni": "a.test"}, True),
        ({"snis": ["a.test"], "paths": ["/"]}, {"scheme": "https", "sni": "b.test"}, False),
        ({"snis": ["a.test"], "paths": ["/"]}, {"scheme": "http"}, True),
        ({"protocols": ["tcp"], "paths": ["/"]}, {}, False),
        ({}, {}, False),
    ],
)
def test_a_route_matches_what_its_fields_say(
    fields: Entity, request_: Entity, expected: bool
) -> None:
    assert matched([route("r", **fields)], **request_) == ("r" if expected else None)


@pytest.mark.parametrize(
    ("first", "second", "request_"),
    [
        ({"hosts": ["a.test"], "paths": ["/"]}, {"hosts": ["a.test"]}, {}),
        ({"hosts": ["a.test"]}, {"paths": ["/x"]}, {}),
        ({"headers": {"x-a": ["1"]}}, {"paths": ["/x"]}, {}),
        ({"paths": ["/x"]}, {"methods": ["GET"]}, {}),
        ({"hosts": ["a.test"]}, {"hosts": ["*.test"]}, {}),
        ({"hosts": ["*.test:8000"]}, {"hosts": ["*.test"]}, {"host": "a.test:8000"}),
        ({"headers": {"x-a": ["1"], "x-b": ["2"]}}, {"headers": {"x-a": ["1"]}}, {}),
        ({"paths": ["~/x$"]}, {"paths": ["/x"]}, {}),
        ({"paths": ["~/x"], "regex_priority": 2}, {"paths": ["~/x"], "regex_priority": 1}, {}),
        ({"paths": ["/x/y"]}, {"paths": ["/x"]}, {"path": "/x/y/z"}),
        ({"paths": ["/q", "/x/y"]}, {"paths": ["/x"]}, {"path": "/x/y"}),
        ({"paths": ["/x"], "created_at": 1}, {"paths": ["/x"], "created_at": 2}, {}),
    ],
)
def test_of_two_routes_the_one_with_priority_is_found_in_either_order(
    first: Entity, second: Entity, request_: Entity
) -> None:
    asked = {
        "path": "/x",
        "host": "a.test",
        "headers": {"x-a": ["1"], "x-b": ["2"]},
        **request_,
    }
    routes = [route("first", **first), route("second", **second)]
    assert matched(routes, **asked) == "first"
    assert matched(routes[::-1], **asked) == "first"
    assert matched(routes[1:], **asked) == "second"


def test_routes_of_a_disabled_service_are_not_found() -> None:
    request = Request("GET", "/")
    routes = [route(paths=["/"])]
    assert Router(routes, [service(enabled=True)]).match(request) is not None
    assert Router(routes, [service(enabled=False)]).match(request) is None


def test_a_route_without_a_service_is_found_without_one() -> None:
    found = Router([route(service_name=None, paths=["/"])], []).match(Request("GET", "/"))
    assert found is not None
    assert found.service is None


def test_a_pattern_that_cannot_be_used_leaves_the_other_routes_alone() -> None:
    routes = [route("bad", paths=["~/(unclosed"]), route("good", paths=["/"])]
    assert matched(routes, path="/unclosed") == "good"


def test_captures_carry_names_and_numbers_and_leave_out_groups_without_a_match() -> None:
    routes = [route(paths=["~/users/(?<user>\\w+)(?:/(\\d+))?(/never)?"])]
    found = Router(routes, [service()]).match(Request("GET", "/users/ann/7/rest"))
    assert found is not None
    assert found.captures == {"user": "ann", "1": "ann", "2": "7"}
    assert found.prefix == "/users/ann/7"
    assert found.upstream_path == "/rest"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.test", ("a.test", None)),
        ("a.test:81", ("a.test", 81)),
        ("a.test:", ("a.test", None)),
        ("[::1]:81", ("::1", 81)),
        ("[::1]", ("::1", None)),
        ("a.test:x", ("a.test:x", None)),
    ],
)
def test_a_port_is_split_from_a_host(host: str, expected: tuple[str, int | None]) -> None:
    assert split_port(host) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("/a/./b/../c", "/a/c"),
        ("/../a", "/a"),
        ("/a/..", "/"),
        ("/a/b/.", "/a/b/"),
        ("//a///b/", "/a/b/"),
        ("/%41%7e", "/A~"),
        ("/a%2fb", "/a%2Fb"),
        ("/%25", "/%25"),
        ("/", "/"),
    ],
)
def test_paths_are_normalised(written: str, expected: str) -> None:
    assert normalize(written) == expected


def test_what_was_decoded_is_escaped_again_on_the_way_out() -> None:
    assert escape(normalize("/caf%c3%a9/a%20b%2fc")) == "/caf%C3%A9/a%20b%2Fc"


# The table of "path handling" in the Admin API reference: service path, request, strip_path,
# path_handling and what is sent; the route's path is /fv?.
@pytest.mark.parametrize(
    ("base", "request_path", "strip", "handling", "sent"),
    [
        ("/s", "/fv0/req", False, "v0", "/s/fv0/req"),
        ("/s", "/fv0", False, "v0", "/s/fv0"),
        ("/s", "/fv0/req", True, "v0", "/s/req"),
        ("/s", "/fv0", True, "v0", "/s"),
        ("/s", "/fv1/req", False, "v1", "/sfv1/req"),
        ("/s", "/fv1", False, "v1", "/sfv1"),
        ("/s", "/fv1/req", True, "v1", "/s/req"),
        ("/s", "/fv1", True, "v1", "/s"),
        ("/s/", "/fv0/req", True, "v0", "/s/req"),
        ("/s/", "/fv0", True, "v0", "/s"),
        ("/s/", "/fv0/", True, "v0", "/s/"),
        ("/s", "/fv0/", True, "v0", "/s/"),
        ("/s", "/fv0req", True, "v0", "/s/req"),
        ("/s", "/fv1req", True, "v1", "/sreq"),
        ("/s/", "/fv1/req", True, "v1", "/s/req"),
        ("/s/", "/fv1/req", False, "v1", "/s/fv1/req"),
        ("/", "/fv0/req", False, "v0", "/fv0/req"),
        ("/", "/fv0", True, "v0", "/"),
        ("/", "/fv1", True, "v1", "/"),
    ],
)
def test_paths_are_joined_as_the_reference_says(
    base: str, request_path: str, strip: bool, handling: str, sent: str
) -> None:
    path = request_path[:4]
    routes = [route(paths=[path], strip_path=strip, path_handling=handling)]
    found = Router(routes, [service(path=base)]).match(Request("GET", request_path))
    assert found is not None
    assert found.upstream_path == sent


def test_a_request_for_the_root_adds_no_slash_to_a_service_path() -> None:
    assert upstream_path("/s", "/", "", strip=False, handling="v0") == "/s"
    assert upstream_path("/s", "/", "", strip=True, handling="v0") == "/s"


def test_stripping_a_path_leaves_no_way_upwards() -> None:
    routes = [route(paths=["/a"])]
    found = Router(routes, [service(path="/s")]).match(Request("GET", "/a../b"))
    assert found is not None
    assert found.upstream_path == "/s/b"
