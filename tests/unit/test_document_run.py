# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps are planned and carried out in an order that works, and stop where they have to."""

from __future__ import annotations

import copy
import threading
import uuid
from collections.abc import Sequence
from typing import Any, cast

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._document import _schedule
from ansible_collections.irishtek.kong.plugins.module_utils._document._changes import (
    ChangeSet,
    Step,
)
from ansible_collections.irishtek.kong.plugins.module_utils._document._parse import parse
from ansible_collections.irishtek.kong.plugins.module_utils._document._reconcile import (
    SyncOptions,
    reconcile,
)
from ansible_collections.irishtek.kong.plugins.module_utils._document._run import (
    Report,
    Runner,
    undo,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity, Kind
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._protocol import Gateway
from ansible_collections.irishtek.kong.plugins.module_utils._plan import Plan
from unit.stocked import StockedGateway

FULL: dict[str, Any] = {
    "upstreams": [{"name": "u", "targets": [{"target": "a:80"}, {"target": "b:80"}]}],
    "services": [{"name": "s", "host": "u", "routes": [{"name": "r"}]}],
    "consumers": [{"username": "c", "acls": [{"group": "g"}]}],
}
ID = "11111111-2222-4333-8444-555555555555"
SYNCED = SyncOptions("synced", cascade=True, allow_empty=True)


def _work(
    gateway: StockedGateway, sections: dict[str, Any], wish: SyncOptions = SYNCED
) -> ChangeSet:
    document = {"_format_version": "3.0", "_info": {"select_tags": ["t"]}, **sections}
    return reconcile(cast(Gateway, gateway), parse(document), wish, pytest.fail)


def _run(
    gateway: StockedGateway, work: ChangeSet, on_error: str = "stop"
) -> tuple[Report, list[str]]:
    told: list[str] = []
    report = Runner(cast(Gateway, gateway), on_error, 1, told.append).run(work)
    return report, told


def _labels(steps: list[Step]) -> list[str]:
    return [step.plan.kind.label(step.plan.entity) for step in steps]


def _present(gateway: StockedGateway) -> dict[str, Any]:
    return {kind: entities for kind, entities in gateway.stored.items() if entities}


def _follows_references(writes: list[tuple[str, str, str]]) -> bool:
    """Whether each kind is written after those that it refers to; one entity of each kind."""
    kinds = [kind for _how, kind, _name in writes]
    return all(
        kinds.index(kind) > kinds.index(str(field.reference))
        for kind in kinds
        for field in KINDS[kind].references
        if field.reference in kinds
    )


def test_writes_follow_references_and_deletes_go_against_them() -> None:
    gateway = StockedGateway()
    report, told = _run(gateway, _work(gateway, FULL))
    assert _follows_references(gateway.writes) and len(gateway.writes) == 7
    assert told == [f"{at} of 7 changes done" for at in range(1, 8)]
    assert (report.failed, report.not_done) == ([], [])
    gateway.writes.clear()
    _run(gateway, _work(gateway, {}))
    assert _follows_references(gateway.writes[::-1])
    assert _present(gateway) == {}


class _SlowUpstreams(StockedGateway):
    """Answers for an upstream only once a route was written."""

    def __init__(self) -> None:
        super().__init__()
        self.has_route = threading.Event()

    def create(self, kind: Kind, body: Entity, parent: str | None = None) -> Entity:
        if kind.name == "upstream":
            assert self.has_route.wait(60), "the route waits for what it does not need"
        created = super().create(kind, body, parent)
        if kind.name == "route":
            self.has_route.set()
        return created


def test_an_entity_waits_for_nothing_but_what_it_needs() -> None:
    gateway = _SlowUpstreams()
    work = _work(gateway, FULL)
    report = Runner(cast(Gateway, gateway), "stop", 2, lambda line: None).run(work)
    assert report.failed == [] and len(report.done) == 7
    assert _follows_references(gateway.writes)


class _SlowTargets(StockedGateway):
    """Lists the targets of an upstream only once the schema of upstreams was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.was_asked = threading.Event()

    def schema(self, name: str) -> dict[str, Any] | None:
        if name == "upstreams":
            self.was_asked.set()
        return super().schema(name)

    def entities(
        self, kind: Kind, parent: str | None = None, of: str = "", tags: Sequence[str] = ()
    ) -> list[Entity] | None:
        if kind.name == "target":
            assert self.was_asked.wait(60), "the schema waits for what it does not need"
        return super().entities(kind, parent, of, tags)


def test_schemas_are_read_beside_the_targets() -> None:
    gateway = _SlowTargets()
    _run(gateway, _work(gateway, FULL))
    gateway.was_asked.clear()
    assert not _work(gateway, FULL).changes


def test_the_report_does_not_depend_on_which_thread_was_first() -> None:
    alone = _run(StockedGateway(), _work(StockedGateway(), FULL))[0]
    gateway = _SlowUpstreams()
    work = _work(gateway, FULL)
    report = Runner(cast(Gateway, gateway), "stop", 2, lambda line: None).run(work)
    assert _labels(report.done) == _labels(alone.done)


class _WithPlugins(StockedGateway):
    def schema(self, name: str) -> dict[str, Any] | None:
        """Any plugin has no settings."""
        if name.startswith("plugins/"):
            return {"fields": [{"config": {"type": "record", "fields": []}}]}
        return super().schema(name)


def test_a_plugin_follows_what_it_limits_at_once() -> None:
    gateway = _WithPlugins()
    routes = [
        {"name": name, "paths": [f"/{name}"], "plugins": [{"name": "cors"}]} for name in "ab"
    ]
    _run(gateway, _work(gateway, {"services": [{"name": "s", "host": "h", "routes": routes}]}))
    written = [(kind, name) for _how, kind, name in gateway.writes]
    assert written == [
        ("service", "s"), ("route", "a"), ("plugin", "cors"), ("route", "b"),
        ("plugin", "cors"),
    ]  # fmt: skip


def test_a_mistake_of_ours_ends_all_threads() -> None:
    class Broken(StockedGateway):
        def create(self, kind: Kind, body: Entity, parent: str | None = None) -> Entity:
            raise ZeroDivisionError

    gateway = Broken()
    work = _work(gateway, FULL)
    with pytest.raises(ZeroDivisionError):
        Runner(cast(Gateway, gateway), "stop", 3, lambda line: None).run(work)


def test_a_mistake_of_ours_is_not_waited_for_by_a_thread_that_still_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stopped = threading.Event()
    stop = _schedule._Turns._stop

    def stop_and_say(turns: _schedule._Turns) -> None:
        stop(turns)
        stopped.set()

    def work(step: Step) -> None:
        if step is steps[1]:
            raise ZeroDivisionError
        assert stopped.wait(30)

    monkeypatch.setattr(_schedule._Turns, "_stop", stop_and_say)
    steps = [Step(Plan(KINDS["service"], "create", body={"id": name})) for name in "ab"]
    schedule = _schedule.Schedule(steps)
    ended = threading.Event()

    def run() -> None:
        with pytest.raises(ZeroDivisionError):
            schedule.run(work, 2)
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    assert ended.wait(30)


def test_nothing_is_planned_twice() -> None:
    gateway = StockedGateway()
    _run(gateway, _work(gateway, FULL))
    again = _work(gateway, FULL)
    assert not [step for step in again.steps if step.plan.changed]
    assert _run(gateway, again)[0].done == []


def test_after_a_failure_nothing_new_is_begun() -> None:
    gateway = StockedGateway(refuses=[("service", "s")])
    work = _work(gateway, FULL)
    report, _told = _run(gateway, work)
    ((step, reason),) = report.failed
    assert _labels([step]) == ["s"]
    assert reason.message.startswith("Could not create service s at http://gateway.test:8001")
    assert {"r", "a:80", "b:80"} <= set(_labels(report.not_done))
    everyone = [*report.done, *report.not_done, step]
    assert sorted(_labels(everyone)) == sorted(_labels(work.writes))


def test_a_failure_leaves_out_what_needs_it_where_that_is_wished() -> None:
    gateway = StockedGateway(refuses=[("service", "s")])
    report, _told = _run(gateway, _work(gateway, FULL), "continue")
    assert _labels([step for step, _exc in report.failed]) == ["s"]
    assert sorted(_labels(report.done)) == ["a:80", "b:80", "c", "g", "u"]
    assert _labels(report.not_done) == ["r"]


def test_an_undo_does_not_take_other_snis_for_a_change_of_their_certificate() -> None:
    gateway = StockedGateway()
    _run(gateway, _work(gateway, {"certificates": [{"id": ID, "cert": "one", "key": "k"}]}))
    report, _told = _run(
        gateway, _work(gateway, {"certificates": [{"id": ID, "cert": "two", "key": "k"}]})
    )
    gateway.stored["certificate"][ID]["snis"] = ["added.test"]
    assert undo(cast(Gateway, gateway), report)[1] == []
    assert gateway.stored["certificate"][ID]["cert"] == "one"


def test_an_undo_goes_backwards_and_ends_where_it_began() -> None:
    gateway = StockedGateway()
    _run(gateway, _work(gateway, FULL))
    before = copy.deepcopy(_present(gateway))
    changed = {
        "upstreams": [{"name": "u", "slots": 20, "targets": [{"target": "a:80", "weight": 7}]}],
        "services": [{"name": "new", "host": "u"}],
    }
    work = _work(gateway, changed)
    report, _told = _run(gateway, work)
    gateway.writes.clear()
    _undone, left = undo(cast(Gateway, gateway), report)
    assert left == []
    first = next(at for at, (how, _kind, _name) in enumerate(gateway.writes) if how != "create")
    assert _follows_references(gateway.writes[:first])
    assert _present(gateway) == before


def test_a_name_that_is_given_up_is_waited_for() -> None:
    gateway = StockedGateway()
    two = [{"username": "one", "custom_id": "1"}, {"username": "two", "custom_id": "2"}]
    _run(gateway, _work(gateway, {"consumers": two}))
    ids = {each["username"]: key for key, each in gateway.stored["consumer"].items()}
    gateway.writes.clear()
    passed_on = {"consumers": [
        {"username": "new", "custom_id": "1"},
        {"username": "one", "id": ids["one"], "custom_id": "2"},
        {"username": "two", "id": ids["two"], "custom_id": "3"},
    ]}  # fmt: skip
    _run(gateway, _work(gateway, passed_on))
    assert gateway.writes == [
        ("update", "consumer", "two"), ("update", "consumer", "one"), ("create", "consumer", "new"),
    ]  # fmt: skip
    swapped = {"consumers": [
        {"username": "new", "custom_id": "1"},
        {"username": "one", "custom_id": "3"}, {"username": "two", "custom_id": "2"},
    ]}  # fmt: skip
    gateway.writes.clear()
    with pytest.raises(InputError, match="unique values cannot be swapped"):
        _run(gateway, _work(gateway, swapped))
    assert gateway.writes == []


def _services(gateway: StockedGateway) -> dict[str, str]:
    return {each["name"]: key for key, each in gateway.stored["service"].items()}


def test_a_delete_that_frees_a_name_takes_with_it_what_points_at_it() -> None:
    gateway = StockedGateway()
    routes = [{"name": "r", "paths": ["/r"]}]
    before = [{"name": "a", "host": "h", "routes": routes}, {"name": "b", "host": "h"}]
    _run(gateway, _work(gateway, {"services": before}))
    renamed = {"services": [{"id": _services(gateway)["b"], "name": "a", "host": "h"}]}
    gateway.writes.clear()
    _run(gateway, _work(gateway, renamed))
    assert gateway.writes == [("delete", "route", "r"), ("delete", "service", "a"),
                              ("update", "service", "b")]  # fmt: skip


def test_a_delete_that_frees_a_name_waits_for_what_moves_away() -> None:
    gateway = StockedGateway()
    routes = [{"name": "r", "paths": ["/r"]}]
    before = [{"name": "a", "host": "h", "routes": routes}, {"name": "b", "host": "h"}]
    _run(gateway, _work(gateway, {"services": before}))
    key = _services(gateway)["b"]
    gateway.writes.clear()
    _run(gateway, _work(gateway, {
        "services": [{"id": key, "name": "a", "host": "h", "routes": routes}],
    }))  # fmt: skip
    assert gateway.writes == [("update", "route", "r"), ("delete", "service", "a"),
                              ("update", "service", "b")]  # fmt: skip


def test_what_exists_can_be_referred_to_though_its_change_fails() -> None:
    gateway = StockedGateway()
    _run(gateway, _work(gateway, FULL))
    gateway.refuses = {("service", "s")}
    gateway.writes.clear()
    changed = copy.deepcopy(FULL)
    changed["services"][0].update(retries=7)
    changed["services"][0]["routes"].append({"name": "new", "paths": ["/new"]})
    report, _told = _run(gateway, _work(gateway, changed), "continue")
    assert _labels([step for step, _exc in report.failed]) == ["s"]
    assert _labels(report.done) == ["new"] and report.not_done == []


def test_a_service_waits_for_the_certificates_that_it_lists() -> None:
    key = str(uuid.uuid4())
    gateway = StockedGateway()
    service = {"name": "s", "host": "h", "protocol": "https", "ca_certificates": [key]}
    document = {"services": [service], "ca_certificates": [{"id": key, "cert": "c"}]}
    report, _told = _run(gateway, _work(gateway, document))
    after = {each.plan.kind.name: each.needs for each in report.done}
    assert after["service"] == {("ca_certificate", key)}
    assert [kind for _how, kind, _name in gateway.writes] == ["ca_certificate", "service"]


def test_synced_has_to_say_what_it_owns() -> None:
    document = parse({"_format_version": "3.0", **FULL})
    with pytest.raises(InputError, match="select_tags .* or purge_kinds"):
        reconcile(cast(Gateway, StockedGateway()), document, SyncOptions("synced"), pytest.fail)
