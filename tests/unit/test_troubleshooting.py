# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each message that the page on troubleshooting explains is one of the collection's."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from ansible.module_utils.basic import missing_required_lib

from unit.recordings import TESTS

ROOT = TESTS.parent
PAGE = ROOT / "docs/docsite/rst/guide_troubleshooting.rst"
QUOTED = re.findall(r"^``([^`]+)``\n   ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def _text(node: ast.AST) -> str:
    """A string of a program; what it fills in becomes an ellipsis."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = node.values
        return "".join(_text(part) if isinstance(part, ast.Constant) else "…" for part in parts)
    return ""


def _yaml_strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _yaml_strings(each)


@pytest.fixture(scope="module")
def messages() -> list[str]:
    """All strings of the plugins, the roles' tasks and the playbooks, and one of Ansible's."""
    found = [missing_required_lib("httpx")]
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        found += [_text(node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    for path in sorted([*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/*.yml")]):
        found += _yaml_strings(yaml.safe_load(path.read_text(encoding="utf-8")))
    return [text for text in found if text]


def _says(text: str, quoted: str) -> bool:
    parts = [part.strip() for part in quoted.split("…") if part.strip()]
    return re.search(".*".join(map(re.escape, parts)), text, re.DOTALL) is not None


def test_the_page_explains_messages_of_all_parts() -> None:
    assert len(QUOTED) > 40
    assert len(set(QUOTED)) == len(QUOTED)


@pytest.mark.parametrize("quoted", QUOTED)
def test_a_quoted_message_is_one_of_the_collections(messages: list[str], quoted: str) -> None:
    assert any(_says(text, quoted) for text in messages)


def test_a_message_that_nobody_says_is_noticed(messages: list[str]) -> None:
    assert not any(_says(text, "… cannot be weighed after … moons") for text in messages)
