# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follows a page of the documentation as a reader does: writes its files, runs its commands.

A YAML block with a name is a file; in a block of a console, lines that begin with `$` are
commands, and the lines below each one are its output. `…` stands for any text.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import textwrap
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from harness.paths import BINARIES
from harness.playbook import environment_of

# Seconds within which a proxy follows a change, and in which a command ends.
PATIENCE = 30.0
LIMIT = 120.0
_RST = re.compile(
    r"^\.\. code-block:: (yaml|console|diff)\n(?: +:caption: (\S+)\n)?\n((?:    .*\n|\n)+)", re.M
)
_MARKDOWN = re.compile(r"^(?:`(\S+)`:\n\n)?```(yaml|console)\n(.*?)^```$", re.M | re.S)
_EXPORT = re.compile(r"export ([A-Z_]+)=(\S+)")


@dataclass(frozen=True)
class Step:
    """A file to write (`name`), or a command (`command`) and the lines that it prints."""

    name: str = ""
    text: str = ""
    command: str = ""


def commands(block: str) -> Iterator[Step]:
    """Return the commands of a console with their output; any, where the block shows none."""
    lines = re.sub(r"\\\n(?:> |\s+)", "", block).splitlines()
    shown = any(line.strip() and not line.startswith("$ ") for line in lines)
    command, output = "", ""
    for line in lines:
        if line.startswith("$ "):
            if command:
                yield Step(command=command, text=output if shown else "…")
            command, output = line[2:], ""
        else:
            output += line + "\n"
    if command:
        yield Step(command=command, text=output if shown else "…")


def steps(page: str) -> Iterator[Step]:
    """Return what a page in reStructuredText or Markdown asks its reader to do, in order."""
    found = [(kind, name, textwrap.dedent(text)) for kind, name, text in _RST.findall(page)]
    found += [(kind, name, text) for name, kind, text in _MARKDOWN.findall(page)]
    for kind, name, text in found:
        if kind == "console":
            yield from commands(text)
        elif name:
            yield Step(name=name, text=text)


def _normal(text: str) -> str:
    lines = (re.sub(r"\*{3,}", "***", " ".join(line.split())) for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("[WARNING]"))


def agrees(printed: str, documented: str) -> bool:
    """Whether a command printed what the page says."""
    pattern = re.escape(_normal(documented)).replace("…", "(?:.|\n)*?")
    return re.fullmatch(pattern, _normal(printed)) is not None


@dataclass
class Walk:
    """A reader at work in `folder`; `replaced` maps addresses of the page to those at hand."""

    folder: Path
    replaced: Mapping[str, str]
    environment: dict[str, str] = field(init=False)
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.environment = environment_of(self.folder)
        self.environment["PATH"] = f"{BINARIES}{os.pathsep}{self.environment['PATH']}"

    def take(self, step: Step) -> None:
        """Do a step; raises AssertionError where it comes to something else than the page says."""
        text, command = self._here(step.text), self._here(step.command)
        if step.name:
            (self.folder / step.name).write_text(text, encoding="utf-8")
        elif found := _EXPORT.fullmatch(command):
            self.environment[found[1]] = found[2]
        elif command.endswith("&"):
            self._start(command.removesuffix("&"))
        else:
            self._prove(command, text)

    def _here(self, text: str) -> str:
        for written, meant in self.replaced.items():
            text = text.replace(written, meant)
        return text

    def _start(self, command: str) -> None:
        self._started.append(
            subprocess.Popen(
                ["bash", "-c", f"exec {command}"], cwd=self.folder, env=self.environment,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            )
        )

    def _prove(self, command: str, documented: str) -> None:
        """Run a command; one that asks a proxy is repeated until the proxy has followed."""
        deadline = time.monotonic() + (PATIENCE if "curl" in command else 0)
        while True:
            done = subprocess.run(
                ["bash", "-c", command], cwd=self.folder, env=self.environment, timeout=LIMIT,
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            )
            if done.returncode == 0 and agrees(done.stdout, documented):
                return
            assert time.monotonic() < deadline, f"{command}\n{done.stdout}\n{done.stderr}"
            time.sleep(0.5)

    def close(self) -> None:
        """End what the page started."""
        for process in self._started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()
