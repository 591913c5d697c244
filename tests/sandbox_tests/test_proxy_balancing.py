# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which target a request reaches: weights, health, hashing."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sandbox_tests.proxy_support import (
    EchoServer,
    Entity,
    FakeStore,
    RunningProxy,
    balanced,
    echo_servers,
    eventually,
    refused,
    route,
    service,
    target,
    upstream,
)


def test_a_change_elsewhere_does_not_disturb_the_turns() -> None:
    with echo_servers(2) as servers, RunningProxy(balanced(servers)) as running:
        one, two = (server.address for server in servers)
        assert running.served_by(1) == [one]
        running.change(routes=[route(paths=["/"], strip_path=False, tags=["blue"])])
        assert running.served_by(2) == [two, one]


def test_equal_weights_alternate_and_a_change_of_weight_takes_effect() -> None:
    with echo_servers(2) as servers, RunningProxy(balanced(servers)) as running:
        one, two = (server.address for server in servers)
        assert running.served_by(6) == [one, two, one, two, one, two]
        running.change(targets=[target(one, 300), target(two, 100)])
        found = running.served_by(8)
        assert [found[:4].count(one), found[4:].count(one)] == [3, 3]
        running.change(targets=[target(one, 0), target(two, 100)])
        assert running.served_by(3) == [two, two, two]


PASSIVE: Entity = {
    "passive": {
        "healthy": {"successes": 1},
        "unhealthy": {"http_failures": 2, "tcp_failures": 1, "timeouts": 1},
    }
}


def states(running: RunningProxy) -> list[str]:
    return [each["health"] for each in running.balancers.health("id-echo.test").values()]


def test_passive_checks_take_a_target_out_after_its_failures() -> None:
    with echo_servers(2) as servers, RunningProxy(balanced(servers, PASSIVE)) as running:
        servers[0].status = 500
        found = [running.client.get("/").status_code for turn in range(6)]
        assert found == [500, 200, 500, 200, 200, 200]
        assert states(running) == ["UNHEALTHY", "HEALTHY"]
        servers[1].kill()
        assert running.client.get("/").status_code == 502
        assert states(running) == ["UNHEALTHY", "UNHEALTHY"]
        refused(running.client.get("/"), 503, "failure to get a peer from the ring-balancer")


def test_passive_checks_hear_of_timeouts() -> None:
    with echo_servers(1) as servers, RunningProxy(balanced(servers, PASSIVE)) as running:
        running.change(services=[service(read_timeout=100)])
        servers[0].held.set()
        assert running.client.get("/").status_code == 504
        assert states(running) == ["UNHEALTHY"]


def test_active_checks_take_a_target_out_and_back_in() -> None:
    active: Entity = {
        "active": {
            "healthy": {"interval": 0.02, "successes": 1},
            "unhealthy": {"interval": 0.02, "http_failures": 1, "tcp_failures": 1},
        }
    }
    with echo_servers(2) as servers, RunningProxy(balanced(servers, active)) as running:
        servers[0].status = 503
        eventually(lambda: states(running) == ["UNHEALTHY", "HEALTHY"])
        assert running.served_by(3) == [servers[1].address] * 3
        servers[0].status = 200
        eventually(lambda: states(running) == ["HEALTHY", "HEALTHY"])
        assert set(running.served_by(2)) == {server.address for server in servers}


def test_least_connections_counts_requests_until_they_are_answered() -> None:
    with echo_servers(2) as servers:
        store = balanced(servers, algorithm="least-connections")
        with RunningProxy(store) as running:
            servers[0].held.set()
            address = f"http://127.0.0.1:{running.port}/"
            waiting = threading.Thread(target=lambda: httpx.get(address, trust_env=False))
            waiting.start()
            eventually(lambda: servers[0].requests)
            assert running.served_by(3) == [servers[1].address] * 3
            servers[0].held.clear()
            servers[0].released.set()
            waiting.join()
            assert servers[0].address in running.served_by(2)


def hashed(servers: list[EchoServer], **fields: Any) -> FakeStore:
    store = balanced(servers)
    store.change(upstreams=[upstream(algorithm="consistent-hashing", **fields)])
    return store


@pytest.mark.parametrize(
    ("fields", "request_"),
    [
        ({"hash_on": "ip"}, lambda key: ("/", {})),
        ({"hash_on": "header", "hash_on_header": "X-Key"}, lambda key: ("/", {"x-key": key})),
        ({"hash_on": "path"}, lambda key: (f"/{key}", {})),
        ({"hash_on": "query_arg", "hash_on_query_arg": "key"}, lambda key: (f"/?key={key}", {})),
        (
            {"hash_on": "cookie", "hash_on_cookie": "key"},
            lambda key: ("/", {"cookie": f"key={key}"}),
        ),
        (
            {"hash_on": "consumer", "hash_fallback": "header", "hash_fallback_header": "X-Key"},
            lambda key: ("/", {"x-key": key}),
        ),
        (
            {"hash_on": "uri_capture", "hash_on_uri_capture": "key"},
            lambda key: (f"/{key}", {}),
        ),
    ],
)
def test_the_same_key_always_finds_the_same_target(
    fields: Entity, request_: Callable[[str], tuple[str, dict[str, str]]]
) -> None:
    with echo_servers(3) as servers:
        store = hashed(servers, **fields)
        store.change(routes=[route(paths=["~/(?<key>\\w*)"], strip_path=False)])
        with RunningProxy(store) as running:
            found = set()
            for number in range(16):
                path, headers = request_(f"key{number}")
                servers_found = set(running.served_by(2, path, headers=headers))
                assert len(servers_found) == 1
                found |= servers_found
            assert (len(found) == 1) == (fields["hash_on"] == "ip")


def test_a_missing_cookie_is_made_and_then_finds_its_target_again() -> None:
    with echo_servers(3) as servers:
        fields: Entity = {
            "hash_on": "cookie",
            "hash_on_cookie": "stick",
            "hash_on_cookie_path": "/app",
        }
        with RunningProxy(hashed(servers, **fields)) as running:
            first = running.client.get("/")
            made = re.fullmatch(
                r"stick=([0-9a-f-]{36}); Path=/app; Same-Site=Lax; HttpOnly",
                first.headers["set-cookie"],
            )
            assert made
            mine = {"cookie": f"stick={made[1]}"}
            assert set(running.served_by(3, headers=mine)) == {first.json()["server"]}
            assert "set-cookie" not in running.client.get("/", headers=mine).headers
