# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that start processes and leave none behind, however they end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType

from tools.processes import adopt_orphans, end_orphans

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Proxies of the environment are not for this machine's own servers.
DIRECT = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


def _stop(number: int, frame: FrameType | None) -> None:
    # A second signal must not interrupt the cleaning up that the first one began.
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    sys.exit(128 + number)


def run_program(work: Callable[[], int]) -> int:
    """Run `work` and return its status; 128 + n after signal n, 1 if it left processes behind.

    A signal becomes SystemExit in `work`, whose clean-up is then not interrupted by another one.
    """
    for ending in ENDINGS:
        signal.signal(ending, _stop)
    adopt_orphans()
    try:
        status = work()
    finally:
        left = end_orphans()
    if left:
        print(f"ended what was left running: {left}", file=sys.stderr)
        return status or 1
    return status
