# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State files in tests: a gateway that is brought to documents, and what came of it."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from harness.engine import Engine, Result
from harness.gateway import Gateway
from harness.paths import ROOT

Document = dict[str, Any]
# An id as a gateway makes it, and as check mode shows it.
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\(generated\)")
HEAD: Document = {"_format_version": "3.0"}
_PATHS = (
    "/upstreams", "/services", "/routes", "/plugins", "/consumers", "/key-auths", "/acls", "/jwts",
    "/hmac-auths", "/basic-auths", "/oauth2", "/certificates", "/ca_certificates", "/snis",
    "/vaults", "/keys", "/key-sets",
)  # fmt: skip


def fixture(name: str) -> Document:
    """A state file of the fixtures."""
    text = (ROOT / f"tests/fixtures/state/{name}.yaml").read_text(encoding="utf-8")
    document: Document = yaml.safe_load(text)
    return document


def tagged(tag: str, **sections: Any) -> Document:
    """A document that owns what carries a tag."""
    return {**HEAD, "_info": {"select_tags": [tag]}, **sections}


def counts(result: Result) -> dict[str, int]:
    """Created, updated, deleted and unchanged entities of all kinds; those that are not 0."""
    total: dict[str, int] = {}
    for numbers in result["summary"].values():
        for name, number in numbers.items():
            total[name] = total.get(name, 0) + number
    return {name: number for name, number in total.items() if number}


def told(changes: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What was done to which kind, in order."""
    return [(change["operation"], change["kind"]) for change in changes]


@dataclass
class State:
    """Calls ``kong_state`` as separate runs of a playbook would."""

    engine: Engine

    @property
    def gateway(self) -> Gateway:
        return self.engine.gateway

    def __call__(self, content: Document, state: str = "synced", **options: Any) -> Result:
        """A task that succeeds."""
        self.engine.forget()
        return self.engine.ok("kong_state", content=copied(content), state=state, **options)

    def refused(self, content: Any, state: str = "synced", **options: Any) -> Result:
        """A task that fails."""
        self.engine.forget()
        return self.engine.refused("kong_state", content=copied(content), state=state, **options)

    def predicted_and_done(
        self, content: Document, state: str = "synced", **options: Any
    ) -> Result:
        """One task: check mode writes nothing and predicts it; a second run changes nothing."""
        self.gateway.reset_requests()
        predicted = self(content, state, check=True, **options)
        assert self.gateway.writes() == []
        real = self(content, state, **options)
        assert predicted["summary"] == real["summary"]
        assert without_order(predicted["changes"]) == without_order(real["changes"])
        assert without_ids(predicted["diff"]) == without_ids(real["diff"])
        self.unchanged(content, state, **options)
        return real

    def unchanged(self, content: Document, state: str = "synced", **options: Any) -> None:
        """A task that finds nothing to do, and writes nothing."""
        self.gateway.reset_requests()
        again = self(content, state, **options)
        assert (again["changed"], again["changes"]) == (False, []), again["diff"]
        assert self.gateway.writes() == []


def whole(gateway: Gateway) -> Document:
    """All entities of a gateway by path and id, without their times."""
    found = {path: gateway.entities(path) for path in _PATHS}
    for upstream in found["/upstreams"]:
        path = f"/upstreams/{upstream['id']}/targets"
        found[path] = gateway.entities(path)
    times = ("created_at", "updated_at")
    return {
        path: {
            each["id"]: {name: value for name, value in each.items() if name not in times}
            for each in entities
        }
        for path, entities in found.items()
    }


def copied(content: Any) -> Any:
    """A document of its own for each task."""
    return copy.deepcopy(content)


def without_order(changes: list[dict[str, Any]]) -> list[str]:
    """Changes as a set: those of one level are made side by side; generated ids aside."""
    return sorted(repr(without_ids(change)) for change in changes)


def without_ids(value: Any) -> Any:
    """The value without ids and times, which a prediction cannot know; some are labels."""
    if isinstance(value, dict):
        return {
            key: without_ids(item)
            for key, item in value.items()
            if key not in ("id", "created_at", "updated_at")
        }
    if isinstance(value, str):
        return _ID.sub("(id)", value)
    return [without_ids(item) for item in value] if isinstance(value, list) else value
