# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs parts side by side; a failing one does not stop the others."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tools import processes, report
from tools.parts import Job, Part, Skip
from tools.workspace import BUILD, Broken, locked

# One for each core; more than four would want more memory than such machines have.
AT_A_TIME = max(2, min(4, os.cpu_count() or 2))
LINES_OF_SUCCESS = 20


def _one(part: Part, running: processes.Processes, log: Path) -> tuple[report.Result, str]:
    """Run one part; return its result and its output."""
    with locked(f"part-{part.name}"):
        log.write_text("")
        result = _attempt(part, running, log)
        return result, log.read_text(errors="replace")


def _attempt(part: Part, running: processes.Processes, log: Path) -> report.Result:
    started, reason = time.monotonic(), ""
    try:
        counts = part.work(Job(running, log))
    except Skip as skip:
        counts, reason = report.SKIPPED, str(skip)
    except Broken as error:
        counts, reason = report.FAILED, str(error)
    except Exception as error:  # a part's own mistake must not hide what the others find
        counts, reason = report.FAILED, f"{type(error).__name__}: {error}"
        with log.open("a") as output:
            traceback.print_exc(file=output)
    return report.Result(part.name, counts, time.monotonic() - started, reason)


def _show(result: report.Result, output: str) -> None:
    """Print all of a failed part's output, and the end of another's."""
    told = f" ({result.reason})" if result.reason else ""
    print(f"==== {result.part}: {result.counts.verdict} in {result.seconds:.1f} s{told}")
    lines = output.splitlines()
    shown = lines if result.counts.failed else lines[-LINES_OF_SUCCESS:]
    print(*shown, sep="\n", flush=True)


def run(parts: Sequence[Part], at_a_time: int = AT_A_TIME, may_skip: bool = False) -> int:
    """Run the parts, show each one's output when it ends, then table and summary line.

    Return 0 only where nothing failed and something passed, or with `may_skip` was skipped.
    """
    logs = BUILD / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    (BUILD / "reports").mkdir(exist_ok=True)
    running = processes.Processes()
    processes.adopt_orphans()
    results = []
    pool = ThreadPoolExecutor(at_a_time)
    try:
        futures = [pool.submit(_one, part, running, logs / f"{part.name}.log") for part in parts]
        for future in as_completed(futures):
            result, output = future.result()
            results.append(result)
            _show(result, output)
    finally:
        running.stop()
        pool.shutdown(cancel_futures=True)
        for command in processes.end_orphans():
            print(f"ended what a part had left running: {command}")
    order = [part.name for part in parts]
    results.sort(key=lambda result: order.index(result.part))
    total = report.total(results)
    print(report.table(results), total, sep="\n\n", flush=True)
    return 0 if total.verdict in ("passed", *["skipped"] * may_skip) else 1
