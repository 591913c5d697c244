# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan that was approved is carried out as it is, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.engine import Engine, Result
from harness.gateway import Gateway, sandbox
from harness.state import Document, copied, tagged, whole

HIDDEN = "hidden-in-plans"


@pytest.fixture
def plans(engine: Engine, tmp_path: Path) -> Plans:
    """Plans of the gateway and what comes of them."""
    return Plans(engine, tmp_path / "orders.plan.json")


class Plans:
    """Saves plans in one file and carries them out, as two runs of a playbook would."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self.engine = engine
        self.path = path

    @property
    def gateway(self) -> Gateway:
        """Where they are for."""
        return self.engine.gateway

    def save(self, content: Document, **options: Any) -> Result:
        """Save a plan."""
        self.engine.forget()
        given = {"content": copied(content), "state": "synced", "dest": str(self.path)}
        return self.engine.ok("kong_plan", **{**given, **options})

    def apply(self, content: Document, **options: Any) -> Result:
        """Carry it out."""
        self.engine.forget()
        return self.engine.ok("kong_state", **self._given(content, options))

    def refused(self, content: Document, **options: Any) -> str:
        """Why it cannot be carried out; nothing is written."""
        self.engine.forget()
        self.gateway.reset_requests()
        result = self.engine.refused("kong_state", **self._given(content, options))
        assert self.gateway.writes() == []
        message: str = result["msg"]
        return message

    def _given(self, content: Document, options: dict[str, Any]) -> dict[str, Any]:
        given = {"content": copied(content), "state": "synced", "plan": str(self.path)}
        return {**given, **options}


def _document() -> Document:
    return tagged(
        "t",
        upstreams=[{"name": "u.test", "targets": [{"target": "10.0.0.1:80", "weight": 5}]}],
        services=[
            {"name": "s", "host": "u.test", "routes": [{"name": "r", "paths": ["/x"]}],
             "plugins": [{"name": "rate-limiting", "config": {"minute": 5}}]},
        ],
        consumers=[{"username": "c", "keyauth_credentials": [{"key": HIDDEN}],
                    "basicauth_credentials": [{"username": "b", "password": f"{HIDDEN}-b"}]}],
    )  # fmt: skip


def test_a_plan_is_saved_without_a_write_and_carried_out_as_it_is(plans: Plans) -> None:
    plans.gateway.reset_requests()
    saved = plans.save(_document())
    assert plans.gateway.writes() == []
    assert saved["changed"] and saved["has_changes"] and saved["dest"] == str(plans.path)
    assert json.loads(plans.path.read_text()) == saved["plan"]
    assert saved["plan"]["gateway"]["url"] == plans.gateway.label
    # Konnect does not have one.
    assert bool(saved["plan"]["gateway"]["version"]) != bool(plans.gateway.control_plane)
    again = plans.save(_document())
    assert (again["changed"], again["plan"]) == (False, saved["plan"])
    done = plans.apply(_document())
    assert sorted(map(str, done["changes"])) and len(done["changes"]) == len(saved["changes"]) == 8
    assert done["summary"] == saved["summary"]


def test_a_plan_that_was_carried_out_changes_nothing_again(plans: Plans) -> None:
    plans.save(_document())
    plans.apply(_document())
    plans.gateway.reset_requests()
    assert not plans.apply(_document())["changed"]
    assert plans.gateway.writes() == []


def test_order_and_form_of_a_document_do_not_matter(plans: Plans) -> None:
    plans.save(_document())
    other = dict(reversed(copied(_document()).items()))
    assert plans.apply(other)["changed"]


@pytest.mark.parametrize("check", [True, False], ids=["check", "real"])
def test_it_says_that_the_document_changed(plans: Plans, check: bool) -> None:
    plans.save(_document())
    for changed in (_without_target(), _with_another_secret()):
        message = plans.refused(changed, check=check)
        assert "does not hold any more: the document changed. " in message
    assert whole(plans.gateway)["/services"] == {}


def _without_target() -> Document:
    changed = _document()
    del changed["upstreams"][0]["targets"]
    return changed


def _with_another_secret() -> Document:
    changed = _document()
    changed["consumers"][0]["keyauth_credentials"][0]["key"] = "another"
    return changed


def test_it_says_what_changed_in_the_gateway(plans: Plans) -> None:
    plans.apply(_document(), plan=None)
    changed = _document()
    changed["services"][0]["retries"] = 1
    del changed["upstreams"]
    plans.save(changed)
    plans.engine.ok("kong_service", name="s", read_timeout=1234)
    assert "the gateway changed: service s has changed" in plans.refused(changed)
    plans.engine.ok("kong_service", name="s", retries=1, read_timeout=60000)
    assert "update of service s is no longer planned" in plans.refused(changed)
    plans.engine.ok("kong_upstream", name="more.test", tags=["t"])
    assert "delete of upstream more.test is planned, too" in plans.refused(changed)


def test_what_has_nothing_to_do_with_the_plan_may_change(plans: Plans) -> None:
    plans.save(_document())
    plans.engine.ok("kong_service", name="somebody-else", host="a.test")
    assert plans.apply(_document())["changed"]


def test_an_entity_that_somebody_created_meanwhile_is_named(plans: Plans) -> None:
    plans.save(_document())
    plans.engine.ok("kong_upstream", name="u.test")
    message = plans.refused(_document())
    assert "upstream u.test was planned to be created, and now to be updated" in message


def test_options_that_decide_are_part_of_it(plans: Plans) -> None:
    plans.save(_document(), state="applied")
    message = plans.refused(_document())
    assert 'the option state changed: it was "applied", and is "synced"' in message
    assert plans.apply(_document(), state="applied", concurrency=2)["changed"]


@pytest.fixture(scope="module")
def _other() -> Iterator[Gateway]:
    with sandbox() as started:
        yield started


def test_a_plan_is_for_one_gateway(plans: Plans, _other: Gateway) -> None:
    plans.save(_document())
    elsewhere = Plans(Engine(_other), plans.path)
    message = elsewhere.refused(_document())
    assert f"for another gateway: {plans.gateway.label}" in message
    assert f"and this is {_other.admin_url}" in message
    warned = elsewhere.save(_document())["warnings"]
    assert any("write one file for each gateway" in each for each in warned)


def test_check_mode_of_both_tasks_writes_nothing(plans: Plans) -> None:
    predicted = plans.save(_document(), check=True)
    assert predicted["changed"] and not plans.path.exists()
    missing = plans.apply(_document(), check=True)
    assert any("does not exist" in each for each in missing["warnings"])
    assert "does not exist: create it with kong_plan" in plans.refused(_document())
    plans.save(_document())
    assert plans.apply(_document(), check=True)["summary"] == predicted["summary"]
    assert whole(plans.gateway)["/services"] == {}


def test_a_plan_leaves_no_prediction_to_the_tasks_after_it(plans: Plans) -> None:
    options = {"content": _document(), "state": "synced"}
    plans.engine.ok("kong_plan", check=True, **options)
    after = plans.engine.ok("kong_state", check=True, **options)
    assert len(after["changes"]) == 8


def test_what_the_gateway_would_refuse_is_no_plan(plans: Plans) -> None:
    wrong = _document()
    wrong["services"][0]["routes"][0]["paths"] = ["noslash"]
    given = {"content": wrong, "state": "synced", "dest": str(plans.path)}
    assert "route r" in plans.engine.refused("kong_plan", **given)["msg"]
    assert not plans.path.exists()


def test_no_secret_is_in_a_plan_and_equal_ones_look_different(
    plans: Plans, pems: dict[str, str]
) -> None:
    document = _document()
    document["certificates"] = [
        {"id": "4a1a4c0e-8b1e-4f43-9a59-0c6f4d0f0a11", "cert": pems["<cert 1>"],
         "key": pems["<key 1>"]}]  # fmt: skip
    document["consumers"].append(
        {"username": "d", "hmacauth_credentials": [{"username": "h", "secret": f"{HIDDEN}-b"}],
         "jwt_secrets": [{"key": "iss", "secret": f"{HIDDEN}-b"}]})  # fmt: skip
    first = plans.save(document)["plan"]
    plans.apply(document)
    rotated = copied(document)
    rotated["consumers"][1]["hmacauth_credentials"][0]["secret"] = f"{HIDDEN}-new"
    plans.path.unlink()
    second = plans.save(rotated)["plan"]
    for plan in (first, second):
        text = json.dumps(plan)
        assert HIDDEN not in text and "PRIVATE KEY" not in text
    digests = [each for each in _strings(first) if each.startswith("******** (")]
    assert len(set(digests)) == len(digests) >= 5
    (entry,) = second["changes"]
    assert entry["before"]["secret"] != entry["after"]["secret"]
    assert first["salt"] != second["salt"] and first["document"] != second["document"]


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [each for item in value.values() for each in _strings(item)]
    if isinstance(value, list):
        return [each for item in value for each in _strings(item)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no json", "cannot be read"),
        ("[]", "is not a plan that kong_plan saved"),
        ('{"format": 2, "changes": []}', "has the format 2"),
        ('{"format": 1, "changes": []}', "is not complete"),
    ],
)
def test_other_files_are_refused(plans: Plans, text: str, reason: str) -> None:
    plans.path.write_text(text)
    assert reason in plans.refused(_document())


def test_a_file_that_was_edited_is_refused(plans: Plans) -> None:
    saved = plans.save(_document())["plan"]
    plans.path.write_text(json.dumps({**saved, "fingerprint": "0" * 64}))
    assert "the file of the plan was changed" in plans.refused(_document())


def test_a_gateway_without_a_database_has_plans_too(tmp_path: Path) -> None:
    with sandbox("--mode", "dbless") as started:
        plans = Plans(Engine(started), tmp_path / "plan.json")
        plans.save(_document())
        assert "the document changed" in plans.refused(_without_target())
        assert len(plans.apply(_document())["changes"]) == 8
