# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Balancers share requests by weight and show health as gateways do."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.algorithms import Address, consistent_hashing, latency, least_connections, round_robin
from sandbox.balancer import (
    BalancedTarget,
    Balancer,
    BalancerError,
    Balancers,
    NoBalancer,
    NoHealthchecker,
)
from sandbox.resolver import NAME_ERROR, Answer, Resolver, resolve
from sandbox_tests.proxy_support import Entity, FakeStore, target, upstream

PASSIVE: Entity = {"passive": {"healthy": {"successes": 1}, "unhealthy": {"tcp_failures": 1}}}


def balancer(*weights: int, checks: Entity | None = None, **fields: Any) -> Balancer:
    """A balancer with a target at 10.0.0.1, 10.0.0.2 … for each weight."""
    entities = [target(f"10.0.0.{n}:80", weight) for n, weight in enumerate(weights, 1)]
    answers = [Answer("A", (entity["target"][:-3],)) for entity in entities]
    targets = [BalancedTarget(*pair) for pair in zip(entities, answers, strict=True)]
    return Balancer(upstream(checks=checks, **fields), targets)


def picks(of: Balancer, count: int, key: str | None = None) -> list[str | None]:
    found = [of.pick(key, ()) for number in range(count)]
    return [address.ip[-1] if address else None for address in found]


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Let other tasks run until the condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def test_equal_weights_alternate() -> None:
    assert picks(balancer(100, 100), 6) == ["1", "2", "1", "2", "1", "2"]


def test_three_hundred_to_one_hundred_is_three_to_one_in_every_four() -> None:
    found = picks(balancer(300, 100), 20)
    for start in range(0, 20, 4):
        assert Counter(found[start : start + 4]) == {"1": 3, "2": 1}


def test_weight_zero_is_never_served() -> None:
    assert picks(balancer(100, 0), 3) == ["1", "1", "1"]
    assert picks(balancer(0, 0), 1) == [None]


def test_an_unhealthy_address_is_skipped_until_it_is_healthy_again() -> None:
    pair = balancer(100, 100, checks=PASSIVE)
    first = pair.targets[0].addresses[0]
    pair.report_failure(first, timed_out=False)
    assert picks(pair, 3) == ["2", "2", "2"]
    pair.report_status(first, 200)
    assert set(picks(pair, 2)) == {"1", "2"}


def test_addresses_that_were_tried_are_not_picked_again() -> None:
    pair = balancer(100, 100)
    first = pair.pick(None, [])
    assert first is not None
    second = pair.pick(None, [first])
    assert second is not None and second is not first
    assert pair.pick(None, [first, second]) is None


def test_below_the_threshold_nothing_is_served() -> None:
    pair = balancer(100, 100, checks={**PASSIVE, "threshold": 50})
    assert pair.summary()["balancer_health"] == "HEALTHY"
    pair.report_failure(pair.targets[0].addresses[0], timed_out=False)
    assert pair.summary()["balancer_health"] == "UNHEALTHY"
    assert picks(pair, 1) == [None]


def test_least_connections_prefers_the_idle_by_weight() -> None:
    addresses = [Address("10.0.0.1", 80, 100, "a"), Address("10.0.0.2", 80, 100, "b")]
    addresses[0].in_flight = 1
    assert least_connections(addresses) is addresses[1]
    addresses[1].in_flight = 2
    assert least_connections(addresses) is addresses[0]
    addresses[1].weight = 1000
    assert least_connections(addresses) is addresses[1]


def test_latency_prefers_the_fast_after_each_was_tried() -> None:
    addresses = [Address("10.0.0.1", 80, 100, "a"), Address("10.0.0.2", 80, 100, "b")]
    addresses[0].observe(0.2)
    assert latency(addresses) is addresses[1]
    addresses[1].observe(0.4)
    assert latency(addresses) is addresses[0]


def test_hashing_keeps_a_key_where_it_was_when_another_address_goes() -> None:
    addresses = [Address(f"10.0.0.{n}", 80, 100, "a") for n in range(1, 6)]
    keys = [f"key-{n}" for n in range(200)]
    before = {key: consistent_hashing(addresses, key) for key in keys}
    assert set(before.values()) == set(addresses)
    after = {key: consistent_hashing(addresses[1:], key) for key in keys}
    moved = {key for key in keys if before[key] is not after[key]}
    assert moved == {key for key in keys if before[key] is addresses[0]}


def test_hashing_shares_keys_by_weight() -> None:
    addresses = [Address("10.0.0.1", 80, 300, "a"), Address("10.0.0.2", 80, 100, "b")]
    chosen = Counter(consistent_hashing(addresses, f"key-{n}").weight for n in range(2000))
    assert 0.7 < chosen[300] / 2000 < 0.8


def test_hashing_without_a_key_takes_turns() -> None:
    addresses = [Address("10.0.0.1", 80, 100, "a"), Address("10.0.0.2", 80, 100, "b")]
    assert [consistent_hashing(addresses, None) for turn in range(2)] == addresses


def test_round_robin_shares_by_weight_among_what_is_left() -> None:
    addresses = [Address(f"10.0.0.{n}", 80, weight, "a") for n, weight in ((1, 2), (2, 1), (3, 1))]
    counted = Counter(round_robin(addresses).ip for turn in range(40))
    assert counted == {"10.0.0.1": 20, "10.0.0.2": 10, "10.0.0.3": 10}


# The next four: the answers recorded in the conformance case health_states.
def test_without_checks_health_is_off() -> None:
    alone = balancer(10)
    assert alone.target_health(alone.targets[0]) == {
        "health": "HEALTHCHECKS_OFF",
        "data": {
            "addresses": [
                {"health": "HEALTHCHECKS_OFF", "ip": "10.0.0.1", "port": 80, "weight": 10}
            ],
            "dns": "A",
            "host": "10.0.0.1",
            "nodeWeight": 10,
            "port": 80,
            "weight": {"available": 10, "total": 10, "unavailable": 0},
        },
    }
    assert alone.summary()["health"] == "HEALTHCHECKS_OFF"


def test_with_checks_health_follows_the_address() -> None:
    alone = balancer(10, checks=PASSIVE)
    alone.report_failure(alone.targets[0].addresses[0], timed_out=False)
    health = alone.target_health(alone.targets[0])
    assert health["health"] == "UNHEALTHY"
    assert health["data"]["addresses"][0]["health"] == "UNHEALTHY"
    assert health["data"]["weight"] == {"available": 0, "total": 10, "unavailable": 10}
    assert alone.summary() == {
        "balancer_health": "UNHEALTHY",
        "details": {
            "healthy": False,
            "hosts": [
                {
                    "addresses": [{"healthy": False, "ip": "10.0.0.1", "port": 80, "weight": 10}],
                    "dns": "A",
                    "host": "10.0.0.1",
                    "nodeWeight": 10,
                    "port": 80,
                    "weight": {"available": 0, "total": 10, "unavailable": 10},
                }
            ],
            "weight": {"available": 0, "total": 10, "unavailable": 10},
        },
        "health": "UNHEALTHY",
        "id": "id-echo.test",
    }


def test_a_drained_target_is_not_checked() -> None:
    alone = balancer(0, checks=PASSIVE)
    health = alone.target_health(alone.targets[0])
    assert health["health"] == "HEALTHCHECKS_OFF"
    assert health["data"]["weight"] == {"available": 0, "total": 0, "unavailable": 0}


def test_a_name_that_does_not_resolve_is_a_dns_error_with_an_empty_map() -> None:
    lost = BalancedTarget(target("nowhere.invalid:80"), Answer(NAME_ERROR))
    health = Balancer(upstream(checks=PASSIVE), [lost]).target_health(lost)
    assert health["health"] == "DNS_ERROR"
    assert health["data"]["addresses"] == {}
    assert health["data"]["dns"] == NAME_ERROR
    assert health["data"]["host"] == "nowhere.invalid"


def test_one_healthy_address_makes_a_target_healthy() -> None:
    pair = BalancedTarget(target("pair.test:80"), Answer("A", ("10.0.0.1", "10.0.0.2")))
    both = Balancer(upstream(checks=PASSIVE), [pair])
    both.report_failure(pair.addresses[0], timed_out=False)
    assert both.target_health(pair)["health"] == "HEALTHY"
    both.report_failure(pair.addresses[1], timed_out=False)
    assert both.target_health(pair)["health"] == "UNHEALTHY"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", Answer("A", ("127.0.0.1",))),
        (
            "[0000:0000:0000:0000:0000:0000:0000:0001]",
            Answer("AAAA", ("[0000:0000:0000:0000:0000:0000:0000:0001]",)),
        ),
        ("localhost", Answer("A", ("127.0.0.1",))),
        ("nowhere.invalid", Answer(NAME_ERROR)),
        ("Nowhere.INVALID.", Answer(NAME_ERROR)),
        ("a" * 70, Answer(NAME_ERROR)),
    ],
)
def test_names_resolve_to_a_record_type_and_addresses(host: str, expected: Answer) -> None:
    assert asyncio.run(resolve(host)) == expected


def test_a_resolver_remembers_until_it_is_refreshed(monkeypatch: pytest.MonkeyPatch) -> None:
    zone = {"echo.test": Answer("A", ("127.0.0.1",))}
    asked: list[str] = []

    async def looked_up(host: str) -> Answer:
        asked.append(host)
        return zone[host]

    monkeypatch.setattr("sandbox.resolver.resolve", looked_up)

    async def scenario() -> None:
        resolver = Resolver()
        assert await resolver.answers(["echo.test", "echo.test"]) == zone
        assert await resolver.answers(["echo.test"]) == zone
        assert asked == ["echo.test"]
        assert not await resolver.refresh()
        zone["echo.test"] = Answer("A", ("127.0.0.2",))
        assert await resolver.refresh()
        assert await resolver.answers(["echo.test"]) == zone
        resolver.keep_only([])
        asked.clear()
        assert not await resolver.refresh()
        assert asked == []

    asyncio.run(scenario())


def test_a_name_server_that_does_not_answer_makes_a_name_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()

    def looked_up(host: str) -> Answer:
        answered.wait(10)
        return Answer("A", ("127.0.0.1",))

    monkeypatch.setattr("sandbox.resolver._look_up", looked_up)
    assert asyncio.run(resolve("slow.test", timeout=0.05)) == Answer(NAME_ERROR)
    answered.set()


def test_a_name_that_resolves_later_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    zone = {"late.test": Answer(NAME_ERROR)}

    async def looked_up(host: str) -> Answer:
        return zone[host]

    monkeypatch.setattr("sandbox.resolver.resolve", looked_up)

    async def scenario() -> None:
        late = target("late.test:80")
        store = FakeStore(upstreams=[upstream()], targets=[late])
        balancers = Balancers(store, 0, requery=0.01)
        balancers.start()
        await until(lambda: balancers.generation)
        assert balancers.health("id-echo.test")[late["id"]]["health"] == "DNS_ERROR"
        zone["late.test"] = Answer("A", ("127.0.0.1",))
        await until(lambda: balancers.generation == 2)
        assert balancers.health("id-echo.test")[late["id"]]["health"] == "HEALTHCHECKS_OFF"
        await balancers.stop()

    asyncio.run(scenario())


def test_a_change_reaches_the_balancers_after_a_while_and_not_at_once() -> None:
    async def scenario() -> None:
        store = FakeStore()
        balancers = Balancers(store, propagation=0.2)
        balancers.start()
        await until(lambda: balancers.generation == 1)
        loop = asyncio.get_running_loop()
        store.change(upstreams=[upstream()], targets=[target("127.0.0.1:9")])
        written = loop.time()
        assert balancers.health("id-echo.test") == {}
        assert balancers.balancer_health(upstream()) == {}
        with pytest.raises(NoBalancer, match=r"^Upstream echo\.test has no balancer$"):
            balancers.set_health(upstream(), target("127.0.0.1:9"), None, False)
        await until(lambda: balancers.health("id-echo.test"))
        assert loop.time() - written >= 0.2
        assert set(balancers.health("id-echo.test")) == {"id-127.0.0.1:9"}
        store.change(upstreams=[])
        await until(lambda: not balancers.health("id-echo.test"))
        await balancers.stop()

    asyncio.run(scenario())


def test_health_is_set_by_hand_for_a_target_or_one_of_its_addresses() -> None:
    async def scenario() -> None:
        entity, one = upstream(checks=PASSIVE), target("127.0.0.1:9", 10)
        balancers = Balancers(FakeStore(upstreams=[entity], targets=[one]), 0)
        balancers.start()
        await until(lambda: balancers.generation)

        def health() -> str:
            return str(balancers.health(entity["id"])[one["id"]]["health"])

        assert health() == "HEALTHY"
        balancers.set_health(entity, one, None, False)
        assert health() == "UNHEALTHY"
        balancers.set_health(entity, one, "127.0.0.1:10", True)
        assert health() == "UNHEALTHY"
        balancers.set_health(entity, one, "127.0.0.1:9", True)
        assert health() == "HEALTHY"
        await balancers.stop()

    asyncio.run(scenario())


def test_without_checks_health_cannot_be_set() -> None:
    async def scenario() -> None:
        balancers = Balancers(FakeStore(upstreams=[upstream()], targets=[target("127.0.0.1:9")]), 0)
        balancers.start()
        await until(lambda: balancers.generation)
        with pytest.raises(NoHealthchecker, match=r"^no healthchecker found for echo\.test$"):
            balancers.set_health(upstream(), target("127.0.0.1:9"), None, False)
        await balancers.stop()

    asyncio.run(scenario())
    assert issubclass(NoHealthchecker, BalancerError) and issubclass(NoBalancer, BalancerError)


def test_known_health_outlives_a_change_of_another_target() -> None:
    async def scenario() -> None:
        entity = upstream(checks=PASSIVE)
        one, two = target("127.0.0.1:9"), target("127.0.0.1:10", created_at=1)
        store = FakeStore(upstreams=[entity], targets=[one])
        balancers = Balancers(store, 0)
        balancers.start()
        await until(lambda: balancers.generation)
        balancers.set_health(entity, one, None, False)
        store.change(targets=[one, two])
        await until(lambda: two["id"] in balancers.health(entity["id"]))
        states = {name: each["health"] for name, each in balancers.health(entity["id"]).items()}
        assert states == {one["id"]: "UNHEALTHY", two["id"]: "HEALTHY"}
        await balancers.stop()

    asyncio.run(scenario())


def test_a_configuration_that_cannot_be_used_leaves_the_last_one_running(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        store = FakeStore(upstreams=[upstream()], targets=[target("127.0.0.1:9")])
        balancers = Balancers(store, 0)
        balancers.start()
        await until(lambda: balancers.generation)
        store.change(targets=[{"id": "incomplete"}])
        await until(lambda: "is not usable" in caplog.text)
        assert set(balancers.health("id-echo.test")) == {"id-127.0.0.1:9"}
        store.change(targets=[])
        await until(lambda: balancers.generation == 2)
        assert balancers.health("id-echo.test") == {}
        await balancers.stop()

    asyncio.run(scenario())
