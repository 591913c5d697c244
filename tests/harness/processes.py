# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that tests start: one process each, ended by its own id."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from harness.paths import ROOT

# Seconds that a server may take to say that it is ready, or to end.
PATIENCE = 30.0


class NotReady(Exception):
    """A server ended or stayed silent instead of saying that it is ready."""


def _drain(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _ready_line(lines: queue.Queue[str | None], pattern: str) -> re.Match[str]:
    said = ""
    while True:
        try:
            line = lines.get(timeout=PATIENCE)
        except queue.Empty:
            raise NotReady(f"said nothing that matches {pattern!r}: {said}") from None
        if line is None:
            raise NotReady(f"ended early: {said}")
        said += line
        if found := re.search(pattern, line):
            return found


@contextmanager
def server(
    arguments: Sequence[str | Path], ready: str, environment: Mapping[str, str] | None = None
) -> Iterator[re.Match[str]]:
    """Run a Python program until the block ends; yield the match of its line that says `ready`."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT, env={**os.environ, **(environment or {})}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    lines: queue.Queue[str | None] = queue.Queue()
    # What it says later is read, too: a full pipe would stop it.
    threading.Thread(target=_drain, args=(process.stdout, lines), daemon=True).start()
    try:
        yield _ready_line(lines, ready)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
