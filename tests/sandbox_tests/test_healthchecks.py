# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks count, settle and probe as a gateway's do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sandbox.healthchecks import AddressKey, HealthChecker, uses_healthchecks
from sandbox_tests.proxy_support import (
    EchoServer,
    Entity,
    echo_server,
    free_port,
    upstream,
)

KEY: AddressKey = ("127.0.0.1", 9, "127.0.0.1")


def checker(checks: Entity, key: AddressKey = KEY, **fields: Any) -> HealthChecker:
    return HealthChecker(upstream(checks=checks, **fields), [key])


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ({}, False),
        ({"active": {"healthy": {"interval": 1}}}, True),
        ({"active": {"unhealthy": {"interval": 0.5}}}, True),
        ({"active": {"unhealthy": {"http_failures": 1}}}, False),
        ({"passive": {"unhealthy": {"http_failures": 1}}}, True),
        ({"passive": {"unhealthy": {"tcp_failures": 1}}}, True),
        ({"passive": {"unhealthy": {"timeouts": 1}}}, True),
        ({"passive": {"healthy": {"successes": 1}}}, False),
        ({"passive": {"unhealthy": {"tcp_failures": None}}}, False),
    ],
)
def test_checks_are_on_where_an_interval_or_a_passive_limit_is(
    checks: Entity, expected: bool
) -> None:
    assert uses_healthchecks(upstream(checks=checks)) is expected


@pytest.mark.parametrize("counter", ["http_failures", "tcp_failures", "timeouts"])
def test_each_kind_of_failure_counts_to_its_own_limit(counter: str) -> None:
    of = checker({"passive": {"unhealthy": {counter: 2}}})
    reports: dict[str, Callable[[], None]] = {
        "http_failures": lambda: of.report_status(KEY, 500, "passive"),
        "tcp_failures": lambda: of.report_tcp_failure(KEY, "passive"),
        "timeouts": lambda: of.report_timeout(KEY, "passive"),
    }
    others = [report for name, report in reports.items() if name != counter]
    for report in [*others, *others, *others, reports[counter]]:
        report()
    assert of.healthy(KEY)
    reports[counter]()
    assert not of.healthy(KEY)


def test_a_success_forgets_failures_where_successes_count() -> None:
    of = checker({"passive": {"healthy": {"successes": 1}, "unhealthy": {"http_failures": 2}}})
    for status in (500, 200, 500, 200, 500):
        of.report_status(KEY, status, "passive")
        assert of.healthy(KEY)
    of.report_status(KEY, 500, "passive")
    assert not of.healthy(KEY)


def test_one_success_of_several_needed_forgets_failures_already() -> None:
    of = checker({"passive": {"healthy": {"successes": 3}, "unhealthy": {"http_failures": 2}}})
    for status in (500, 200, 500):
        of.report_status(KEY, status, "passive")
    assert of.healthy(KEY)
    of.report_status(KEY, 500, "passive")
    assert not of.healthy(KEY)


def test_a_success_forgets_nothing_where_successes_do_not_count() -> None:
    of = checker({"passive": {"unhealthy": {"http_failures": 2}}})
    for status in (500, 200, 500):
        of.report_status(KEY, status, "passive")
    assert not of.healthy(KEY)


def test_successes_in_a_row_heal() -> None:
    of = checker({"passive": {"healthy": {"successes": 2}, "unhealthy": {"http_failures": 1}}})
    of.set_status(KEY, False)
    for status in (200, 500, 200):
        of.report_status(KEY, status, "passive")
        assert not of.healthy(KEY)
    of.report_status(KEY, 200, "passive")
    assert of.healthy(KEY)


def test_a_status_in_neither_list_counts_for_nothing() -> None:
    of = checker({"passive": {"healthy": {"successes": 1}, "unhealthy": {"http_failures": 2}}})
    for status in (500, 404, 500):
        of.report_status(KEY, status, "passive")
    assert not of.healthy(KEY)


def test_an_address_that_is_not_checked_is_healthy_whatever_is_reported() -> None:
    of = checker({"passive": {"unhealthy": {"tcp_failures": 1}}})
    other = ("127.0.0.1", 10, "127.0.0.1")
    of.report_tcp_failure(other, "passive")
    of.set_status(other, False)
    assert of.healthy(other)


@contextmanager
def silent_server() -> Iterator[AddressKey]:
    """A target that accepts connections and never answers."""
    with echo_server() as server:
        server.held.set()
        yield key_of(server)


def key_of(server: EchoServer) -> AddressKey:
    return ("127.0.0.1", server.server_port, "127.0.0.1")


ONE_STRIKE: Entity = {
    "active": {
        "timeout": 10,
        "healthy": {"interval": 1, "successes": 1},
        "unhealthy": {"http_failures": 1, "tcp_failures": 1, "timeouts": 1},
    }
}


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (418, True)])
def test_a_probe_judges_the_status(status: int, healthy: bool) -> None:
    with echo_server() as server:
        server.status = status
        of = checker(ONE_STRIKE, key_of(server))
        asyncio.run(of.probe(key_of(server)))
        assert of.healthy(key_of(server)) is healthy


def test_a_probe_asks_for_the_path_with_the_headers_and_the_host_header() -> None:
    seen: list[bytes] = []

    async def scenario() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        key = ("127.0.0.1", server.sockets[0].getsockname()[1], "node.test")
        of = HealthChecker(
            upstream(
                checks={"active": {"http_path": "/up?a=b", "headers": {"X-Probe": ["1", "2"]}}},
                host_header="probe.test",
            ),
            [key],
        )
        await of.probe(key)
        server.close()

    asyncio.run(scenario())
    assert seen == [b"GET /up?a=b HTTP/1.0\r\nX-Probe: 1\r\nX-Probe: 2\r\nHost: probe.test\r\n\r\n"]


def test_a_probe_of_a_closed_port_is_a_tcp_failure() -> None:
    key = ("127.0.0.1", free_port(), "127.0.0.1")
    of = checker({"active": {"unhealthy": {"tcp_failures": 1}}}, key)
    asyncio.run(of.probe(key))
    assert not of.healthy(key)


@pytest.mark.parametrize("reply", [b"", b"220 mail.test\n", b"nonsense\n", b"\n"])
def test_an_answer_that_is_no_http_is_a_tcp_failure(reply: bytes) -> None:
    async def scenario() -> bool:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(reply)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        key = ("127.0.0.1", server.sockets[0].getsockname()[1], "127.0.0.1")
        of = checker({"active": {"unhealthy": {"tcp_failures": 1}}}, key)
        await of.probe(key)
        server.close()
        return of.healthy(key)

    assert asyncio.run(scenario()) is False


def test_a_probe_without_an_answer_is_a_timeout() -> None:
    with silent_server() as key:
        of = checker({"active": {"timeout": 0.2, "unhealthy": {"timeouts": 1}}}, key)
        asyncio.run(of.probe(key))
        assert not of.healthy(key)


def test_a_tcp_probe_is_content_with_a_connection() -> None:
    with silent_server() as key:
        of = checker({"active": {"type": "tcp", "healthy": {"successes": 1}}}, key)
        of.set_status(key, False)
        asyncio.run(of.probe(key))
        assert of.healthy(key)


def test_an_https_probe_of_a_plain_server_is_a_tcp_failure() -> None:
    with echo_server() as server:
        of = checker(
            {"active": {"type": "https", "unhealthy": {"tcp_failures": 1}}}, key_of(server)
        )
        asyncio.run(of.probe(key_of(server)))
        assert not of.healthy(key_of(server))


def test_probes_follow_the_state_until_they_are_stopped() -> None:
    """Healthy and unhealthy addresses are probed at their own intervals."""

    async def scenario(server: EchoServer) -> None:
        key = key_of(server)
        often: Entity = {
            "active": {
                "healthy": {"interval": 0.01, "successes": 2},
                "unhealthy": {"interval": 0.01, "http_failures": 2},
            }
        }
        of = checker(often, key)
        of.start()
        async with asyncio.timeout(10):
            server.status = 503
            while of.healthy(key):
                await asyncio.sleep(0.005)
            server.status = 200
            while not of.healthy(key):
                await asyncio.sleep(0.005)
        of.stop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        assert len(others) >= 2
        assert all(task.cancelled() for task in others)

    with echo_server() as server:
        asyncio.run(scenario(server))


def test_an_interval_of_zero_probes_nothing() -> None:
    async def scenario() -> int:
        checker({"passive": {"unhealthy": {"tcp_failures": 1}}}).start()
        return len(asyncio.all_tasks())

    assert asyncio.run(scenario()) == 1


class CountingChecker(HealthChecker):
    """Probes nothing, but counts how many probes are under way at once."""

    under_way = 0
    most = 0
    done = 0

    async def probe(self, key: AddressKey) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        self.done += 1


@pytest.mark.parametrize("concurrency", [1, 2, 5])
def test_probes_keep_within_the_concurrency(concurrency: int) -> None:
    checks: Entity = {"active": {"concurrency": concurrency, "healthy": {"interval": 60}}}
    keys = [("127.0.0.1", port, "127.0.0.1") for port in range(1, 6)]
    of = CountingChecker(upstream(checks=checks), keys)

    async def scenario() -> None:
        of.start()
        async with asyncio.timeout(10):
            while of.done < len(keys):
                await asyncio.sleep(0)
        of.stop()

    asyncio.run(scenario())
    assert of.most == concurrency
