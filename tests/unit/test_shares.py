# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Responses are compared with weights exactly where rounds are whole, and within a tenth else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.irishtek.kong.plugins.module_utils._shares import (
    Expected,
    Response,
    allowed_deviation,
    count_servers,
    default_requests,
    latency_of,
    percentile,
    round_of,
    shares_of,
    table_of,
)

WEIGHTS = st.lists(st.integers(0, 1000), min_size=1, max_size=6).filter(any)


def _expected(*weights: int) -> list[Expected]:
    return [Expected(weight, f"web{number}") for number, weight in enumerate(weights, 1)]


@pytest.mark.parametrize(
    ("weights", "whole", "requests"),
    [
        ([100, 100], 2, 4),
        ([300, 100], 4, 8),
        ([100], 1, 2),
        ([0, 100], 1, 2),
        ([100, 99], 199, 100),
        ([49, 1], 50, 100),
        ([50, 1], 51, 51),
    ],
)
def test_two_rounds_are_sent_where_they_are_short(
    weights: list[int], whole: int, requests: int
) -> None:
    expected = _expected(*weights)
    assert (round_of(expected), default_requests(expected)) == (whole, requests)


def test_one_request_is_sent_where_no_shares_are_expected() -> None:
    assert default_requests([]) == 1


@pytest.mark.parametrize(
    ("requests", "tolerance", "deviation"),
    [(8, 0, 0), (8, 2, 2), (10, 0, 1), (10, 3, 3), (99, 0, 9)],
)
def test_whole_rounds_are_exact(requests: int, tolerance: int, deviation: int) -> None:
    assert allowed_deviation(_expected(300, 100), requests, tolerance) == deviation


@given(WEIGHTS, st.integers(1, 5))
def test_whole_rounds_of_strict_turns_are_fair(weights: list[int], rounds: int) -> None:
    expected = _expected(*weights)
    requests = rounds * round_of(expected)
    counts = {
        str(each.name): each.weight * requests // sum(weights) for each in expected if each.weight
    }
    assert all(each.fair for each in shares_of(expected, counts, requests, 0))


@given(WEIGHTS)
def test_one_response_too_many_is_not_fair(weights: list[int]) -> None:
    expected = _expected(*weights)
    requests = round_of(expected)
    counts = {str(each.name): each.weight * requests // sum(weights) for each in expected}
    counts["web1"] += 1
    assert not shares_of(expected, counts, requests, 0)[0].fair


@pytest.mark.parametrize("deviation", [0, 5])
def test_a_server_that_should_not_answer_is_never_fair(deviation: int) -> None:
    shares = shares_of(_expected(100, 0), {"web1": 2, "web2": 1, "web9": 1}, 4, deviation)
    assert [(each.name, each.weight, each.fair) for each in shares[1:]] == [
        ("web2", 0, False), ("web9", 0, False)
    ]  # fmt: skip


def test_servers_without_names_are_compared_by_size() -> None:
    expected = [Expected(100), Expected(300), Expected(100, "web1")]
    shares = shares_of(expected, {"a": 2, "b": 6, "web1": 2}, 10, 0)
    assert [(each.name, each.count, each.weight, each.fair) for each in shares] == [
        ("web1", 2, 100, True), ("b", 6, 300, True), ("a", 2, 100, True)
    ]  # fmt: skip
    (missing,) = shares_of([Expected(100)], {}, 2, 0)
    assert (missing.name, missing.count, missing.fair) == ("nobody", 0, False)


def test_two_entries_of_one_server_are_one_share() -> None:
    (share,) = shares_of([Expected(100, "a"), Expected(50, "a")], {"a": 3}, 3, 0)
    assert (share.weight, share.fair) == (150, True)


def test_what_was_seen_is_a_table() -> None:
    shares = shares_of(_expected(300, 100), {"web1": 6, "web2": 2}, 8, 0)
    latency = latency_of([Response(0.002 * number, 200) for number in range(1, 5)])
    assert latency == {"min": 0.002, "median": 0.004, "p95": 0.008, "max": 0.008}
    assert table_of(shares, {"200": 8}, latency) == [
        "server  weight  expected  responses",
        "web1    300     6         6",
        "web2    100     2         2",
        "200: 8",
        "min 2 ms, median 4 ms, p95 8 ms, max 8 ms",
    ]
    assert table_of([], {}, latency_of([Response(1, error="refused")])) == []
    assert shares[0].as_result(8) == {
        "name": "web1", "count": 6, "weight": 300, "expected": 6.0, "percent": 75.0
    }  # fmt: skip


def test_responses_that_name_no_server_count_for_none() -> None:
    responses = [Response(1, 200, name) for name in ("b", "a", None, "b")]
    assert list(count_servers(responses).items()) == [("a", 1), ("b", 2)]


@given(st.lists(st.floats(0, 10), min_size=1).map(sorted), st.floats(0.1, 100))
def test_a_percentile_is_kept_by_so_many(ordered: list[float], percent: float) -> None:
    limit = percentile(ordered, percent)
    assert limit in ordered
    assert sum(each <= limit for each in ordered) >= len(ordered) * percent / 100 - 1e-9
