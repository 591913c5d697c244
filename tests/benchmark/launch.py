# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a program and writes what it took: `python launch.py REPORT LIMIT PROGRAM [ARGUMENT …]`.

A process begins with the peak of memory of the one that started it, so that a large program cannot
measure a small one: this one is small. REPORT gets JSON, `seconds` and `memory` in KiB; the exit
status is the program's, or 124 when it was stopped after LIMIT seconds.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time


def launch(report: str, limit: str, *command: str) -> int:
    """Run `command`; the peak is that of its largest process."""
    start = time.perf_counter()
    try:
        status = subprocess.run(command, timeout=float(limit), check=False).returncode
    except subprocess.TimeoutExpired:
        status = 124
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    with open(report, "w", encoding="utf-8") as file:
        json.dump({"seconds": seconds, "memory": memory}, file)
    return status


if __name__ == "__main__":
    sys.exit(launch(*sys.argv[1:]))
