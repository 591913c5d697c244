# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Few requests: the budgets that are promised, counted in the sandbox's own log."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from harness.engine import Engine, Result
from harness.gateway import PREFIX, Gateway

UPSTREAM, SERVICE, ROUTE = (f"{PREFIX}{kind}" for kind in ("upstream", "service", "route"))
ADDRESSES = [f"10.1.{number // 250}.{number % 250 + 1}:80" for number in range(1001)]
POOL = [{"target": address} for address in ADDRESSES]


class Counted:
    """An engine whose every task tells what it asked of the gateway.

    Konnect takes one more request a task, which looks up the control plane, and one that looks up
    the ID of a target's upstream; and changes are PUT. Apart from these it costs the same.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __call__(
        self, module: str, above: int = 0, **options: Any
    ) -> tuple[Result, Counter[str]]:
        """A task that succeeds, and its requests by method.

        :param above: how many IDs of parents Konnect looks up.
        """
        # Clients and schemas that an earlier task kept would hide requests.
        self.engine.forget()
        self.engine.gateway.reset_requests()
        result = self.engine.ok(module, **options)
        counted = Counter(each["method"] for each in self.engine.gateway.requests())
        if self.engine.gateway.control_plane:
            counted["GET"] -= 1 + above
            counted["PATCH"] += counted.pop("PUT", 0)
        return result, +counted


@pytest.fixture
def counted(empty_gateway: Gateway, engine: Engine) -> Counted:
    """Counts requests."""
    return Counted(engine)


def test_a_target_costs_one_request_or_two(counted: Counted) -> None:
    counted("kong_upstream", name=UPSTREAM)
    target = {"upstream": UPSTREAM, "target": "10.0.0.1:80"}
    for options, requests in (
        ({"weight": 5}, {"GET": 1, "POST": 1}),
        ({"weight": 5}, {"GET": 1}),
        ({"weight": 6}, {"GET": 1, "PATCH": 1}),
        ({"tags": []}, {"GET": 1}),
        ({"state": "drained"}, {"GET": 1, "PATCH": 1}),
        ({"state": "absent"}, {"GET": 1, "DELETE": 1}),
        ({"state": "absent"}, {"GET": 1}),
    ):
        force = {"force": True} if options.get("state") == "drained" else {}
        found = counted("kong_target", above=1, **target, **options, **force)[1]
        assert found == requests, options


def test_a_target_on_a_missing_upstream_is_a_sentence(counted: Counted) -> None:
    result = counted.engine.refused("kong_target", upstream=UPSTREAM, target="a:80")
    assert f"upstream {UPSTREAM} does not exist" in result["msg"]
    assert len(counted.engine.gateway.requests()) == 2


def test_entities_cost_one_request_or_two(counted: Counted) -> None:
    for module, options, change in (
        ("kong_upstream", {"name": UPSTREAM, "slots": 20}, {"slots": 30}),
        ("kong_service", {"name": SERVICE, "url": "http://a.test"}, {"retries": 1}),
        ("kong_route", {"name": ROUTE, "paths": ["/a"]}, {"paths": ["/b"]}),
    ):
        assert counted(module, **options)[1] == {"GET": 1, "POST": 1}
        assert counted(module, **options)[1] == {"GET": 1}
        assert counted(module, **{**options, **change})[1] == {"GET": 1, "PATCH": 1}
        absent = counted(module, name=options["name"], state="absent")[1]
        targets = 1 if module == "kong_upstream" else 0
        assert absent == {"GET": 1 + targets, "DELETE": 1}
        assert counted(module, name=options["name"], state="absent")[1] == {"GET": 1}


def test_a_reference_by_name_costs_one_more(counted: Counted) -> None:
    service = counted("kong_service", name=SERVICE, host="a.test")[0]["service"]
    by_name = {"name": ROUTE, "paths": ["/a"], "service": SERVICE}
    assert counted("kong_route", **by_name)[1] == {"GET": 2, "POST": 1}
    assert counted("kong_route", **by_name)[1] == {"GET": 2}
    assert counted("kong_route", **{**by_name, "service": service["id"]})[1] == {"GET": 1}


def test_a_parent_that_no_path_may_lead_to_is_looked_up(counted: Counted) -> None:
    # A name that looks like an ID; a consumer, which can have its custom_id only.
    upstream, _requests = counted("kong_upstream", name=UPSTREAM)
    target = {"upstream": upstream["upstream"]["id"], "target": "a:80"}
    assert counted("kong_target", **target)[1] == {"GET": 2, "POST": 1}
    assert counted("kong_target", **target)[1] == {"GET": 2}
    counted("kong_consumer", username=f"{PREFIX}alice")
    credential = {"type": "acl", "consumer": f"{PREFIX}alice", "group": "gold"}
    assert counted("kong_credential", **credential)[1] == {"GET": 2, "POST": 1}
    assert counted("kong_credential", **credential)[1] == {"GET": 2}
    gone = counted("kong_consumer", username=f"{PREFIX}alice", state="absent")[1]
    assert gone == {"GET": 1, "DELETE": 1}


@pytest.mark.parametrize("count", [1, 20])
def test_an_upstream_with_targets_costs_two_and_one_for_each_write(
    counted: Counted, count: int
) -> None:
    pool = POOL[:count]
    first, requests = counted("kong_upstream", name=UPSTREAM, targets=pool)
    assert requests == {"GET": 1, "POST": 1 + count}
    assert len(first["changes"]) == 1 + count
    assert counted("kong_upstream", name=UPSTREAM, targets=pool)[1] == {"GET": 2}
    heavier = [{**pool[0], "weight": 7}, *pool[1:]]
    changed, requests = counted("kong_upstream", name=UPSTREAM, targets=heavier)
    assert requests == {"GET": 2, "PATCH": 1}
    assert [change["operation"] for change in changed["changes"]] == ["update"]


def test_many_targets_of_an_existing_upstream_cost_one_list(counted: Counted) -> None:
    counted("kong_upstream", name=UPSTREAM)
    many = {"upstream": UPSTREAM, "targets": POOL[:20]}
    assert counted("kong_target", above=1, **many)[1] == {"GET": 1, "POST": 20}
    assert counted("kong_target", above=1, **many)[1] == {"GET": 1}
    absent = {**many, "state": "absent", "force": True}
    assert counted("kong_target", above=1, **absent)[1] == {"GET": 1, "DELETE": 20}


def test_more_targets_than_a_page_are_all_seen(counted: Counted, gateway: Gateway) -> None:
    first, requests = counted("kong_upstream", name=UPSTREAM, targets=POOL, diff=False)
    assert requests == {"GET": 1, "POST": 1002}
    assert len(first["targets"]) == 1001
    again, requests = counted("kong_upstream", name=UPSTREAM, targets=POOL, diff=False)
    # One for the upstream, two pages of targets.
    assert (again["changed"], requests) == (False, {"GET": 3})
    first_page, second_page = (
        each["query"] for each in gateway.requests() if each["path"].endswith("/targets")
    )
    assert first_page == "size=1000" and second_page.startswith("size=1000&offset=")
    pool = {"upstream": UPSTREAM, "targets": POOL, "diff": False}
    assert counted("kong_target", above=1, **pool)[1] == {"GET": 2}
    listed, requests = counted("kong_info", kinds=["target"])
    assert len(listed["entities"][0]["entities"]) == 1001
    purged, requests = counted(
        "kong_upstream", name=UPSTREAM, targets=POOL[500:501], purge_targets=True, diff=False
    )
    assert requests == {"GET": 3, "DELETE": 1000}
    assert [each["target"] for each in gateway.entities(f"/upstreams/{UPSTREAM}/targets")] == [
        ADDRESSES[500]
    ]


def _addresses(gateway: Gateway) -> set[str]:
    return {each["target"] for each in gateway.entities(f"/upstreams/{UPSTREAM}/targets")}


def test_a_purge_takes_what_is_not_written_and_nothing_else(
    engine: Engine, gateway: Gateway
) -> None:
    engine.ok("kong_upstream", name=UPSTREAM, targets=POOL[:4], tags=["irishtek-test"])
    kept = {each["target"]: each["id"] for each in gateway.entities(
        f"/upstreams/{UPSTREAM}/targets"
    )}
    written = [{"target": "10.1.0.2:80", "weight": 3}, {"target": "10.1.0.9:80"}]
    without = engine.ok("kong_upstream", name=UPSTREAM, targets=written)
    assert {change["operation"] for change in without["changes"]} == {"update", "create"}
    purge = {"name": UPSTREAM, "targets": written, "purge_targets": True}
    predicted = engine.ok("kong_upstream", check=True, **purge)
    engine.forget()
    purged = engine.ok("kong_upstream", **purge)
    assert predicted["changes"] == purged["changes"]
    assert [change["target"] for change in purged["changes"]] == [
        "10.1.0.1:80", "10.1.0.3:80", "10.1.0.4:80",
    ]
    assert {change["operation"] for change in purged["changes"]} == {"delete"}
    assert _addresses(gateway) == {"10.1.0.2:80", "10.1.0.9:80"}
    stored = gateway.call("GET", f"/upstreams/{UPSTREAM}/targets/10.1.0.2:80")
    assert (stored["id"], stored["weight"]) == (kept["10.1.0.2:80"], 3)
    assert not engine.ok("kong_upstream", **purge)["changed"]


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
def test_a_purge_of_more_than_is_allowed_changes_nothing(
    engine: Engine, gateway: Gateway, check: bool
) -> None:
    engine.ok("kong_upstream", name=UPSTREAM, targets=POOL[:4], tags=["irishtek-test"])
    purge = {"name": UPSTREAM, "slots": 20, "targets": POOL[:1], "purge_targets": True}
    result = engine.refused("kong_upstream", check=check, **purge, max_deletes=2)
    assert "would delete 3 targets, and max_deletes is" in result["msg"]
    assert gateway.admin_url in result["msg"] and "max_deletes is 2" in result["msg"]
    assert len(_addresses(gateway)) == 4
    assert gateway.call("GET", f"/upstreams/{UPSTREAM}")["slots"] == 10000
    assert engine.ok("kong_upstream", check=check, **purge, max_deletes=3)["changed"]


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
def test_an_empty_list_empties_a_pool_only_when_that_is_said(
    engine: Engine, gateway: Gateway, check: bool
) -> None:
    engine.ok("kong_upstream", name=UPSTREAM, targets=POOL[:2], tags=["irishtek-test"])
    for options, reason in (
        ({"purge_targets": True}, "purge_targets needs targets"),
        ({"purge_targets": True, "targets": []}, "set allow_empty to true"),
    ):
        result = engine.refused("kong_upstream", check=check, name=UPSTREAM, **options)
        assert reason in result["msg"]
    assert not engine.ok("kong_upstream", check=check, name=UPSTREAM, targets=[])["changed"]
    assert len(_addresses(gateway)) == 2
    emptied = engine.ok(
        "kong_upstream", check=check, name=UPSTREAM, targets=[], purge_targets=True,
        allow_empty=True,
    )
    assert [change["operation"] for change in emptied["changes"]] == ["delete", "delete"]
    assert len(_addresses(gateway)) == (2 if check else 0)
