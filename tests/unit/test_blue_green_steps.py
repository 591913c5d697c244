# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights that shift requests from one set of targets to another."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.irishtek.kong.plugins.filter.blue_green_steps import blue_green_steps

BLUE: list[dict[str, Any]] = [{"target": "10.0.0.1:80", "weight": 300}, {"target": "10.0.0.2:80"}]
GREEN: list[dict[str, Any]] = [
    {"target": "10.0.0.3:80", "weight": 1},
    {"target": "10.0.0.4:80", "weight": 200},
]


def _weights(targets: list[dict[str, Any]]) -> list[int]:
    return [each["weight"] for each in targets]


def test_each_step_gives_green_its_part_and_blue_the_rest() -> None:
    steps = blue_green_steps(BLUE, GREEN, [10, 50, 100])["steps"]
    assert [step["percent"] for step in steps] == [10, 50, 100]
    assert [_weights(step["rising"]) for step in steps] == [[1, 20], [1, 100], [1, 200]]
    assert [_weights(step["falling"]) for step in steps] == [[270, 90], [150, 50], [0, 0]]


def test_the_way_back_raises_blue_first_to_what_it_had() -> None:
    found = [{"target": "10.0.0.1:80", "weight": 7}, {"target": "10.0.0.3:80", "weight": 5}]
    back = blue_green_steps(BLUE, GREEN, found=found)["back"]
    assert _weights(back["rising"]) == [7, 0]
    assert _weights(back["falling"]) == [5, 0]


@given(st.lists(st.integers(1, 99), unique=True).map(sorted), st.integers(1, 65535))
def test_there_is_weight_at_any_time(percents: list[int], weight: int) -> None:
    blue, green = ([{"target": f"10.0.0.{n}:80", "weight": weight}] for n in (1, 2))
    steps = blue_green_steps(blue, green, [*percents, 100])["steps"]
    falling = weight
    for step in steps:
        assert _weights(step["rising"])[0] > 0
        assert _weights(step["falling"])[0] <= falling
        falling = _weights(step["falling"])[0]
    assert falling == 0


@pytest.mark.parametrize(
    ("blue", "green", "percents", "message"),
    [
        ([], GREEN, [100], "blue has no targets"),
        (BLUE, [], [100], "green has no targets"),
        (BLUE, [{"target": "10.0.0.1:080"}], [100], "both have the target 10.0.0.1:80"),
        (BLUE, [{"target": "a b"}], [100], "a b"),
        (BLUE, GREEN, [50, 50, 100], r"must rise from above 0 to 100, got \[50, 50, 100\]"),
        (BLUE, GREEN, [0, 100], "percents must rise"),
        (BLUE, GREEN, [50], "percents must rise"),
        (BLUE, GREEN, [], "percents must rise"),
    ],
)
def test_what_cannot_be_shifted_is_refused(
    blue: Any, green: Any, percents: Any, message: str
) -> None:
    with pytest.raises(AnsibleFilterError, match=message):
        blue_green_steps(blue, green, percents)
