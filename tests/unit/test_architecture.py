# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrows point inwards, files and functions stay small, and the sandbox stays independent."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._connection_options import CONNECTION
from unit.recordings import TESTS, VERSIONS, schemas

ROOT = TESTS.parent
ENGINE = ROOT / "plugins" / "module_utils"
PREFIX = "ansible_collections.irishtek.kong.plugins."
LONGEST_FILE, LONGEST_FUNCTION = 400, 40
TEXTS = ("DOCUMENTATION", "EXAMPLES", "RETURN")

# Each part, and the parts that it may know of; the table reads from the inside out.
ARROWS: dict[str, set[str]] = {
    # What the role gateway does on its hosts, which have no part of the engine.
    "_gateway_role": set(),
    "_errors": set(),
    "_secret_names": set(),
    "_address": {"_errors"},
    "_entities": {"_errors", "_address", "_secret_names"},
    "_schema": set(),
    "_spelling": {"_errors", "_schema"},
    "_values": {"_entities", "_errors"},
    "_secrets": {"_entities", "_errors", "_schema", "_secret_names", "_values"},
    "_freeform": {"_entities", "_errors", "_schema", "_secret_names", "_values"},
    "_partials": {"_entities", "_errors", "_freeform", "_schema"},
    "_plan": {"_entities", "_errors", "_schema", "_secrets", "_values"},
    "_parallel": {"_errors"},
    "_deadline": {"_errors"},
    "_sender": {"_deadline"},
    "_transport": {"_deadline", "_errors", "_sender"},
    "_process": set(),
    "_shares": set(),
    "_connection": {"_errors", "_transport"},
    "_connection_options": {"_connection", "_entities", "_errors", "_secret_names"},
    "_exchange": {"_connection", "_deadline", "_parallel", "_shares", "_transport"},
    "_retries": {"_connection", "_deadline", "_errors"},
    "_client": {"_connection", "_deadline", "_errors", "_retries", "_sender", "_transport"},
    "_gateway": {
        "_client", "_connection", "_entities", "_errors", "_parallel", "_plan", "_schema",
        "_values",
    },
    "_apply": {
        "_entities", "_errors", "_freeform", "_gateway", "_parallel", "_partials", "_plan",
        "_schema", "_secrets", "_spelling", "_values",
    },
    "_predict": {"_entities", "_errors", "_gateway", "_partials", "_plan", "_schema", "_values"},
    "_argspec": {
        "_connection_options", "_entities", "_errors", "_secret_names", "_spelling", "_values",
    },
    "_document": {
        "_apply", "_entities", "_errors", "_freeform", "_gateway", "_parallel", "_partials",
        "_plan", "_schema", "_secrets", "_spelling", "_values",
    },
    "_operations": {
        "_address", "_apply", "_argspec", "_deadline", "_document", "_entities",
        "_errors", "_exchange", "_freeform", "_gateway", "_parallel", "_plan", "_predict",
        "_process", "_schema", "_secret_names", "_secrets", "_shares", "_spelling", "_transport",
        "_values",
    },
    "_module": {
        "_argspec", "_client", "_connection", "_connection_options", "_errors", "_gateway",
        "_operations", "_predict", "_secrets", "_transport",
    },
}  # fmt: skip
MAY_KNOW_HTTPX = {"_client", "_exchange", "_sender", "_transport"}
MAY_KNOW_ANSIBLE = {"_argspec", "_connection_options", "_module"}
# Reading the gateway's answers and files is left to the parts that are named for it.
PURE = {
    "_errors", "_secret_names", "_address", "_entities", "_schema", "_spelling", "_values",
    "_secrets", "_freeform", "_plan", "_shares",
}  # fmt: skip
IMPURE = {"os", "time", "threading", "socket", "subprocess", "random", "pathlib", "requests"}


def _sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "/." not in str(path.relative_to(ROOT)))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(path, node)
            yield from (origin + alias.name for alias in node.names)


def _origin(path: Path, node: ast.ImportFrom) -> str:
    """What stands before an imported name; a relative import of the engine by its full name."""
    module = f"{node.module}." if node.module else ""
    if not node.level or not path.is_relative_to(ENGINE):
        return "." * node.level + module
    package = path.parents[node.level - 1].relative_to(ROOT / "plugins").parts
    return f"{PREFIX}{'.'.join(package)}.{module}"


def _part(path: Path) -> str:
    return path.relative_to(ENGINE).parts[0].removesuffix(".py")


ENGINE_FILES = _sources("plugins/module_utils")


def test_the_table_of_arrows_names_every_part() -> None:
    assert {_part(path) for path in ENGINE_FILES} - {"__init__"} == set(ARROWS)


def test_no_arrow_comes_back() -> None:
    inner: set[str] = set()
    for part, known in ARROWS.items():
        assert known <= inner, f"{part} knows of what lies further out"
        inner.add(part)


@pytest.mark.parametrize("path", ENGINE_FILES, ids=lambda path: str(path.relative_to(ENGINE)))
def test_arrows_point_inwards(path: Path) -> None:
    part = _part(path)
    for name in _imports(path):
        if name.startswith(f"{PREFIX}module_utils."):
            other = name.removeprefix(f"{PREFIX}module_utils.").partition(".")[0]
            assert other == part or other in ARROWS[part], f"{part} must not know {other}"
            continue
        top = name.partition(".")[0]
        assert top != "ansible_collections", f"{part} imports {name}"
        assert top not in ("httpx", "httpcore") or part in MAY_KNOW_HTTPX
        assert top != "ansible" or part in MAY_KNOW_ANSIBLE
        assert top not in IMPURE or part not in PURE, f"{part} must stay pure, without {top}"


def test_unused_arrows_are_not_kept_in_the_table() -> None:
    used: dict[str, set[str]] = {part: set() for part in ARROWS}
    for path in ENGINE_FILES:
        for name in _imports(path):
            if name.startswith(f"{PREFIX}module_utils."):
                used[_part(path)].add(name.split(".")[5])
    assert {part: names - {part} for part, names in used.items()} == ARROWS


@pytest.mark.parametrize("path", _sources("tests/sandbox"), ids=lambda path: path.name)
def test_the_sandbox_shares_nothing_with_what_it_tests(path: Path) -> None:
    shared = [name for name in _imports(path) if name.startswith(("ansible", "plugins", ".."))]
    assert shared == []
    assert "plugins/module_utils" not in path.read_text()


def _texts(tree: ast.Module) -> set[int]:
    """Lines that are documentation: docstrings, and the texts of modules."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        found: Any = None
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            documented = ast.get_docstring(node, clean=False) is not None
            found = first if documented else None
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found = node if node.targets[0].id in TEXTS else None
        if found is not None:
            lines.update(range(found.lineno, (found.end_lineno or found.lineno) + 1))
    return lines


def _code_lines(source: str) -> set[int]:
    """Lines with code: not blank, not only a comment, not documentation."""
    blank = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
             tokenize.ENDMARKER)  # fmt: skip
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in blank:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines - _texts(ast.parse(source))


@pytest.mark.parametrize(
    "path", _sources("plugins", "tests", "roles"), ids=lambda path: str(path.relative_to(ROOT))
)
def test_files_and_functions_stay_small(path: Path) -> None:
    source = path.read_text()
    lines = _code_lines(source)
    assert len(lines) < LONGEST_FILE
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            own = lines & set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            assert len(own) < LONGEST_FUNCTION, f"{node.name} has {len(own)} lines of code"


def test_the_role_gateways_python_stays_small() -> None:
    """Lines of code of what it decides and does; the tables of Kong's names and keys are data."""
    paths = [path for path in _sources("plugins") if "_gateway_role" in path.parts]
    paths += [path for path in _sources("plugins/modules", "plugins/filter")
              if path.name.startswith("gateway_")]
    lines = {path: len(_code_lines(path.read_text())) for path in paths}
    assert len(lines) > 10
    assert sum(count for path, count in lines.items() if path.name != "_tables.py") <= 900


@pytest.mark.parametrize("path", _sources("plugins", "tests", "roles"), ids=lambda path: path.name)
def test_every_file_says_whose_it_is_and_under_which_licence(path: Path) -> None:
    head = path.read_text().removeprefix("#!/usr/bin/python\n")
    if not head.strip():
        return
    is_private = path.is_relative_to(ENGINE) or path.is_relative_to(ENGINE.parent / "plugin_utils")
    owner, *statement = head.splitlines()[: 2 if is_private else 3]
    assert owner == "# Copyright: (c) 2026, the irishtek.kong authors"
    assert is_private or statement[0].startswith("# GNU General Public License v3.0+")
    assert statement[-1] == "# SPDX-License-Identifier: GPL-3.0-or-later"
    code = [node for node in ast.parse(head).body if not isinstance(node, ast.Expr)]
    assert not code or "from __future__ import annotations" in head


def test_names_say_what_is_private_to_the_collection() -> None:
    paths = _sources("plugins/module_utils", "plugins/plugin_utils")
    assert [path.name for path in paths if not path.name.startswith("_")] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_connection_options_share_no_name_with_a_gateway_field(version: str) -> None:
    fields = {
        name
        for schema in schemas(version).values()
        for entry in schema.get("fields") or ()
        for name in entry
    }
    assert len(fields) > 50
    assert fields & set(CONNECTION) == set()


def test_a_module_is_documentation_and_a_call() -> None:
    for path in _sources("plugins/modules"):
        assert len(_code_lines(path.read_text())) <= 25, path.name
