# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What demonstrations share: named steps, each of which proves what it says."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import httpx

from harness.paths import ROOT
from harness.playbook import Run
from harness.processes import NotReady

# Seconds within which the gateway's proxy has to follow a change.
PATIENCE = 30.0
PAUSE = 0.2

Stage = TypeVar("Stage")


class Unproven(Exception):
    """A step did not show what it says; the message tells what was seen instead."""


def say(text: str) -> None:
    """Print a line of a step at once, also into a pipe."""
    print(f"   {text}", flush=True)


def prove(shown: bool, otherwise: str) -> None:
    """Raise `Unproven` unless the step showed what it says."""
    if not shown:
        raise Unproven(otherwise)


def say_command(playbook: str | Path, *options: str) -> None:
    """Print what a user would type."""
    shown = playbook.relative_to(ROOT) if isinstance(playbook, Path) else playbook
    say(" ".join(["$ ansible-playbook", str(shown), *options]))


def succeeded(run: Run) -> Run:
    """The run, which has to have succeeded."""
    prove(run.rc == 0, f"ansible-playbook ended with status {run.rc}:\n{run.stdout}")
    return run


def answers(
    proxy_url: str, count: int, right: Callable[[Sequence[str]], bool], wanted: str
) -> None:
    """Send GET /api until `count` responses in a row are `right`, and print which servers they
    are from.

    The proxy follows a change later than the API; after PATIENCE seconds it is Unproven.
    """
    say(f"{count} times GET {proxy_url}/api:")
    deadline = time.monotonic() + PATIENCE
    with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
        while True:
            names = [_ask(client, proxy_url) for number in range(count)]
            if right(names):
                say(" ".join(names))
                return
            prove(time.monotonic() < deadline, f"not {wanted}: {' '.join(names)}")
            time.sleep(PAUSE)


def alternates(proxy_url: str, servers: set[str]) -> None:
    """Prove that the servers take turns."""
    answers(
        proxy_url, 8,
        lambda seen: set(seen) == servers
        and all(seen[number] != seen[number + 1] for number in range(len(seen) - 1)),
        "alternating",
    )  # fmt: skip


def _ask(client: httpx.Client, proxy_url: str) -> str:
    answer = client.get(f"{proxy_url}/api")
    return str(answer.headers.get("X-Echo-Server", f"status-{answer.status_code}"))


def demonstrate(
    title: str,
    opened: Callable[[], AbstractContextManager[Stage]],
    steps: Sequence[Callable[[Stage], None]],
) -> int:
    """Run all steps on the stage; the program's status."""
    print(f"{title}\n", flush=True)
    try:
        with opened() as stage:
            for number, step in enumerate(steps, 1):
                print(f"\n{number}. {step.__doc__}", flush=True)
                step(stage)
    except (Unproven, NotReady, httpx.HTTPError) as error:
        print(f"\nThe demonstration failed: {error}", file=sys.stderr)
        return 1
    print(f"\nAll {len(steps)} steps showed what they say.")
    return 0
