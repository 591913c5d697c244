# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark measures work that was done, and says when a wanted ratio was not met."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark import rollout
from benchmark.cases import address, cases
from benchmark.measure import Budget, Failed
from benchmark.run import Bench, Cost, report, rounds
from harness.gateway import Gateway
from harness.paths import BINARIES, COLLECTIONS, ROOT

NAMES = ("irishtek-bench-collection", "irishtek-bench-uri", "irishtek-bench-bulk")


@pytest.fixture
def bench(tmp_path: Path, gateway: Gateway) -> Iterator[Bench]:
    """The gateway under test, measured with the tests' own Ansible."""
    yield Bench(gateway, tmp_path, BINARIES)
    for name in NAMES:
        gateway.call("DELETE", f"/upstreams/{name}")


def test_both_sides_write_the_same_targets(
    bench: Bench, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.run.ROUNDS", 1)
    compared = cases(token=bool(gateway.token), count=2, many=4)
    costs = rounds(bench, compared, Budget(60))
    assert [len(found) for found in costs.values()] == [1] * 5
    assert all(cost.wall > 0 and cost.cpu > 0 for found in costs.values() for cost in found)
    for name, count in zip(NAMES, (2, 2, 4), strict=True):
        stored = gateway.entities(f"/upstreams/{name}/targets")
        assert {target["target"] for target in stored} == {address(n) for n in range(count)}
        assert {target["weight"] for target in stored} == {100}


def test_a_lasting_gateway_is_left_without_the_benchmarks_entities(
    bench: Bench, gateway: Gateway
) -> None:
    for name in NAMES:
        gateway.call("POST", "/upstreams", {"name": name})
    replace(bench, gateway=replace(gateway, is_sandbox=False)).clean(cases(token=False))
    assert [gateway.call("GET", f"/upstreams/{name}") for name in NAMES] == [None] * 3


def test_a_run_that_leaves_targets_out_is_no_measurement(bench: Bench) -> None:
    work = replace(cases(token=False, count=1)[0].left, count=2)
    with pytest.raises(Failed, match="has 1 targets, not 2"):
        bench.measure(work)


def test_a_run_that_fails_is_no_measurement(bench: Bench) -> None:
    work = cases(token=False, count=1)[0].left
    broken = replace(work, tasks=[{"name": "Stop", "ansible.builtin.fail": {"msg": "stopped"}}])
    with pytest.raises(Failed, match="status 2"):
        bench.measure(broken)


@pytest.mark.parametrize(("wall", "met"), [(0.9, True), (1.1, False)])
def test_the_median_wall_time_decides_whether_a_ratio_is_met(
    capsys: pytest.CaptureFixture[str], wall: float, met: bool
) -> None:
    case = cases(token=False)[0]
    costs = {
        id(case.left): [Cost(9.0, 1.0), Cost(wall, 1.0), Cost(0.1, 1.0)],
        id(case.right): [Cost(10.0, 10.0)],
    }
    assert report([case], costs) is met
    shown = capsys.readouterr().out
    assert ("NOT MET" in shown) is not met
    assert f"ratio {wall / 10:.3f}" in shown


def test_a_rollout_is_measured_beside_an_empty_play(tmp_path: Path) -> None:
    (line,) = rollout.measure(tmp_path, BINARIES, Budget(60), numbers=(1,))
    assert "cpu a gateway more" in line


def test_what_runs_in_the_measured_environment_needs_nothing_but_httpx_and_ansible_core() -> None:
    lacking = "import sys; sys.modules.update(dict.fromkeys(('uvicorn', 'starlette', 'pytest')))"
    program = [sys.executable, "-c", f"{lacking}; import benchmark.one_task"]
    there = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(COLLECTIONS)])}
    done = subprocess.run(
        program, env=there, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
