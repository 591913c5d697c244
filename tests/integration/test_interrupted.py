# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed, wherever that is, is finished by the next one: no less, and nothing twice.

To a gateway a killed run is one whose requests end: all connections are cut from a request on,
either before the gateway gets it or after.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.engine import Engine
from harness.gateway import Gateway
from harness.state import Document, copied, tagged, whole, without_ids

CUTS = ("cut_before", "cut_after")
POOL = [{"target": f"10.0.0.{number}:80"} for number in range(1, 4)]


def _document(pems: dict[str, str], weight: int = 100) -> Document:
    snis = [{"name": "a.test"}, {"name": "b.test"}]
    return tagged(
        "t",
        upstreams=[{"name": "u.test", "targets": [{"target": "10.0.0.1:80", "weight": weight}]}],
        services=[{"name": "s", "host": "u.test", "routes": [{"name": "r", "paths": ["/x"]}]}],
        certificates=[{"cert": pems["<cert 1>"], "key": pems["<key 1>"], "snis": snis}],
        ca_certificates=[{"cert": pems["<cert 2>"]}],
    )


def _tasks(pems: dict[str, str]) -> dict[str, tuple[str, dict[str, Any]]]:
    served = {"cert": pems["<cert 1>"], "key": pems["<key 1>"]}
    return {
        "state": ("kong_state", {"content": _document(pems), "state": "applied"}),
        "upstream": ("kong_upstream", {"name": "u.test", "targets": POOL, "purge_targets": True}),
        "certificate": ("kong_certificate", {**served, "snis": ["a.test", "b.test"]}),
    }


@pytest.fixture(params=["state", "upstream", "certificate"])
def task(request: pytest.FixtureRequest, pems: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """A module and its options; each sends several writes."""
    return _tasks(pems)[request.param]


def _run(gateway: Gateway, task: tuple[str, dict[str, Any]], **options: Any) -> dict[str, Any]:
    module, written = task
    return Engine(gateway)(module, **copied(written), **options)


def _entities(gateway: Gateway) -> list[str]:
    """All entities, comparable between runs; the names of lists have IDs, too."""
    return sorted(
        f"{without_ids(path)} {without_ids(each)}"
        for path, listed in whole(gateway).items() for each in listed.values()
    )  # fmt: skip


@pytest.mark.parametrize("cut", CUTS)
def test_the_next_run_finishes_what_a_killed_one_began(
    empty_gateway: Gateway, task: tuple[str, dict[str, Any]], cut: str
) -> None:
    gateway = empty_gateway

    def begin() -> None:
        gateway.clear_faults()
        gateway.reset()
        Engine(gateway).ok("kong_service", name="other", host="other.test", tags=["other"])
        Engine(gateway).ok("kong_upstream", name="v.test", targets=POOL[:1])

    begin()
    gateway.reset_requests()
    assert _run(gateway, task)["changed"]
    methods, wanted = [each["method"] for each in gateway.requests()], _entities(gateway)
    for at in (at for at, method in enumerate(methods) if method != "GET"):
        begin()
        gateway.faults(match={}, kind=cut, skip=at)
        gateway.faults(match={}, kind="cut_before", skip=at, times=None)
        _run(gateway, task, request_retries=0)
        gateway.clear_faults()
        finished = _run(gateway, task)
        assert not finished.get("failed"), (at, finished)
        assert _entities(gateway) == wanted, at
        assert _run(gateway, task)["changed"] is False, at


@pytest.mark.parametrize("cut", CUTS)
def test_a_change_that_was_killed_is_finished(
    empty_gateway: Gateway, pems: dict[str, str], cut: str
) -> None:
    # The reads come first: cut is the only write.
    Engine(empty_gateway).ok("kong_state", content=_document(pems), state="synced")
    changed = ("kong_state", {"content": _document(pems, weight=7), "state": "synced"})
    method = "PUT" if empty_gateway.control_plane else "PATCH"
    empty_gateway.faults(match={"method": method}, kind=cut, times=None)
    killed = _run(empty_gateway, changed, request_retries=0)
    assert "it is not known whether the change was made" in killed["msg"]
    empty_gateway.clear_faults()
    assert _run(empty_gateway, changed)["changed"] is (cut == "cut_before")
    assert _run(empty_gateway, changed)["changed"] is False


def test_two_files_with_the_same_certificate_have_one_each(
    empty_gateway: Gateway, pems: dict[str, str]
) -> None:
    for tag, sni in (("one", "a.test"), ("two", "b.test"), ("one", "a.test")):
        pair = {"cert": pems["<cert 1>"], "key": pems["<key 1>"], "snis": [{"name": sni}]}
        Engine(empty_gateway).ok(
            "kong_state", content=tagged(tag, certificates=[pair]), state="synced"
        )
    assert len(empty_gateway.entities("/certificates")) == 2
