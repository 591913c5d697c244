# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the examples of the documentation: in guides, in READMEs, and in the pages of plugins.

A block of a guide is an example, and so is each task in the EXAMPLES of a plugin. Blocks of the
kinds `text` and `diff` show outputs, or files of other programs. The recipes of
docs/architecture.md are followed by test_recipes.
"""

from __future__ import annotations

import functools
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from harness.paths import ROOT

OUTPUTS = ("text", "diff")
RST = re.compile(
    r"^\.\. code-block:: (\S+)\n(?: +:caption: (\S+)\n)?\n((?:    .*\n|\n)+)", re.MULTILINE
)
MARKDOWN = re.compile(r"^(?:`(\S+)`:\n\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r'^EXAMPLES = r"""\n(.*?)^"""', re.MULTILINE | re.DOTALL)
TASK = re.compile(r"^(?=- )", re.MULTILINE)
PLUGINS = ("plugins/modules", "plugins/lookup", "plugins/inventory", "plugins/filter",
           "extensions/eda/plugins/event_source")  # fmt: skip
# No test installs a package of this machine.
WITHOUT_PACKAGES = {"ansible.builtin.package:": "ansible.builtin.set_fact:"}


@dataclass(frozen=True)
class Example:
    """An example by its page and title; `name` is that of the file that the page gives it."""

    page: str
    title: str
    kind: str
    text: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.page}: {self.title}"

    def on(self, replaced: Mapping[str, str]) -> Example:
        """The same example with what is at hand in the place of what it names."""
        text = self.text
        for written, meant in replaced.items():
            text = text.replace(written, meant)
        return replace(self, text=text)

    def loaded(self) -> Any:
        """Its YAML."""
        return yaml.safe_load(self.text)

    def plays(self, hosts: str = "localhost") -> list[dict[str, Any]]:
        """Its plays; tasks get a play of their own."""
        found: list[dict[str, Any]] = self.loaded()
        if all("hosts" in each for each in found):
            return found
        return [{"name": str(self), "hosts": hosts, "gather_facts": False, "tasks": found}]


def _title(kind: str, name: str, text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = re.match(r"- name: (.+)", lines[0])
    return name or (named[1] if named else lines[0].removeprefix("$ "))


def _of_page(path: Path, page: str) -> Iterator[Example]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".rst":
        found = RST.findall(text)
        assert len(found) == text.count(".. code-block::"), f"{page} has a block of another form"
    else:
        found = [(kind or "bash", name, body) for name, kind, body in MARKDOWN.findall(text)]
    for kind, name, body in found:
        block = textwrap.dedent(body).strip() + "\n"
        if kind not in OUTPUTS:
            yield Example(page, _title(kind, name, block), kind, block, name)


def _of_plugin(path: Path) -> Iterator[Example]:
    """Each task, or each configuration of an inventory plugin."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".yml":
        examples = yaml.safe_load(text)["EXAMPLES"]
    else:
        found = PYTHON.search(text)
        examples = found[1] if found else ""
    separate = re.compile(r"^---\n", re.M) if "inventory" in path.parts else TASK
    for part in separate.split(examples):
        if part.strip():
            yield Example(path.stem, _title("yaml", "", part), "yaml", part)


def _found() -> Iterator[Example]:
    for path in sorted((ROOT / "docs/docsite/rst").glob("*.rst")):
        yield from _of_page(path, path.stem)
    yield from _of_page(ROOT / "docs/site/playbooks.rst", "site/playbooks")
    for path in [ROOT / "README.md", *sorted(ROOT.glob("roles/*/README.md")),
                 *sorted(ROOT.glob("docs/*/README.md"))]:  # fmt: skip
        yield from _of_page(path, str(path.relative_to(ROOT).with_suffix("")))
    for folder in PLUGINS:
        for path in sorted((ROOT / folder).iterdir()):
            if path.suffix == ".yml" or (path.suffix == ".py" and "filter" not in path.parts):
                yield from _of_plugin(path)


@functools.cache
def examples() -> tuple[Example, ...]:
    """All examples; two of a page with one title are numbered."""
    seen: Counter[str] = Counter()
    found = []
    for each in _found():
        seen[str(each)] += 1
        more = f" ({seen[str(each)]})" if seen[str(each)] > 1 else ""
        found.append(replace(each, title=each.title + more))
    return tuple(found)


def of(page: str, *titles: str) -> list[Example]:
    """The examples of a page; with titles, only those whose titles begin so."""
    found = [each for each in examples() if each.page == page]
    assert found, f"{page} has no example"
    if not titles:
        return found
    unknown = [title for title in titles if not any(map(_begins(title), found))]
    assert not unknown, f"{page} has no example {unknown}"
    return [each for each in found if any(each.title.startswith(title) for title in titles)]


def _begins(title: str) -> Callable[[Example], bool]:
    return lambda each: each.title.startswith(title)
