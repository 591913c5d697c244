# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools are purged and drained only as far as asked, and a quiet run only reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError, KongError
from ansible_collections.irishtek.kong.plugins.module_utils._operations._base import (
    Result,
    Task,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._info import run_ping
from ansible_collections.irishtek.kong.plugins.module_utils._operations._target import run_target
from ansible_collections.irishtek.kong.plugins.module_utils._operations._upstream import (
    run_upstream,
)
from unit.scripted import URL, Script, Step, answer, gateway_for

Scripts = Callable[..., Script]
ID = "11111111-2222-4333-8444-555555555555"
WEB = {"id": ID, "name": "web", "slots": 100}
POOL = f"/upstreams/{ID}/targets"
LIST, BY_NAME = f"{POOL}?size=1000", "/upstreams/web/targets?size=1000"
MISSING = answer(404, {"message": "Not found"})


def _target(address: str, weight: int = 100) -> Entity:
    return {"id": f"id-{address[0]}", "target": address, "weight": weight, "tags": None}


def _pool(*targets: Entity) -> Any:
    return answer(200, {"data": list(targets) or {}, "next": None})


class Tasks:
    """Runs operations against a scripted gateway and keeps their warnings."""

    def __init__(self, scripts: Scripts, patch: pytest.MonkeyPatch) -> None:
        self._scripts, self._patch = scripts, patch
        self.warnings: list[str] = []

    def run(self, work: Callable[[Task], Result], steps: list[Step], **params: Any) -> Result:
        gateway = gateway_for(self._scripts(*steps), self._patch)
        given = {"state": "present", **params}
        return work(Task(given, gateway, False, False, self.warnings.append))


@pytest.fixture
def tasks(script: Scripts, monkeypatch: pytest.MonkeyPatch) -> Tasks:
    return Tasks(script, monkeypatch)


FOUND = Step("GET", "/upstreams/web", answer(200, WEB))


def test_a_quiet_upstream_with_its_targets_costs_two_reads(tasks: Tasks) -> None:
    steps = [FOUND, Step("GET", LIST, _pool(_target("b:1"), _target("a:1")))]
    written = [{"target": "a:1"}, {"target": "b:1", "weight": 100}]
    result = tasks.run(run_upstream, steps, name="web", slots=100, targets=written)
    assert (result["changed"], result["changes"]) == (False, [])
    assert [each["target"] for each in result["targets"]] == ["a:1", "b:1"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"purge_targets": True}, "purge_targets needs targets"),
        ({"purge_targets": True, "targets": []}, "set allow_empty to true"),
        ({"targets": [{"target": "10.0.0.1"}, {"target": "10.0.0.1:8000"}]}, "are the same"),
        ({"targets": [{"target": "no address"}]}, "not a valid host name"),
        ({"targets": [{"target": "a", "weight": 65536}]}, "weight must be from 0 to 65535"),
        ({"slots": 9}, "slots must be from 10 to 65536, got 9"),
    ],
)
def test_what_can_be_known_without_a_request_is_refused_without_one(
    tasks: Tasks, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        tasks.run(run_upstream, [], name="web", **params)


def test_only_the_asked_for_purge_deletes(tasks: Tasks) -> None:
    pool = _pool(_target("a:1"), _target("b:1"))
    steps = [FOUND, Step("GET", LIST, pool), Step("DELETE", f"{POOL}/id-b", answer(204))]
    result = tasks.run(
        run_upstream, steps, name="web", targets=[{"target": "a:1"}], purge_targets=True
    )
    assert result["changes"] == [
        {"operation": "delete", "kind": "target", "target": "b:1", "upstream": "web"}
    ]


def test_a_purge_beyond_its_limit_deletes_nothing(tasks: Tasks) -> None:
    steps = [FOUND, Step("GET", LIST, _pool(_target("a:1"), _target("b:1")))]
    with pytest.raises(InputError, match="would delete 2 targets, and max_deletes is 1"):
        tasks.run(
            run_upstream, steps, name="web", targets=[], purge_targets=True, allow_empty=True,
            max_deletes=1,
        )  # fmt: skip


def test_targets_that_go_along_with_an_upstream_are_shown(tasks: Tasks) -> None:
    steps = [
        FOUND,
        Step("GET", LIST, _pool(_target("a:1"))),
        Step("DELETE", f"/upstreams/{ID}", answer(204)),
    ]
    result = tasks.run(run_upstream, steps, name="web", state="absent")
    assert [(each["kind"], each["operation"]) for each in result["changes"]] == [
        ("upstream", "delete"),
        ("target", "delete"),
    ]
    assert result["upstream"] == {}


def test_an_upstream_that_is_not_there_is_absent_already(tasks: Tasks) -> None:
    steps = [Step("GET", "/upstreams/web", MISSING)]
    result = tasks.run(run_upstream, steps, name="web", state="absent")
    assert (result["changed"], result["operation"]) == (False, "none")


def test_a_failure_in_the_middle_tells_what_was_done(tasks: Tasks) -> None:
    steps = [
        Step("GET", "/upstreams/web", MISSING),
        Step("POST", "/upstreams", answer(201, WEB)),
        Step("POST", POOL, answer(400, {"message": "no"})),
    ]
    with pytest.raises(KongError, match="Could not create target a:1 of upstream web") as caught:
        tasks.run(run_upstream, steps, name="web", targets=[{"target": "a:1"}])
    partial = caught.value.partial
    assert partial["changed"] is True
    assert [each["kind"] for each in partial["changes"]] == ["upstream"]
    assert [each["target"] for each in partial["not_done"]] == ["a:1"]


def test_somebody_elses_new_upstream_keeps_its_targets_as_they_are(tasks: Tasks) -> None:
    taken = answer(409, {"code": 5, "message": "UNIQUE violation", "fields": {"name": "web"}})
    steps = [
        Step("GET", "/upstreams/web", MISSING),
        Step("POST", "/upstreams", taken),
        FOUND,
        Step("GET", LIST, _pool(_target("a:1", 7))),
    ]
    result = tasks.run(run_upstream, steps, name="web", targets=[{"target": "a:1"}])
    assert result["changed"] is False
    assert result["targets"] == [_target("a:1", 7)]


def test_draining_sets_the_weight_to_0_in_place(tasks: Tasks) -> None:
    steps = [
        Step("GET", BY_NAME, _pool(_target("a:1"), _target("b:1"))),
        Step(
            "PATCH", "/upstreams/web/targets/id-a", answer(200, _target("a:1", 0)), {"weight": 0}
        ),
    ]  # fmt: skip
    result = tasks.run(run_target, steps, upstream="web", target="a:1", state="drained")
    assert (result["operation"], result["target"]["weight"]) == ("update", 0)


def test_a_target_that_is_not_there_is_not_made_to_be_drained(tasks: Tasks) -> None:
    steps = [Step("GET", BY_NAME, _pool(_target("b:1")))]
    result = tasks.run(run_target, steps, upstream="web", target="a:1", state="drained")
    assert (result["changed"], result["target"]) == (False, {})
    assert tasks.warnings == [
        f"target a:1 of upstream web does not exist at {URL}, nothing to drain"
    ]


@pytest.mark.parametrize(
    "left", [[], [_target("b:1", 0)]], ids=["no other target", "others drained"]
)
def test_the_last_target_with_weight_is_not_drained(tasks: Tasks, left: list[Entity]) -> None:
    steps = [Step("GET", BY_NAME, _pool(_target("a:1"), *left))]
    with pytest.raises(InputError, match=f"target a:1 of upstream web at {URL}: .* force to true"):
        tasks.run(run_target, steps, upstream="web", target="a:1", state="drained")


def test_the_last_target_is_drained_by_force_and_a_drained_one_stays_so(tasks: Tasks) -> None:
    listed = Step("GET", BY_NAME, _pool(_target("a:1")))
    drained = answer(200, _target("a:1", 0))
    steps = [listed, Step("PATCH", "/upstreams/web/targets/id-a", drained)]
    params = {"upstream": "web", "target": "a:1", "state": "drained"}
    assert tasks.run(run_target, steps, **params, force=True)["changed"]
    steps = [Step("GET", BY_NAME, _pool(_target("a:1", 0)))]
    assert not tasks.run(run_target, steps, **params)["changed"]


@pytest.mark.parametrize("state", ["present", "drained"])
def test_targets_of_no_upstream_are_an_error_before_any_write(tasks: Tasks, state: str) -> None:
    steps = [Step("GET", BY_NAME, MISSING)]
    with pytest.raises(InputError, match="upstream web does not exist"):
        tasks.run(run_target, steps, upstream="web", targets=[{"target": "a:1"}], state=state)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"target": "a:1", "weight": 5, "state": "drained"}, "combined with state drained"),
        ({"targets": [{"target": "a:1"}], "weight": 5}, "weight cannot be combined with targets"),
        ({"target": "a b"}, "target a b of upstream web .* not a valid host name"),
    ],
)
def test_contradictions_about_targets_are_refused(
    tasks: Tasks, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        tasks.run(run_target, [], upstream="web", **params)


def test_absent_twice_is_one_delete(tasks: Tasks) -> None:
    listed = "/upstreams/web/targets?size=1000"
    both = answer(200, {"data": [_target("a:1"), _target("b:1")], "next": None})
    steps = [
        Step("GET", listed, both), Step("DELETE", "/upstreams/web/targets/id-a", answer(204)),
    ]  # fmt: skip
    params = {"upstream": "web", "target": "a:1", "state": "absent"}
    assert tasks.run(run_target, steps, **params)["operation"] == "delete"
    assert not tasks.run(run_target, [Step("GET", listed, MISSING)], **params)["changed"]


@pytest.mark.parametrize(
    ("root", "edition"),
    [
        ({"version": "3.10.0"}, "community"),
        ({"version": "3.4.3.3"}, "enterprise"),
        ({"version": "3.10.0", "edition": "enterprise"}, "enterprise"),
    ],
)
def test_a_ping_says_which_gateway_answered(tasks: Tasks, root: Entity, edition: str) -> None:
    result = tasks.run(run_ping, [Step("GET", "/", answer(200, root))])
    assert result["msg"] == f"Connected to Kong Gateway {root['version']} ({edition}) at {URL}"


def test_what_is_no_gateway_is_said_to_be_none(tasks: Tasks) -> None:
    with pytest.raises(KongError, match="is not that of an Admin API"):
        tasks.run(run_ping, [Step("GET", "/", answer(200, {"hello": "world"}))])


@pytest.mark.parametrize("state", ["present", "absent", "drained"])
@pytest.mark.parametrize("many", [False, True])
def test_an_ipv6_address_that_may_end_in_a_port_is_warned_about(
    tasks: Tasks, state: str, many: bool
) -> None:
    address = "[fd00:0000:0000:0000:0000:0000:7c46:0080]:8000"
    stored = [{**_target(address, 0), "tags": None}, _target("b:1")]
    listed = many or state != "present"
    asked = Step("GET", BY_NAME, _pool(*stored))
    if not listed:
        quoted = address.replace("[", "%5B").replace("]", "%5D")
        asked = Step("GET", f"/upstreams/web/targets/{quoted}", answer(200, stored[0]))
    steps = [asked, *([Step("DELETE", "/upstreams/web/targets/id-%5B", answer(204))]
                      if state == "absent" else [])]  # fmt: skip
    written = {"target": "fd00::7c46:80"}
    params = {"targets": [written]} if many else written
    tasks.run(run_target, steps, upstream="web", state=state, **params)
    assert [warning for warning in tasks.warnings if "[fd00::7c46]:80" in warning]
