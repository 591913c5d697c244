# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module, its documentation, its options, its stub and its registration say the same."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from ansible_collections.irishtek.kong.plugins.module_utils._entities._credential import CREDENTIALS
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._operations._base import Operation
from unit.recordings import TESTS

ROOT = TESTS.parent
PACKAGE = "ansible_collections.irishtek.kong.plugins"
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("k*.py"))
META = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
# Kinds without a module of their own, and the one that manages them.
WITHOUT_MODULE = {
    **dict.fromkeys(CREDENTIALS, "kong_credential"), "consumer_group_member": "kong_consumer_group"
}  # fmt: skip
READ_ONLY = (
    "kong_info", "kong_ping", "kong_probe", "konnect_control_plane_info", "konnect_node_info",
)  # fmt: skip
# Connects to a proxy and not to an Admin API.
WITHOUT_GROUP = ("kong_probe",)
# What these do leaves nothing that could be absent.
WITHOUT_STATE = (*READ_ONLY, "kong_target_health", "kong_dump")
# Their results tell of many entities.
WITHOUT_ENTITY = (
    *WITHOUT_STATE, "kong_lock", "kong_plan", "kong_state", "konnect_data_plane_certificate"
)  # fmt: skip
COMPARED = ("type", "elements", "required", "default", "aliases", "no_log")


def _text(module: str, name: str) -> Any:
    return yaml.safe_load(getattr(importlib.import_module(f"{PACKAGE}.modules.{module}"), name))


def _fragment(name: str) -> dict[str, Any]:
    """``irishtek.kong.entity.tags`` is the text TAGS of the file entity.py."""
    file, _dot, text = name.removeprefix("irishtek.kong.").partition(".")
    fragment = importlib.import_module(f"{PACKAGE}.doc_fragments.{file}").ModuleDocFragment
    found: dict[str, Any] = yaml.safe_load(getattr(fragment, text.upper() or "DOCUMENTATION"))
    return found


def _documented(module: str) -> dict[str, Any]:
    """A module's documentation with its fragments, as ``ansible-doc`` shows it."""
    own = _text(module, "DOCUMENTATION")
    merged: dict[str, Any] = {**own, "options": {}, "attributes": {}}
    texts = [_fragment(name) for name in own["extends_documentation_fragment"]]
    for text in [*texts, own]:
        merged["options"].update(text.get("options") or {})
        merged["attributes"].update(text.get("attributes") or {})
    return merged


def _operation(module: str) -> Operation:
    action = importlib.import_module(f"{PACKAGE}.action.{module}")
    operation: Operation = action.ActionModule.operation
    return operation


def _plain(option: dict[str, Any]) -> dict[str, Any]:
    """An option of a spec, or of a documentation, in one form."""
    kept = {name: option[name] for name in COMPARED if option.get(name) not in (None, False, [])}
    if option.get("default") is False:
        kept["default"] = False
    kept.setdefault("type", "str")
    if option.get("choices"):
        kept["choices"] = sorted(map(str, option["choices"]))
    inner = option.get("options") or option.get("suboptions")
    if inner:
        kept["options"] = _all_plain(inner)
    return kept


def _all_plain(options: dict[str, Any]) -> dict[str, Any]:
    plain = {name: _plain(option) for name, option in options.items()}
    for option in plain.values():
        option.pop("no_log", None)
    return plain


def _descriptions(options: dict[str, Any]) -> list[str]:
    return [
        text
        for option in options.values()
        for text in [
            *option["description"],
            *_descriptions(option.get("suboptions") or {}),
        ]
    ]


def test_there_are_modules() -> None:
    assert {"kong_upstream", "kong_target", "kong_service", "kong_route"} <= set(MODULES)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_module(kind: str) -> None:
    assert (f"kong_{kind}" in MODULES) != (kind in WITHOUT_MODULE)
    assert WITHOUT_MODULE.get(kind, f"kong_{kind}") in MODULES


@pytest.mark.parametrize("module", MODULES)
def test_documented_options_are_the_real_ones(module: str) -> None:
    documented = _all_plain(_documented(module)["options"])
    assert documented == _all_plain(_operation(module).spec.to_spec())


@pytest.mark.parametrize("module", MODULES)
def test_a_module_and_its_stub_run_the_same_operation(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = importlib.import_module(f"{PACKAGE}.modules.{module}")
    started: list[Operation] = []
    monkeypatch.setattr(imported, "run_module", started.append)
    imported.main()
    stub = _operation(module)
    assert started == [stub]
    assert module == _text(module, "DOCUMENTATION")["module"]


@pytest.mark.parametrize("module", [each for each in MODULES if each not in WITHOUT_GROUP])
def test_a_module_takes_the_defaults_of_the_action_group(module: str) -> None:
    assert module in META["action_groups"]["kong"]
    attribute = _documented(module)["attributes"]["action_group"]
    assert attribute["membership"] == ["irishtek.kong.kong"]


def test_the_action_group_and_the_stubs_name_only_modules() -> None:
    stubs = {path.stem for path in (ROOT / "plugins" / "action").glob("k*.py")}
    assert stubs == set(MODULES)
    assert set(META["action_groups"]["kong"]) == stubs - set(WITHOUT_GROUP)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_how_it_keeps_the_promises(module: str) -> None:
    attributes = _documented(module)["attributes"]
    assert {"check_mode", "diff_mode", "idempotent", "platform"} <= set(attributes)
    assert attributes["check_mode"]["support"] == "full"
    assert attributes["diff_mode"]["support"] == ("N/A" if module in READ_ONLY else "full")


@pytest.mark.parametrize("module", MODULES)
def test_options_are_explained_in_at_most_three_sentences(module: str) -> None:
    for text in _descriptions(_documented(module)["options"]):
        assert text.rstrip().endswith((".", ")")), text
        assert text.count(". ") <= 3, text


@pytest.mark.parametrize("module", MODULES)
def test_examples_are_three_tasks_that_use_real_options(module: str) -> None:
    examples = _text(module, "EXAMPLES")
    tasks = [task for each in examples for task in each.get("block", [each])]
    options = set(_operation(module).spec.to_spec())
    used = [task[f"irishtek.kong.{module}"] for task in tasks if f"irishtek.kong.{module}" in task]
    assert len(examples) >= 3
    assert len(used) >= 2
    for arguments in used:
        assert set(arguments or {}) <= options
    assert any("module_defaults" in each for each in examples)
    if module not in WITHOUT_STATE:
        assert any(arguments.get("state") == "absent" for arguments in used)


@pytest.mark.parametrize("module", MODULES)
def test_results_are_documented_with_samples(module: str) -> None:
    returned = _text(module, "RETURN")
    assert all({"description", "type", "returned"} <= set(each) for each in returned.values())
    assert all("sample" in each for each in returned.values())
    assert "failure" in returned
    if module not in WITHOUT_ENTITY:
        assert {"operation", re.sub("^kon(g|nect)_", "", module)} <= set(returned)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_runs_in_integration_tests(module: str) -> None:
    folder = TESTS / "integration"
    named = re.compile(rf"""[".]{module}[":]""")
    texts = (path.read_text() for kind in ("*.py", "*.yml") for path in folder.rglob(kind))
    assert any(named.search(text) for text in texts)
