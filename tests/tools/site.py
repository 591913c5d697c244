# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the documentation's site: the start page and guides of docs/, the heads of the playbooks,
and a page a plugin."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.workspace import BUILD, ROOT

SITE = BUILD / "site"
SOURCES = BUILD / "site-sources"
START = ROOT / "docs/site"
# The generated index repeats the guides, which the start page has in their order.
REPEATED = re.compile(r"^\.\. _changelog_section_for_.*?(?=^\.\. _plugin_index_for_)", re.M | re.S)

TITLE = re.compile(r"^Irishtek\.Kong\n=+$", re.M)
# A page a plugin: the menu names it, and leaves what it does to the page.
LISTED = re.compile(r"^    (\w+)_(module|filter|lookup|inventory|role)$", re.M)

# A playbook's head: the comment that says what it does and lists its variables, indented.
HEAD = re.compile(r"^---\n((?:#.*\n)+)", re.M)
MARKUP = re.compile(r"([\\*`_|])")

# Runs a command in a folder and returns its exit status.
Tool = Callable[[Sequence[str | Path], Path], int]


def _generate(tool: Tool) -> int:
    shutil.rmtree(SOURCES, ignore_errors=True)
    # antsibull-docs refuses a folder that others may write.
    SOURCES.mkdir(parents=True, mode=0o700)
    command: list[str | Path] = ["antsibull-docs", "collection", "--use-current"]
    command += ["--squash-hierarchy", "--fail-on-error", "--cleanup", "everything"]
    return tool([*command, "--dest-dir", SOURCES, "irishtek.kong"], ROOT)


def _add_start_page() -> None:
    generated = SOURCES / "index.rst"
    text = REPEATED.sub("", generated.read_text(encoding="utf-8"))
    text = TITLE.sub("Modules, roles and plugins\n==========================", text)
    text = LISTED.sub(r"    \1 (\2) <\1_\2>", text).replace(" (module) <", " <")
    (SOURCES / "reference.rst").write_text(text, encoding="utf-8")
    shutil.copy2(START / "index.rst", generated)


def _as_rst(head: str) -> str:
    """A playbook's head with its prose as text, and its indented parts as they stand."""
    parts = re.sub(r"^# ?", "", head, flags=re.M).strip("\n").split("\n\n")
    return "\n\n".join(
        "::\n\n" + textwrap.indent(part, "  ")
        if part.startswith("  ")
        else MARKUP.sub(r"\\\1", part)
        for part in parts
    )


def _add_playbooks() -> None:
    text = (START / "playbooks.rst").read_text(encoding="utf-8")
    for path in sorted((ROOT / "playbooks").glob("*.yml")):
        name = f"irishtek.kong.{path.stem}"
        found = HEAD.search(path.read_text(encoding="utf-8"))
        assert found, f"{path} has no head"
        text += f"\n{name}\n{'-' * len(name)}\n\n{_as_rst(found[1])}\n"
    (SOURCES / "playbooks.rst").write_text(text, encoding="utf-8")


def build(tool: Tool) -> int:
    """Build `.build/site` without a network; a warning is a failure. Return the exit status."""
    if status := _generate(tool):
        return status
    _add_start_page()
    _add_playbooks()
    shutil.rmtree(SITE, ignore_errors=True)
    command: list[str | Path] = ["sphinx-build", "-b", "html", "-W", "--keep-going", "-q"]
    command += ["-d", BUILD / "site-doctrees", "-E", "-j", "2", "-c", START]
    return tool([*command, SOURCES, SITE], ROOT)
