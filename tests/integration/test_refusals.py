# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real gateways were recorded refusing is refused in check mode as in the run, in a sentence.

Each refused body of the recordings is written as a task, on a gateway that was brought to the
recording's state at that step.
"""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from harness.engine import Engine, Result
from harness.gateway import Gateway
from harness.paths import ROOT
from sandbox_tests.transcripts import Player

RECORDED = ROOT / "tests/conformance/database"
RECORDINGS = (
    "hashing_against_stored", "nulls", "route", "service", "target_addresses", "target_crud",
    "upstream_bad_input", "upstream_crud", "upstream_hashing", "upstream_nested_healthchecks",
)
Case = tuple[str, int]

_NO_NAME = "the options ask for a name"
_CONVERTED = "options convert it into what the gateway takes"
_THERE = "what exists is updated, in place"
_DEFAULT = "a null means the gateway's default"

# Refused bodies that no task can send.
NOT_EXPRESSIBLE: dict[Case, str] = {
    ("upstream_bad_input", 0): _NO_NAME,
    ("target_addresses", 13): _NO_NAME,
}
# Refused bodies of which the options mean something else, which is then done.
MEANT_OTHERWISE: dict[Case, str] = {
    ("upstream_bad_input", 14): _CONVERTED,
    ("upstream_bad_input", 28): _THERE,
    ("target_addresses", 16): _CONVERTED,
    ("target_crud", 6): _THERE,
    ("target_crud", 7): _THERE,
    ("target_crud", 15): "what is missing is created",
    ("target_crud", 26): "what is missing is created",
    ("service", 9): _THERE,
    ("upstream_crud", 15): "what is missing is created",
    ("upstream_nested_healthchecks", 7): _DEFAULT,
    **{
        ("nulls", step): _DEFAULT
        for step in (1, 4, 6, 10, 17, 19, 22, 26, 28, 36, 37, 38, 47, 48, 50, 51)
    },
}

# A reference is looked up, so the words are not the gateway's.
LOOKED_UP = {("route", 27), ("upstream_bad_input", 24), ("upstream_bad_input", 25)}


def _steps(recording: str) -> list[dict[str, Any]]:
    return [
        step["request"] | {"answer": step["response"]}
        for step in json.loads((RECORDED / f"{recording}.json").read_text(encoding="utf-8"))
    ]


def _module(template: str) -> str | None:
    """The module that writes to this path."""
    match = re.fullmatch(r"/(upstreams|services|routes)(/[^/]+)?(/targets(/[^/]+)?)?", template)
    if not match:
        return None
    return "kong_target" if match[3] else f"kong_{match[1][:-1]}"


def _cases() -> list[Case]:
    return [
        (recording, number)
        for recording in RECORDINGS
        for number, step in enumerate(_steps(recording))
        if step["method"] in ("POST", "PATCH", "PUT")
        and step["answer"]["status"] >= 400
        and isinstance(step.get("body_template"), dict)
        and _module(step["template"])
        and (recording, number) not in NOT_EXPRESSIBLE
    ]


def _options(step: dict[str, Any], player: Player) -> dict[str, Any]:
    """The task's options that say what the recorded request says."""
    written = json.dumps([step["template"], step["body_template"]])
    path, body = json.loads(
        re.sub(r"\{(\w+)\}", lambda found: player.kept.get(found[1], found[0]), written)
    )
    segments = path.strip("/").split("/")
    options = {
        key: value["id"] if isinstance(value, dict) and set(value) == {"id"} else value
        for key, value in body.items()
    }
    if "targets" in segments:
        options = {"upstream": segments[1], **options}
        return {"target": segments[3], **options} if len(segments) > 3 else options
    own = segments[1] if len(segments) > 1 else "irishtek-test-new"
    return {"name": own, **options}


class Translated:
    """Sends what was recorded to the gateway under test, in the words of its dialect."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def request(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str]
    ) -> httpx.Response:
        """As `httpx.Client.request`, for bodies in JSON only: no step needs others."""
        if headers.get("Content-Type", "application/json") != "application/json":
            return httpx.Response(415)
        try:
            body = None if content is None else json.loads(content)
        except ValueError:
            return httpx.Response(400)
        return self.gateway.send(method, path, body)


@pytest.fixture
def client(empty_gateway: Gateway) -> Translated:
    """Plays recordings against the gateway under test."""
    return Translated(empty_gateway)


def _prepared(client: Translated, case: Case) -> tuple[str, dict[str, Any]]:
    """Module and options of a case, on a gateway in the state of its step."""
    recording, number = case
    player, steps = Player(client), _steps(recording)
    for step in steps[:number]:
        player.step(step)
    return str(_module(steps[number]["template"])), _options(steps[number], player)


def _both_ways(engine: Engine, module: str, options: dict[str, Any]) -> tuple[Result, Result]:
    predicted = engine(module, check=True, **options)
    engine.forget()
    return predicted, engine(module, **options)


REFUSED = [case for case in _cases() if case not in MEANT_OTHERWISE]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case[0]}-{case[1]}")
def test_a_refused_body_is_refused_in_check_mode_for_the_same_reason(
    client: Translated, engine: Engine, case: Case
) -> None:
    module, options = _prepared(client, case)
    engine.gateway.reset_requests()
    predicted, real = _both_ways(engine, module, options)
    assert predicted["failed"] and real["failed"]
    message = real["msg"]
    assert predicted["msg"] == message
    assert "\n" not in message
    if "failure" not in real:
        # Ansible's own argument check, which knows neither entity nor gateway.
        assert engine.gateway.requests() == []
    else:
        name = options.get("target") if module == "kong_target" else options["name"]
        assert name is None or str(name) in message
        assert name is None or engine.gateway.label in message
    answer = _steps(case[0])[case[1]]["answer"]["body"]
    fields = answer.get("fields") or {}
    if case in LOOKED_UP:
        assert message.endswith("11111111-2222-4333-8444-555555555555 does not exist")
    else:
        assert any(leaf in message for leaf in _leaves(fields)) or not fields, message


def _leaves(fields: Any, name: str = "") -> set[str]:
    """Names of the refused fields, and the reasons that stand for no field."""
    if isinstance(fields, dict):
        return {leaf for key, item in fields.items() for leaf in _leaves(item, key)}
    if isinstance(fields, list):
        return {leaf for item in fields for leaf in _leaves(item, name)}
    # Of several of a list, one is named: a tag of tags.
    return {str(fields), name.removesuffix("s")} - {"@entity", ""}


@pytest.mark.parametrize("case", MEANT_OTHERWISE, ids=lambda case: f"{case[0]}-{case[1]}")
def test_what_options_mean_otherwise_is_done_and_predicted(
    client: Translated, engine: Engine, case: Case
) -> None:
    module, options = _prepared(client, case)
    predicted, real = _both_ways(engine, module, options)
    assert not real.get("failed"), real
    assert not predicted.get("failed"), predicted
    assert predicted["operation"] == real["operation"]


def test_the_tables_name_recorded_steps() -> None:
    cases = {*_cases(), *NOT_EXPRESSIBLE}
    assert len(cases) > 70
    assert set(MEANT_OTHERWISE) <= cases
