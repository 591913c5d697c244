# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a gateway: one holder at a time, seen by nobody who lists, dumps or purges."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._entities._upstream import LOCK_NAME
from ansible_collections.irishtek.kong.plugins.module_utils._process import (
    has_ended,
    name_of_process,
    name_of_run,
)
from harness.engine import Engine
from harness.gateway import Gateway, sandbox


def _tags(gateway: Gateway) -> list[str]:
    found = gateway.call("GET", f"/upstreams/{LOCK_NAME}")
    return [] if found is None else list(found["tags"])


def test_one_of_many_at_once_gets_the_lock(empty_gateway: Gateway) -> None:
    results: list[dict[str, Any]] = []
    start = threading.Barrier(6)

    def take(owner: str) -> None:
        engine = Engine(empty_gateway)
        start.wait()
        results.append(engine("kong_lock", owner=owner))

    threads = [threading.Thread(target=take, args=(f"owner {number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [each for each in results if not each.get("failed")]
    assert winner["changed"]
    losers = [each for each in results if each.get("failed")]
    assert len(losers) == 5
    held = f"{winner['lock']['owner']} holds it since {winner['lock']['since']}"
    assert {each["msg"] for each in losers} == {f"lock of {empty_gateway.label}: {held}"}
    assert f"owner:{winner['lock']['owner']}" in _tags(empty_gateway)


def test_one_of_many_at_once_breaks_a_stale_lock(empty_gateway: Gateway) -> None:
    Engine(empty_gateway).ok("kong_lock", owner="gone")
    results: list[dict[str, Any]] = []
    start = threading.Barrier(4)

    def take(owner: str) -> None:
        engine = Engine(empty_gateway)
        # Only that of the owner who is gone is older than its limit.
        start.wait()
        results.append(engine("kong_lock", owner=owner, force=True, stale_after=3600))

    tags = [LOCK_NAME, "owner:gone", "since:1000000000"]
    empty_gateway.call("PATCH", f"/upstreams/{LOCK_NAME}", {"tags": tags})
    threads = [threading.Thread(target=take, args=(f"owner {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([each for each in results if not each.get("failed")]) == 1


def test_nobody_lists_dumps_or_purges_it(empty_gateway: Gateway) -> None:
    engine = Engine(empty_gateway)
    engine.ok("kong_upstream", name="web")
    engine.ok("kong_lock", owner="me")
    (listed,) = engine.ok("kong_info", kinds=["upstream"])["entities"]
    assert [each["name"] for each in listed["entities"]] == ["web"]
    assert [each["name"] for each in engine.ok("kong_dump")["document"]["upstreams"]] == ["web"]
    purging = {"state": "synced", "purge_kinds": ["upstream"], "allow_empty": True}
    done = engine.ok("kong_state", content={"_format_version": "3.0"}, **purging)
    assert [each["name"] for each in done["changes"]] == ["web"]
    assert "owner:me" in _tags(empty_gateway)


def test_check_mode_writes_nothing_and_predicts(empty_gateway: Gateway) -> None:
    engine = Engine(empty_gateway)
    empty_gateway.reset_requests()
    assert engine.ok("kong_lock", owner="me", check=True)["changed"]
    assert empty_gateway.writes() == []
    engine.ok("kong_lock", owner="me")
    empty_gateway.reset_requests()
    assert not engine.ok("kong_lock", owner="me", check=True)["changed"]
    assert engine.ok("kong_lock", owner="me", check=True, state="absent")["changed"]
    assert "me holds it" in engine.refused("kong_lock", owner="you", check=True)["msg"]
    assert "me holds it" in engine.refused("kong_lock", owner="you", state="absent")["msg"]
    assert empty_gateway.writes() == []
    assert "owner:me" in _tags(empty_gateway)


def test_a_stale_lock_is_named_and_broken_only_by_force(empty_gateway: Gateway) -> None:
    engine = Engine(empty_gateway)
    engine.ok("kong_lock", owner="team a, batch 1/2")
    held = engine.refused("kong_lock", owner="me", stale_after=0)
    assert "team a, batch 1/2 holds it since" in held["msg"]
    assert held["msg"].endswith("it is stale: set force to true to break it")
    assert held["failure"]["stale"]
    assert "stale" not in engine.refused("kong_lock", owner="me", force=True)["msg"]
    broken = engine.ok("kong_lock", owner="me", force=True, stale_after=0)
    assert broken["changed"] and broken["lock"]["owner"] == "me"
    (warning,) = broken["warnings"]
    assert warning.startswith("the lock of team a, batch 1/2, held since")
    engine.ok("kong_lock", owner="me", state="absent")
    assert _tags(empty_gateway) == []


def test_the_lock_of_a_killed_run_is_taken_over(empty_gateway: Gateway) -> None:
    engine = Engine(empty_gateway)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        run = name_of_process(process.pid)
        engine.ok("kong_lock", owner="me", run=run)
        mine = {"owner": "me", "run": name_of_process(os.getpid())}
        assert "me holds it" in engine.refused("kong_lock", **mine)["msg"]
        process.kill()
        process.wait()
    assert engine.ok("kong_lock", **mine)["changed"]
    assert "me holds it" in engine.refused("kong_lock", owner="me", run=run)["msg"]


def test_a_worker_names_the_run_also_after_it_was_killed() -> None:
    # Workers have a session of their own, so they live on for a task where the run is killed.
    script = f"""
import multiprocessing, os, signal, time
from {name_of_run.__module__} import name_of_run
def work(run):
    while os.getppid() == run:
        time.sleep(0.01)
    print(name_of_run())
multiprocessing.get_context("fork").Process(target=work, args=(os.getpid(),)).start()
os.kill(os.getpid(), signal.SIGKILL)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        name = process.communicate()[0].strip()
    assert name.split(".")[1] == str(process.pid)
    assert has_ended(name)


def test_it_waits_until_the_lock_is_released(empty_gateway: Gateway, monkeypatch: Any) -> None:
    engine = Engine(empty_gateway)
    engine.ok("kong_lock", owner="other")
    paused: list[float] = []

    def release(seconds: float) -> None:
        paused.append(seconds)
        Engine(empty_gateway).ok("kong_lock", owner="other", state="absent")

    monkeypatch.setattr("time.sleep", release)
    assert engine.ok("kong_lock", owner="me", wait_timeout=60)["changed"]
    assert len(paused) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"owner": " "}, "owner must not be empty"),
        ({"stale_after": -1}, "stale_after must be at least 0, got -1"),
        ({"wait_timeout": -5}, "wait_timeout must be at least 0, got -5"),
    ],
)
def test_unusable_options_are_refused(
    empty_gateway: Gateway, options: dict[str, Any], message: str
) -> None:
    empty_gateway.reset_requests()
    assert Engine(empty_gateway).refused("kong_lock", **options)["msg"].endswith(message)
    assert empty_gateway.writes() == []


def test_a_lost_answer_is_looked_up(empty_gateway: Gateway) -> None:
    engine = Engine(empty_gateway)
    empty_gateway.faults(kind="cut_after", match={"method": "POST", "path": "^/upstreams$"})
    assert engine.ok("kong_lock", owner="me")["changed"]
    assert "owner:me" in _tags(empty_gateway)


def test_a_gateway_without_a_database_has_no_lock() -> None:
    with sandbox("--mode", "dbless") as dbless:
        refused = Engine(dbless).refused("kong_lock")["msg"]
    assert "without a database cannot hold a lock" in refused
