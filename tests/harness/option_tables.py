# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of options in a role's README, as its argument specs have them.

`PYTHONPATH=tests python -m harness.option_tables` writes them anew into the READMEs: the first
table of options belongs to the first entry point of the specs, the second to the second.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from harness.paths import ROOT

ROLES = sorted(path.parent.parent for path in ROOT.glob("roles/*/meta/argument_specs.yml"))
HEAD = "| variable | type | default | meaning |\n|---|---|---|---|\n"
TABLE = re.compile(re.escape(HEAD) + r"(?:\|.*\|\n)*")


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _default(spec: Mapping[str, Any]) -> str:
    """The default; empty where it is an empty text, or where there is none."""
    value = spec.get("default", "")
    if isinstance(value, str):
        return _code(value) if value else ""
    dumped = yaml.safe_dump(value, default_flow_style=True, width=10_000)
    return _code(dumped.removesuffix("...\n").strip())


def _type(spec: Mapping[str, Any]) -> str:
    return f"list of {spec['elements']}" if spec["type"] == "list" else str(spec["type"])


def _sentences(spec: Mapping[str, Any]) -> str:
    """The description in Markdown."""
    told = spec["description"]
    text = " ".join([told] if isinstance(told, str) else told)
    return re.sub(r"\b[VOC]\(([^()]*)\)", lambda found: f"`{found[1]}`", text).replace("|", "\\|")


def _meaning(spec: Mapping[str, Any]) -> str:
    words = [_sentences(spec)]
    if choices := [str(choice) for choice in spec.get("choices", []) if choice != ""]:
        words.append(f"One of {', '.join(map(_code, choices))}.")
    for name, part in spec.get("options", {}).items():
        needed = ", needed" if part.get("required") else ""
        words.append(f"{_code(name)} ({_type(part)}{needed}): {_sentences(part)}")
    return " ".join(words)


def table(options: Mapping[str, Mapping[str, Any]]) -> str:
    """The table of an entry point's options."""
    rows = (
        f"| {_code(name)} | {_type(spec)} | {_default(spec)} | {_meaning(spec)} |\n"
        for name, spec in options.items()
    )
    return HEAD + "".join(rows)


def wanted(role: Path) -> list[str]:
    """The tables that the README of the role in this folder has to hold."""
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))
    return [table(entry_point["options"]) for entry_point in specs["argument_specs"].values()]


def found(role: Path) -> list[str]:
    """The tables that it holds."""
    return TABLE.findall((role / "README.md").read_text(encoding="utf-8"))


def write(role: Path) -> None:
    """Write the tables into the README anew."""
    tables = iter(wanted(role))
    readme = role / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(TABLE.sub(lambda old: next(tables), text), encoding="utf-8")


if __name__ == "__main__":
    for folder in ROLES:
        if found(folder):
            write(folder)
