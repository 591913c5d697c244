# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures one `kong_state` task in this process: `python -m benchmark.one_task URL FILE`.

The file is read as the action plugin does, and the operation is run as both doors do. Prints one
line of JSON: `seconds`, and `memory` in KiB that this process took at its peak.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import time
from pathlib import Path
from typing import Any

from ansible_collections.irishtek.kong.plugins.plugin_utils._state_files import read_state
from harness.engine import Engine
from harness.gateway import Gateway


def _peak() -> int:
    """KiB; where there is /proc, without what the process had been before it was this program."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text() if status.exists() else "")
    return int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def measure(admin_url: str, file: str) -> dict[str, Any]:
    """Bring the gateway to the file; the file has no placeholders and nothing encrypted."""
    token = os.environ.get("KONG_ADMIN_TOKEN", "")
    engine = Engine(Gateway(admin_url, proxy_url="", token=token, is_sandbox=False))
    start = time.perf_counter()
    content = read_state([file], _text, {}, str)
    result = engine("kong_state", content=content, state="synced", diff=False)
    seconds = time.perf_counter() - start
    if result.get("failed"):
        sys.exit(str(result["msg"]))
    return {"seconds": seconds, "memory": _peak()}


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:])))
