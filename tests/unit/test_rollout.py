# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role rollout decides: problems, the document of an undo, drift, rows of a report."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.filter.rollout_failed import rollout_failed
from ansible_collections.irishtek.kong.plugins.filter.rollout_problems import rollout_problems
from ansible_collections.irishtek.kong.plugins.filter.rollout_reason import rollout_reason
from ansible_collections.irishtek.kong.plugins.filter.rollout_record import rollout_record
from ansible_collections.irishtek.kong.plugins.filter.rollout_rows import rollout_rows
from ansible_collections.irishtek.kong.plugins.filter.rollout_undo import rollout_undo
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._operations._base import Task
from ansible_collections.irishtek.kong.plugins.module_utils._operations._files import (
    run_rollout_files,
)

SECRET = "never-shown-2718281828"
SNAPSHOT: dict[str, Any] = {
    "_format_version": "3.0",
    "consumers": [
        {"id": "c1", "username": "alice", "keyauth_credentials": [{"id": "k1", "key": SECRET}]}
    ],
    "upstreams": [
        {
            "id": "u1", "name": "shop", "tags": ["shop"],
            "targets": [{"id": "t1", "target": "10.0.0.1:80", "weight": 100}],
        }
    ],
    "services": [
        {"id": "s1", "name": "shop", "routes": [{"id": "r1", "name": "shop", "paths": ["/a"]}]}
    ],
}  # fmt: skip
UPDATED = {"operation": "update", "kind": "route", "id": "r1", "after": {"name": "shop"}}


def _changed() -> dict[str, Any]:
    """The gateway after a rollout, which changed, created and deleted, and after somebody else."""
    now = copy.deepcopy(SNAPSHOT)
    now["services"][0]["routes"][0]["paths"] = ["/b"]
    now["services"][0]["retries"] = 1
    now["upstreams"][0]["targets"] = [{"id": "t2", "target": "10.0.0.2:80", "weight": 100}]
    now["upstreams"].append({"id": "u9", "name": "other"})
    return now


def _document(**found: Any) -> dict[str, Any]:
    return {"_format_version": "3.0", **found}


def test_an_undo_is_of_the_planned_changes_only() -> None:
    changes: list[dict[str, Any]] = [
        UPDATED,
        {"operation": "delete", "kind": "target", "id": "t1", "after": None},
        {"operation": "create", "kind": "target", "id": None, "after": {"target": "10.0.0.2:80"}},
    ]
    back = rollout_undo(SNAPSHOT, _changed(), changes)
    document = back["document"]
    assert [each["target"] for each in document["targets"]] == ["10.0.0.1:80"]
    assert document["targets"][0]["upstream"] == "shop"
    assert document["routes"][0]["paths"] == ["/a"]
    assert document["routes"][0]["service"] == {"name": "shop"}
    # What somebody else changed stays.
    assert document["services"][0]["retries"] == 1
    assert [each["name"] for each in document["upstreams"]] == ["shop", "other"]
    assert document["keyauth_credentials"] == [{"id": "k1", "key": SECRET, "consumer": "alice"}]
    assert back["deletes"] == 1
    assert set(back["kinds"]) == {"consumer", "key_auth", "upstream", "target", "service", "route"}


def test_without_changes_all_that_differs_is_undone() -> None:
    back = rollout_undo(SNAPSHOT, _changed())
    assert [each["name"] for each in back["document"]["upstreams"]] == ["shop"]
    assert "retries" not in back["document"]["services"][0]
    assert back["deletes"] == 2


def test_what_was_planned_and_not_done_is_left_alone() -> None:
    planned = [UPDATED, {"operation": "create", "kind": "upstream", "after": {"name": "new"}}]
    back = rollout_undo(SNAPSHOT, SNAPSHOT, planned)
    assert back["deletes"] == 0
    assert [each["name"] for each in back["document"]["upstreams"]] == ["shop"]


def _alice(*groups: str, **more: Any) -> dict[str, Any]:
    inside = {"groups": [{"name": each} for each in groups]} if groups else {}
    return {"id": "c1", "username": "alice", **inside, **more}


def test_members_of_groups_are_put_back() -> None:
    groups = [{"id": "g1", "name": "gold"}, {"id": "g2", "name": "blue"}]
    before = _document(consumer_groups=groups, consumers=[_alice("gold")])
    now = _document(consumer_groups=groups, consumers=[_alice("blue", "gold", tags=["else"])])
    joined: dict[str, Any] = {
        "operation": "create", "kind": "consumer_group_member", "id": None, "after": {}
    }  # fmt: skip
    document = rollout_undo(before, now, [joined])["document"]
    assert document["consumers"] == [_alice("gold", tags=["else"])]
    document = rollout_undo(before, now, [])["document"]
    assert document["consumers"] == now["consumers"]
    # Those of a consumer that a dump does not have are listed at the group.
    outside = _document(consumer_groups=[{**groups[0], "consumers": [{"username": "bob"}]}])
    document = rollout_undo(outside, _document(consumer_groups=groups[:1]), [joined])["document"]
    assert document["consumer_groups"] == outside["consumer_groups"]


def test_what_is_renamed_back_is_referred_to_by_the_name_that_it_gets() -> None:
    def site(service: str, group: str, partial: str, **more: Any) -> dict[str, Any]:
        plugin = {"id": "p1", "name": "rate-limiting-advanced", "service": service,
                  "partials": [{"name": partial, "path": "config.redis"}]}  # fmt: skip
        return _document(
            partials=[{"id": "a1", "name": partial}],
            services=[{"id": "s1", "name": service, "host": "shop"}],
            consumer_groups=[{"id": "g1", "name": group}],
            consumers=[_alice(group, plugins=[plugin], **more)],
        )

    renamed = [
        {"operation": "update", "kind": kind, "id": key}
        for kind, key in (("service", "s1"), ("consumer_group", "g1"), ("partial", "a1"))
    ]
    back = rollout_undo(site("a", "b", "c"), site("x", "y", "z", tags=["else"]), renamed)
    document = back["document"]
    assert document["services"] == [{"id": "s1", "name": "a", "host": "shop"}]
    assert document["consumers"] == [_alice("b", tags=["else"])]
    assert document["plugins"] == [
        {"id": "p1", "name": "rate-limiting-advanced", "service": "a", "consumer": "alice",
         "partials": [{"name": "c", "path": "config.redis"}]}
    ]  # fmt: skip
    # Somebody else renamed them, and what the rollout changed goes back to the entity of that name.
    touched = [{"operation": "update", "kind": kind, "id": key}
               for kind, key in (("plugin", "p1"), ("consumer", "c1"))]  # fmt: skip
    document = rollout_undo(site("a", "b", "c"), site("x", "y", "z"), touched)["document"]
    assert document["plugins"][0]["service"] == "x"
    assert document["plugins"][0]["partials"][0]["name"] == "z"
    assert document["consumers"] == [_alice("y")]


def test_a_record_holds_no_secret_and_finds_what_changed() -> None:
    record = rollout_record(SNAPSHOT)
    assert SECRET not in json.dumps(record)
    assert rollout_problems(SNAPSHOT, "drift", record=record) == []
    assert rollout_problems(_changed(), "drift", record=record) == [
        "route shop was changed",
        "service shop was changed",
        "target 10.0.0.1:80 was deleted",
        "target 10.0.0.2:80 was created",
        "upstream other was created",
    ]
    now = _changed()
    now["consumers"][0]["keyauth_credentials"][0]["key"] = "another"
    found = rollout_problems(now, "drift", record=record, kinds=["key_auth"])
    assert found == ["key_auth k1 was changed"]
    now["upstreams"][0]["slots"] = 100
    assert rollout_problems(now, "drift", record=record, tags=["shop"]) == [
        "upstream shop was changed"
    ]


@pytest.mark.parametrize(
    ("gateway", "options", "problems"),
    [
        ({"version": "3.10.0", "edition": "community"}, {"min_version": "3.9"}, []),
        (
            {"version": "3.4.2", "edition": "community"},
            {"min_version": "3.10"},
            ["version 3.4.2 is older than 3.10"],
        ),
        (
            {"version": "3.9.1", "edition": "community"},
            {"edition": "enterprise"},
            ["its edition is community, and enterprise is needed"],
        ),
        ({"version": None, "edition": "konnect"},
         {"min_version": "3.9", "edition": "enterprise"}, []),
        ({"failed": True, "msg": "no answer"},
         {"min_version": "3.9", "edition": "enterprise"}, []),
    ],
)  # fmt: skip
def test_a_gateway_that_lacks_something_is_named(
    gateway: dict[str, Any], options: dict[str, Any], problems: list[str]
) -> None:
    assert rollout_problems(gateway, "preflight", **options) == problems


def _info(*targets: dict[str, Any]) -> dict[str, Any]:
    listed = [{"upstream": {"name": "shop"}, "weight": 100, **each} for each in targets]
    return {"entities": [{"kind": "target", "entities": listed}]}


def test_targets_of_changed_upstreams_must_serve() -> None:
    info = _info(
        {"target": "a:80", "health": "HEALTHY"}, {"target": "b:80", "health": "UNHEALTHY"},
        {"target": "c:80", "health": "UNHEALTHY", "weight": 0}, {"target": "d:80", "health": None},
        {"target": "e:80", "health": "DNS_ERROR", "upstream": {"name": "other"}},
        {"target": "f:80", "health": None,
         "nodes": [{"url": "http://n:8007", "health": "UNHEALTHY"}]},
    )  # fmt: skip
    changes = [{"kind": "target", "upstream": "shop"}]
    assert rollout_problems(info, "health", changes=changes) == [
        "target b:80 of upstream shop is unhealthy",
        "target d:80 of upstream shop is not known to the balancer yet",
        "target f:80 of upstream shop is unhealthy at http://n:8007",
    ]
    assert rollout_problems(info, "health", changes=[]) == []
    gone = {"failed": True, "msg": "no answer"}
    assert rollout_problems(gone, "health", changes=changes) == ["no answer"]
    # What was waited for in vain is a failed result with all that was seen.
    assert len(rollout_problems({**info, **gone}, "health", changes=changes)) == 3


def _planes(*hashes: str, **more: Any) -> dict[str, Any]:
    found = [
        {"id": str(number), "hostname": f"dp-{number}", "config_hash": each, "last_seen": 1000}
        for number, each in enumerate(hashes)
    ]
    return {"data_planes": [{**each, **more} for each in found]}


def test_data_planes_must_run_one_configuration_that_is_new() -> None:
    assert rollout_problems(_planes("b", "b"), "data_planes", before=_planes("a", "a")) == []
    assert rollout_problems(_planes("b", "a"), "data_planes", before=_planes("a", "a")) == [
        "data plane dp-1 still runs the configuration from before the change"
    ]
    assert rollout_problems(_planes("b", "c"), "data_planes") == [
        "2 data planes run 2 different configurations"
    ]
    refused = _planes("a", sync_status="plugin_set_incompatible")
    assert rollout_problems(refused, "data_planes") == [
        "data plane dp-0 does not take the configuration: plugin_set_incompatible"
    ]
    # One that has been silent for minutes is gone.
    gone = _planes("b", "a")
    gone["data_planes"][1]["last_seen"] = 800
    assert rollout_problems(gone, "data_planes") == []
    assert rollout_problems({"data_planes": []}, "data_planes") == []


def test_data_planes_of_konnect_must_run_what_it_expects() -> None:
    nodes = [
        {"hostname": "one", "connected": True, "up_to_date": True},
        {"hostname": "two", "connected": True, "up_to_date": False},
        {"hostname": "gone", "connected": False, "up_to_date": False},
    ]
    assert rollout_problems({"nodes": nodes}, "nodes") == [
        "data plane two does not run the new configuration"
    ]


def test_an_unknown_check_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="check must be one of preflight, health"):
        rollout_problems({}, "helath")


def test_the_reason_of_a_loop_is_that_of_its_first_failure() -> None:
    items = [{"msg": "fine"}, {"failed": True, "msg": "bad"}, {"failed": True, "msg": "worse"}]
    loop = {"msg": "One or more items failed", "results": items}
    assert rollout_reason(loop) == "bad"
    assert rollout_reason({"msg": "alone"}) == "alone"
    assert rollout_reason({}) == "it failed without a message"


PLANNED = {"has_changes": True, "changes": [{"operation": "create", "kind": "service"}]}
HOSTVARS: dict[str, dict[str, Any]] = {
    "new": {},
    "same": {"__rollout_planned": {"has_changes": False},
             "__rollout_failed": ["bad: why"]},
    "plan": {"__rollout_planned": PLANNED,
             "__rollout_failed": ["bad: why"]},
    "bad": {"__rollout_planned": PLANNED, "__rollout_reason": "why",
            "kong_admin_url": "http://gateway:8001"},
    "back": {"__rollout_planned": PLANNED, "__rollout_reason": "why",
             "__rollout_undone_well": True},
    "done": {"__rollout_planned": PLANNED, "__rollout_failed": [],
             "__rollout_applied": {"changed": True, "changes": PLANNED["changes"]},
             "__rollout_began": "10.5", "__rollout_noted": {"time": 12},
             "__rollout_ended": {"time": 15}},
    "check": {"__rollout_planned": PLANNED, "ansible_check_mode": True,
              "__rollout_applied": {"changed": True, "changes": PLANNED["changes"]}},
}  # fmt: skip


def test_each_gateway_of_a_rollout_is_a_row() -> None:
    rows = {row["name"]: row for row in rollout_rows(list(HOSTVARS), HOSTVARS)}
    assert {name: row["status"] for name, row in rows.items()} == {
        "new": "not reached", "same": "unchanged", "plan": "planned", "bad": "failed",
        "back": "undone", "done": "changed", "check": "planned",
    }  # fmt: skip
    assert rows["bad"]["reason"] == rows["back"]["reason"] == "why"
    assert rows["plan"]["reason"] == "another gateway of its batch failed: bad: why"
    assert rows["same"]["reason"] == rows["done"]["reason"] == ""
    assert rows["done"]["seconds"] == {"snapshot": 1.5, "apply": 3.0}
    assert rollout_failed(["same", "bad"], HOSTVARS) == ["bad: why"]


def _task(folder: Path, check: bool = False, **options: Any) -> Task:
    given = {"directory": str(folder), "files": {}, "remove": [], **options}
    return Task(given, None, check, False, print)


def test_files_are_private_replaced_and_thinned_out(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "kong-1"
    thin: dict[str, Any] = {"prefix": "snapshot-", "keep": 2}
    for number in range(1, 4):
        files = {f"snapshot-{number}": SECRET, "plan.json": "{}"}
        result = run_rollout_files(_task(folder, files=files, **thin))
        assert result["changed"] and SECRET not in json.dumps(result)
    assert sorted(os.listdir(folder)) == ["plan.json", "snapshot-2", "snapshot-3"]
    assert result["removed"] == ["snapshot-1"]
    assert {oct(path.stat().st_mode)[-3:] for path in folder.iterdir()} == {"600"}
    assert oct(folder.stat().st_mode)[-3:] == "700"
    assert not run_rollout_files(_task(folder, files={"plan.json": "{}"}, remove=["no"]))["changed"]
    gone = run_rollout_files(_task(folder, remove=["plan.json"], check=True))
    assert gone["changed"] and (folder / "plan.json").exists()


@pytest.mark.parametrize("name", ["../x", "", ".", "a/b"])
def test_files_outside_the_directory_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="is not the name of a file in directory"):
        run_rollout_files(_task(tmp_path, remove=[name]))


def test_a_retention_of_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="keep must be at least 1, got 0"):
        run_rollout_files(_task(tmp_path, prefix="snapshot-", keep=0))
