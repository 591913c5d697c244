# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark of state files: each side does its work, and a run that did not is no figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import yaml

from benchmark import state
from benchmark.documents import TAG, Shape, shapes
from benchmark.measure import Budget, Failed, Spent
from benchmark.state import PHASES, Rig, Work
from benchmark.state_report import tell
from harness.engine import Engine
from harness.gateway import Gateway
from harness.paths import BINARIES

POOL, MIX = shapes(((2, 3),), services=2)


@pytest.fixture
def rig(tmp_path: Path, gateway: Gateway) -> Iterator[Rig]:
    """The gateway under test, measured with the tests' own Ansible."""
    yield Rig(gateway, tmp_path, BINARIES)
    state.empty(gateway)


def _stored(gateway: Gateway) -> dict[str, int]:
    """How many entities of each kind the benchmark left."""
    return {
        path: len(gateway.call("GET", f"/{path}?size=1000&tags={TAG}")["data"])
        for path in ("upstreams", "services", "routes", "plugins", "consumers")
    }


@pytest.mark.parametrize("side", ["task", "ansible-playbook"])
def test_each_side_brings_the_gateway_to_the_last_file(rig: Rig, side: str) -> None:
    spent = state.measure(rig, Work(POOL, side, 0))
    assert tuple(spent) == PHASES
    assert all(each.seconds > 0 and each.memory > 1024 for each in spent.values())
    targets = rig.gateway.entities(f"/upstreams/{TAG}-1/targets")
    assert sorted(target["weight"] for target in targets) == [100, 100, 300]


def test_the_mix_has_as_many_entities_as_its_name_says(rig: Rig) -> None:
    state.measure(rig, Work(MIX, "task", 0))
    stored = _stored(rig.gateway)
    assert stored == {"upstreams": 0, "services": 2, "routes": 4, "plugins": 2, "consumers": 2}
    assert sum(stored.values()) == MIX.count
    assert rig.gateway.call("GET", f"/services/{TAG}-1")["retries"] == 7


def test_the_two_files_of_a_shape_differ_in_one_line() -> None:
    for shape in (POOL, MIX):
        lines = [yaml.safe_dump(each).splitlines() for each in (shape.document, shape.changed)]
        assert len(set(lines[1]) - set(lines[0])) == 1


def test_a_side_that_leaves_work_undone_is_no_measurement(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def idle(rig: Rig, gateway: Gateway, file: Path) -> Spent:
        return Spent(0.001, 1)

    monkeypatch.setitem(state.SIDES, "decK", idle)
    with pytest.raises(Failed, match="decK left 2 upstreams of 3 targets undone"):
        state.measure(rig, Work(POOL, "decK", 0))


def test_a_side_that_fails_is_no_measurement(rig: Rig) -> None:
    broken = Shape("broken", 1, {**POOL.document, "_format_version": "1.1"}, lambda document: None)
    with pytest.raises(Failed, match="status 1"):
        state.measure(rig, Work(broken, "task", 0))


def test_a_lasting_gateway_is_emptied_of_what_carries_the_tag_only(rig: Rig) -> None:
    state.measure(rig, Work(MIX, "task", 0))
    Engine(rig.gateway).ok("kong_state", content=POOL.document)
    rig.gateway.call("POST", "/services", {"name": f"{TAG}-of-others", "host": "other"})
    try:
        state.empty(replace(rig.gateway, is_sandbox=False))
        assert set(_stored(rig.gateway).values()) == {0}
        assert rig.gateway.call("GET", f"/services/{TAG}-of-others") is not None
    finally:
        rig.gateway.call("DELETE", f"/services/{TAG}-of-others")


def test_a_delay_is_added_to_each_request_and_ends(gateway: Gateway) -> None:
    with state.delayed(gateway, 300) as far:
        answer = httpx.get(f"{far.admin_url}/upstreams", trust_env=False)
        assert answer.status_code == 200
        assert answer.elapsed.total_seconds() >= 0.3
    with pytest.raises(httpx.ConnectError):
        httpx.get(far.admin_url, trust_env=False)


def test_rounds_that_do_not_fit_are_left_out(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[Work] = []

    def measure(rig: Rig, work: Work) -> dict[str, Spent]:
        measured.append(work)
        return dict.fromkeys(PHASES, Spent(1.0, 1))

    monkeypatch.setattr(state, "measure", measure)
    blocks = [[Work(POOL, "task", 0)], [Work(POOL, "task", 20)]]
    assert {len(found) for found in state.rounds(rig, blocks, Budget(-1)).values()} == {0}
    assert measured == []
    assert {len(found) for found in state.rounds(rig, blocks, Budget(60)).values()} == {3}


def test_medians_memory_and_ratios_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    def spent(seconds: float, memory: int) -> dict[str, Spent]:
        return dict.fromkeys(PHASES, Spent(seconds, memory * 1024))

    tell({
        Work(POOL, "task", 0): [spent(1.0, 60), spent(9.0, 70), spent(2.0, 50)],
        Work(POOL, "decK", 0): [spent(4.0, 90)],
        Work(POOL, "task", 20): [spent(6.0, 60)],
        Work(MIX, "task", 0): [],
    })  # fmt: skip
    shown = capsys.readouterr().out
    assert "2 upstreams of 3 targets, no delay" in shown
    assert "2.00 s     70 MiB" in shown
    lines = [line.split() for line in shown.splitlines()]
    assert ["task", ":", "decK", *["0.50"] * 3] in lines
    assert ["with", ":", "without", "the", "delay", *["3.00"] * 3] in lines
    assert MIX.name not in shown
