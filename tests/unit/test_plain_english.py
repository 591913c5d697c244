# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users read is plain English: documentation, messages, task names, guides and the README."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from unit.recordings import TESTS

ROOT = TESTS.parent
# Words that this project once used, and what to say instead.
PHRASES = {
    r"forgotten": "removed",
    r"foretell\w*|foretold": "predict",
    r"mend(s|ed|ing)?": "fix",
    r"anew": "again",
    r"truth value": "boolean",
    r"the maker's": "Kong's",
    r"contradicts itself": "conflicting options",
    r"settl(e|es|ed|ing)": "resolve, apply",
    r"judg\w+": "check, validate",
    r"stands? beside": "cannot be combined with",
    r"doors?": "way to run",
}
FORBIDDEN = re.compile(rf"\b(?:{'|'.join(PHRASES)})\b", re.IGNORECASE)
# What users copy is named as Ansible's documentation names tasks.
EXAMPLE_TASK = re.compile(
    r"^ *- name: (.*)\n +(?:irishtek\.|ansible\.|kubernetes\.|module_defaults:|block:)", re.M
)
VERBS = {
    "Accept", "Add", "Apply", "Balance", "Break", "Bring", "Change", "Check", "Collect",
    "Compare", "Convert", "Create", "Delete", "Disable", "Drain", "Dump", "Enable", "Fail",
    "Gather", "Give", "Hash", "Install", "Keep", "Limit", "List", "Load", "Mark", "Move",
    "Pass", "Pin", "Plan", "Put", "Read", "Release", "Reload", "Remove", "Replace", "Reset",
    "Roll", "Route", "Run", "Save", "Set", "Show", "Take", "Undo", "Update", "Use", "Verify",
    "Wait", "Write",
}  # fmt: skip
DOCUMENTED = {"DOCUMENTATION", "EXAMPLES", "RETURN"}


def _docstrings(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr):
                yield first.value


def _strings(path: Path) -> Iterator[tuple[str, str]]:
    """A program's texts with their places, but for its docstrings and comments."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = set(map(id, _docstrings(tree)))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in hidden:
            continue
        if isinstance(node.value, str):
            for number, line in enumerate(node.value.splitlines()):
                yield f"{path.relative_to(ROOT)}:{node.lineno + number}", line


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        yield f"{path.relative_to(ROOT)}:{number}", line


def _texts(name: str) -> Iterator[tuple[str, str]]:
    if name == "plugins":
        for folder in ("plugins", "extensions/eda/plugins"):
            for path in sorted((ROOT / folder).rglob("*.py")):
                yield from _strings(path)
        for path in sorted((ROOT / "plugins").rglob("*.yml")):
            yield from _lines(path)
        return
    patterns = {
        "roles": ["roles/**/*.yml", "roles/*/README.md"],
        "playbooks": ["playbooks/**/*.yml", "extensions/eda/rulebooks/*.yml"],
        "documents": ["*.md", "docs/**/*.rst", "docs/**/*.md", "changelogs/fragments/*.yml",
                      ".github/**/*.yml", "galaxy.yml", "Makefile"],
    }
    for pattern in patterns[name]:
        for path in sorted(ROOT.glob(pattern)):
            yield from _lines(path)


@pytest.mark.parametrize("where", ["plugins", "roles", "playbooks", "documents"])
def test_users_read_no_word_that_the_field_does_not_use(where: str) -> None:
    texts = list(_texts(where))
    assert len(texts) > 100
    found = [f"{place}: {line.strip()}" for place, line in texts if FORBIDDEN.search(line)]
    assert found == [], f"say it in the field's words: {PHRASES}"


def _example_names() -> Iterator[tuple[str, str]]:
    """The names of tasks in examples, with the files that have them."""
    patterns = ("plugins/modules/*.py", "plugins/lookup/*.py", "plugins/filter/*.yml",
                "docs/docsite/rst/*.rst", "README.md", "roles/*/README.md")  # fmt: skip
    for path in sorted(path for pattern in patterns for path in ROOT.glob(pattern)):
        for name in EXAMPLE_TASK.findall(path.read_text(encoding="utf-8")):
            yield str(path.relative_to(ROOT)), name


def test_names_of_tasks_in_examples_begin_with_a_verb() -> None:
    found = list(_example_names())
    assert len(found) > 200
    assert [one for one in found if one[1].partition(" ")[0] not in VERBS] == []


def test_a_forbidden_word_is_found_and_a_similar_one_is_not() -> None:
    assert FORBIDDEN.search("The route is judged anew")
    assert FORBIDDEN.search("Have it Forgotten")
    assert not FORBIDDEN.search("recommended settings of an indoor server; judder")
