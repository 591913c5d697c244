# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout to many gateways: what fails is undone, what was not reached is not written to."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.echo import Echo, echo_server
from harness.engine import Engine
from harness.fleet import fleet
from harness.gateway import Gateway, sandbox
from harness.playbook import Run
from harness.site import PLAYBOOK, SECRET, Site, shop_document
from sandbox_tests.cluster_support import Authority, control_plane, data_plane

QUICK = ("--health-delay", "0", "--propagation", "0.05")
# A gateway that is written to at any time during a test is waited for so long, in seconds.
PATIENCE = 200.0


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    """The server behind all gateways."""
    with echo_server("shop") as started:
        yield started


@pytest.fixture(scope="module")
def _gateways() -> Iterator[list[Gateway]]:
    with fleet(20, *QUICK) as started:
        yield started


@pytest.fixture
def gateways(_gateways: list[Gateway], echo: Echo) -> list[Gateway]:
    """Twenty gateways that are as in the first document."""
    return _prepared(_gateways, echo)


@pytest.fixture(scope="module")
def _few() -> Iterator[list[Gateway]]:
    with fleet(4, *QUICK) as started:
        yield started


@pytest.fixture
def few(_few: list[Gateway], echo: Echo) -> list[Gateway]:
    """Four such gateways."""
    return _prepared(_few, echo)


def _prepared(gateways: list[Gateway], echo: Echo) -> list[Gateway]:
    for gateway in gateways:
        gateway.reset()
        Engine(gateway).ok("kong_state", content=shop_document(echo), state="synced")
        gateway.reset_requests()
    return gateways


@pytest.fixture
def site(tmp_path: Path, echo: Echo) -> Site:
    """Where rollouts of the test run."""
    return Site(tmp_path, echo)


def _dump(gateway: Gateway) -> dict[str, Any]:
    return dict(Engine(gateway).ok("kong_dump", with_ids=True, secrets="keep")["document"])


def _paths(gateways: Sequence[Gateway]) -> list[str]:
    return [gateway.call("GET", "/routes/shop")["paths"][0] for gateway in gateways]


def _has_lock(gateway: Gateway) -> bool:
    return any(each["name"] == "irishtek.kong.lock" for each in gateway.entities("/upstreams"))


def _failure(run: Run, host: str) -> str:
    return str(run.result("Fail if the gateway failed or was put back", host)["msg"])


def test_a_fault_that_only_the_proof_sees_ends_at_the_canary(
    gateways: list[Gateway], site: Site
) -> None:
    before = _dump(gateways[0])
    site.write(path="/elsewhere")
    gateways[0].reset_requests()
    run = site.run(gateways, rollout_report=str(site.folder / "report.html"))
    assert run.rc != 0
    assert "404" in _failure(run, "kong-1")
    assert _failure(run, "kong-1").endswith("the gateway is as it was before")
    assert "PATCH /routes" in " ".join(gateways[0].writes())
    assert _dump(gateways[0]) == before
    assert [gateway.writes() for gateway in gateways[1:]] == [[]] * 19
    assert not _has_lock(gateways[0])
    assert site.kept("kong-1") == {"plan", "snapshot"}
    rows = json.loads((site.folder / "report.json").read_text())["gateways"]
    assert [row["status"] for row in rows] == ["undone", *["not reached"] * 19]
    assert "404" in rows[0]["reason"]
    shown = run.stdout + (site.folder / "report.json").read_text()
    assert SECRET not in shown + (site.folder / "report.html").read_text()


def _wait_for_write(gateway: Gateway, path: str) -> None:
    _wait_until(lambda: any(path in write for write in gateway.writes()))


def _wait_until(has_come: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not has_come():
        assert time.monotonic() < until, "the rollout did not come that far"
        time.sleep(0.05)


def test_a_killed_rollout_is_finished_by_the_next_one(
    gateways: list[Gateway], site: Site
) -> None:
    site.write(retries=3)
    with site.started(gateways, rollout_serial=[1, 19]) as kill:
        _wait_for_write(gateways[4], "/services")
        kill()
    assert any("unfinished" in site.kept(f"kong-{number}") for number in range(2, 21))
    run = site.run(gateways, rollout_serial=[1, 19])
    assert run.rc == 0, run.stdout
    assert [gateway.call("GET", "/services/shop")["retries"] for gateway in gateways] == [3] * 20
    assert not any(_has_lock(gateway) for gateway in gateways)
    for number in range(1, 21):
        assert site.kept(f"kong-{number}") == {"plan", "snapshot", "record"}
    for gateway in gateways:
        gateway.reset_requests()
    again = site.run(gateways, rollout_serial=[20])
    assert again.ok().total("changed") == 0
    assert [gateway.writes() for gateway in gateways] == [[]] * 20
    # What is done twenty times is kept small.
    assert {task["name"] for task in again.tasks if task["status"] != "skipped"} == {
        "Plan what would change",
        "Validating arguments against arg spec 'main' - Roll a state file out to a gateway, prove "
        "it, and undo what fails",
    }
    asked = [request["path"] for request in gateways[0].requests()]
    assert len(asked) == len(set(asked)), asked


def test_a_probe_that_fails_before_the_change_too_is_no_failed_undo(
    few: list[Gateway], site: Site
) -> None:
    before = _dump(few[0])
    site.write(retries=2)
    run = site.run(few[:1], rollout_probes=[{"path": "/nowhere"}], rollout_prove_timeout=1)
    why = "0 of 1 requests to"
    assert f"; its entities are as they were before, but: {why}" in _failure(run, "kong-1")
    assert _dump(few[0]) == before
    assert site.kept("kong-1") == {"plan", "snapshot"}


# Requests at which a rollout is killed, the second one where so many were before it.
PHASES = {
    "plan": ("GET", "^/services", 0),
    "lock": ("POST", "^/upstreams$", 0),
    "snapshot": ("GET", "^/services", 1),
    "apply": ("PATCH", "^/routes", 0),
    "undo": ("PATCH", "^/routes", 1),
}


@pytest.mark.parametrize("phase", [*PHASES, "prove"])
def test_wherever_it_is_killed_the_next_run_goes_back_to_what_was_before(
    few: list[Gateway], site: Site, phase: str
) -> None:
    gateway, patient = few[0], [{"path": "/api", "wait_timeout": 600}]
    before = _dump(gateway)
    site.write(path="/elsewhere", retries=2)
    method, path, skip = PHASES.get(phase, ("PATCH", "^/nothing", 0))
    held = {"match": {"method": method, "path": path}, "skip": skip, "seconds": 600}
    gateway.faults(kind="delay", **held)
    options = {"rollout_probes": patient} if phase == "prove" else {}
    with site.started([gateway], **options) as kill:
        if phase == "prove":
            _wait_for_write(gateway, "/routes")
        else:
            _wait_until(lambda: not any(each["left"] for each in _faults(gateway)))
        kill()
    gateway.clear_faults()
    run = site.run([gateway])
    assert _failure(run, "kong-1").endswith("; the gateway is as it was before")
    assert _dump(gateway) == before
    assert not _has_lock(gateway) and site.kept("kong-1") == {"plan", "snapshot"}
    assert SECRET not in run.stdout


def _faults(gateway: Gateway) -> list[dict[str, Any]]:
    return list(gateway.call("GET", "/sandbox/faults"))


def test_a_gateway_that_dies_leaves_the_others_of_its_batch_as_they_were(
    few: list[Gateway], site: Site
) -> None:
    with sandbox(*QUICK) as dying:
        Engine(dying).ok("kong_state", content=shop_document(site.echo), state="synced")
        canary, two, three, later = few[:4]
        before = [_dump(two), _dump(three)]
        document = site.write(retries=2)
        skip = _requests_before_the_first_change(dying, document)
        dying.faults(kind="cut_before", skip=skip, times=None)
        run = site.run([canary, two, dying, three, later], rollout_serial=[1, 3, 1])
    assert run.rc != 0
    assert "no response" in _failure(run, "kong-3")
    assert _failure(run, "kong-2").startswith("another gateway of its batch failed: kong-3: ")
    assert canary.call("GET", "/services/shop")["retries"] == 2
    assert [_dump(two), _dump(three)] == before
    assert not any(_has_lock(gateway) for gateway in (canary, two, three))
    assert [gateway.writes() for gateway in (later,)] == [[]]


def _requests_before_the_first_change(gateway: Gateway, document: dict[str, Any]) -> int:
    """Those of the rollout's ping, plan, lock and snapshot, and of the plan that is made again."""
    gateway.reset_requests()
    options = {"content": document, "state": "synced"}
    Engine(gateway).ok("kong_ping")
    Engine(gateway).ok("kong_plan", **options)
    Engine(gateway).ok("kong_lock", owner="me")
    Engine(gateway).ok("kong_dump", with_ids=True, secrets="keep")
    Engine(gateway).ok("kong_state", **options, check=True)
    number = sum("/validate" not in request["path"] for request in gateway.requests())
    Engine(gateway).ok("kong_lock", owner="me", state="absent")
    return number


def test_a_rollout_waits_for_nobody_and_names_who_has_the_lock(
    few: list[Gateway], site: Site
) -> None:
    site.write(retries=2)
    Engine(few[0]).ok("kong_lock", owner="bob")
    few[0].reset_requests()
    run = site.run(few[:2])
    assert run.rc != 0
    assert ": bob holds it since" in _failure(run, "kong-1")
    # Trying to take it is no write that succeeded.
    assert few[0].writes() == ["POST /upstreams"]
    assert _has_lock(few[0]) and few[1].writes() == []
    assert site.kept("kong-1") == set()


def test_check_mode_writes_nothing_anywhere(few: list[Gateway], site: Site) -> None:
    site.write(retries=2)
    run = site.run(few[:2], check=True).ok()
    assert [run.stats[host]["changed"] for host in ("kong-1", "kong-2")] == [1, 1]
    assert [gateway.writes() for gateway in few[:2]] == [[], []]
    assert not (site.folder / "state").exists()


def test_saved_plans_are_what_is_applied(few: list[Gateway], site: Site) -> None:
    two = few[:2]
    document = site.write(retries=2)
    refused = site.run(two, rollout_approve=True)
    assert "the changes are not approved" in _failure(refused, "kong-1")
    planned = site.run(two, rollout_mode="plan", rollout_serial=2).ok()
    assert planned.stdout.count('+    "retries": 2') == 2
    assert [gateway.writes() for gateway in two] == [[], []]
    assert site.kept("kong-1") == site.kept("kong-2") == {"plan"}
    Engine(two[1]).ok("kong_service", name="shop", retries=9)
    run = site.run(two, rollout_mode="saved")
    assert "does not hold any more: the gateway changed: service shop" in _failure(run, "kong-2")
    assert [gateway.call("GET", "/services/shop")["retries"] for gateway in two] == [2, 9]
    assert document["services"][0]["retries"] == 2


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_batch_is_changed_only_after_a_yes(
    few: list[Gateway], site: Site, answer: str
) -> None:
    """The first gateway has nothing to approve, and the two others are of one batch."""
    three = few[:3]
    document = site.write(retries=2)
    Engine(three[0]).ok("kong_state", content=document, state="synced")
    three[0].reset_requests()
    run = site.run(
        three, rollout_approve=True, rollout_serial=3, answer=("Only yes continues", answer)
    )
    before, _prompt, _rest = run.stdout.partition("Only yes continues")
    # What is approved is shown before.
    assert before.count('-    "retries": 5') == before.count('+    "retries": 2') == 2, before
    assert SECRET not in run.stdout
    assert three[0].writes() == []
    retries = [gateway.call("GET", "/services/shop")["retries"] for gateway in three]
    if answer == "yes":
        assert run.ok() and retries == [2, 2, 2]
    else:
        assert "the changes are not approved" in _failure(run, "kong-3")
        assert retries == [2, 5, 5] and three[1].writes() == three[2].writes() == []
        assert site.kept("kong-2") == set()


def test_limits_and_needs_are_checked_before_the_first_write(
    few: list[Gateway], site: Site
) -> None:
    site.write(retries=2, path="/other")
    limited = site.run(few[:1], rollout_max_changes=1)
    assert _failure(limited, "kong-1") == "2 changes are planned, and rollout_max_changes is 1"
    needy = site.run(few[:1], rollout_min_version="3.99", rollout_edition="enterprise")
    assert _failure(needy, "kong-1") == (
        "version 3.10.0 is older than 3.99; its edition is community, and enterprise is needed"
    )
    assert few[0].writes() == []


def test_snapshots_are_encrypted_and_restored(few: list[Gateway], site: Site) -> None:
    gateway, vault = few[0], {"rollout_vault_password": "open-sesame"}
    before = _dump(gateway)
    site.write(retries=2)
    site.run([gateway], **vault, rollout_keep=2).ok()
    (snapshot,) = (site.folder / "state/kong-1").glob("snapshot-*")
    assert snapshot.read_text().startswith("$ANSIBLE_VAULT;")
    assert oct(snapshot.stat().st_mode)[-3:] == "600"
    # Somebody else changes it, which the next rollout says and a restore takes back, too.
    Engine(gateway).ok("kong_service", name="shop", retries=9)
    site.write(retries=4)
    again = site.run([gateway], **vault, rollout_drift="fail")
    assert "service shop was changed" in json.dumps(again.tasks)
    assert gateway.call("GET", "/services/shop")["retries"] == 9
    run = site.run(
        [gateway], "irishtek.kong.restore", **vault, rollout_snapshot=str(snapshot)
    ).ok()
    assert _dump(gateway) == before
    assert not _has_lock(gateway)
    assert SECRET not in run.stdout + again.stdout


@pytest.mark.skipif(shutil.which("age") is None, reason="age is not installed")
def test_snapshots_are_encrypted_with_age_and_restored(
    few: list[Gateway], site: Site
) -> None:
    gateway, identity = few[0], site.folder / "identity"
    made = subprocess.run(
        ["age-keygen", "-o", identity], check=True, text=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    key = made.stderr.rpartition(" ")[2].strip()
    recipients: dict[str, Any] = {"rollout_age_recipients": [key], "rollout_keep": 1}
    before = _dump(gateway)
    # Who has only the public key can undo, too.
    site.write(path="/elsewhere")
    failed = site.run([gateway], **recipients)
    assert _failure(failed, "kong-1").endswith("; the gateway is as it was before")
    assert _dump(gateway) == before
    site.write(retries=2)
    run = site.run([gateway], **recipients).ok()
    (snapshot,) = (site.folder / "state/kong-1").glob("snapshot-*")
    assert snapshot.name.endswith(".yml.age")
    assert snapshot.read_text().startswith("-----BEGIN AGE ENCRYPTED FILE-----")
    assert oct(snapshot.stat().st_mode)[-3:] == "600"
    back = site.run(
        [gateway], "irishtek.kong.restore", **recipients, rollout_age_identity=str(identity)
    ).ok()
    assert _dump(gateway) == before
    assert SECRET not in failed.stdout + run.stdout + back.stdout


def test_a_rollout_of_many_at_once_puts_all_of_a_failed_batch_back(
    few: list[Gateway], site: Site
) -> None:
    """A fault that one gateway of a batch has: the others were changed and proven already."""
    three = few[:3]
    before = [_dump(gateway) for gateway in three]
    site.write(retries=2)
    three[1].faults(kind="answer", match={"method": "PATCH"}, status=400, times=1,
                    body='{"message": "refused"}', content_type="application/json")  # fmt: skip
    run = site.run(three, rollout_serial=3)
    assert "refused" in _failure(run, "kong-2")
    assert [_dump(gateway) for gateway in three] == before
    assert [run.stats[f"kong-{number}"]["failures"] for number in (1, 2, 3)] == [1, 1, 1]


def test_a_control_plane_is_proven_on_its_data_planes(site: Site, tmp_path: Path) -> None:
    shared = Authority(tmp_path).alone()
    with (
        control_plane(tmp_path, shared) as control,
        data_plane(tmp_path / "1.log", shared, control.cluster) as one,
        data_plane(tmp_path / "2.log", shared, control.cluster) as two,
    ):
        site.write()
        urls = [f"http://{plane.status}" for plane in (one, two)]
        here = replace(control.gateway, proxy_url=one.gateway.proxy_url)
        run = site.run([here], rollout_status_urls=urls, rollout_prove_timeout=20).ok()
        seen = run.result("every data plane runs the new configuration")
        before = run.result("Wait until the data planes take configurations")
        site.write(path="/elsewhere")
        refused = site.run([here], rollout_status_urls=urls, rollout_prove_timeout=20)
        assert _failure(refused, "kong-1").endswith("; the gateway is as it was before")
    hashes = [{plane["config_hash"] for plane in each["data_planes"]} for each in (before, seen)]
    assert [len(each) for each in hashes] == [1, 1] and hashes[0] != hashes[1]


def test_a_gateway_without_a_database_gets_its_document_back(site: Site) -> None:
    # Its proxy goes on with the former configuration for longer than an apply takes.
    with sandbox("--mode", "dbless", "--propagation", "1.5") as gateway:
        document = shop_document(site.echo)
        document["consumers"] = []
        owned = {"content": document, "state": "synced"}
        Engine(gateway).ok("kong_state", **owned)
        before = _dump(gateway)
        site.write(path="/elsewhere")
        run = site.run([gateway], rollout_propagation=3)
        assert _failure(run, "kong-1").endswith("the gateway is as it was before")
        assert _dump(gateway) == before
        site.write(retries=2)
        site.run([gateway]).ok()
        assert gateway.call("GET", "/services/shop")["retries"] == 2


def test_a_control_plane_of_konnect_is_rolled_out_to(site: Site) -> None:
    with sandbox(control_plane="default") as konnect:
        site.write()
        names = {"konnect_url": konnect.admin_url, "konnect_token": konnect.token,
                 "konnect_control_plane": "default", "kong_admin_url": None}  # fmt: skip
        inventory = site.inventory([konnect])
        host = inventory["kong_gateways"]["hosts"]["kong-1"]
        host.clear()
        host.update({name: value for name, value in names.items() if value})
        inventory["kong_gateways"]["vars"]["rollout_probes"] = []
        site.play(PLAYBOOK, inventory=inventory).ok()
        assert [each["name"] for each in konnect.entities("/services")] == ["shop"]
        assert not _has_lock(konnect)
        again = site.play(PLAYBOOK, inventory=inventory).ok()
        assert again.total("changed") == 0
