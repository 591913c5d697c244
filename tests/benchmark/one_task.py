# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures one `kong_state` task in this process: `python -m benchmark.one_task URL FILE`.

The file is read as the action plugin does, and the operation is run as in a task. Prints the
seconds that this took; the imports before are not part of it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from ansible_collections.irishtek.kong.plugins.plugin_utils._state_files import read_state
from harness.engine import Engine, operation_of
from harness.gateway import Gateway


def _text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def measure(admin_url: str, file: str) -> float:
    """Bring the gateway to the file; the file has no placeholders and nothing encrypted."""
    token = os.environ.get("KONG_ADMIN_TOKEN", "")
    engine = Engine(Gateway(admin_url, proxy_url="", token=token, is_sandbox=False))
    # Its module imports half of Ansible, which a playbook has done before its first task.
    operation_of("kong_state")
    start = time.perf_counter()
    content = read_state([file], _text, {}, str)
    result = engine("kong_state", content=content, state="synced", diff=False)
    seconds = time.perf_counter() - start
    if result.get("failed"):
        sys.exit(str(result["msg"]))
    return seconds


if __name__ == "__main__":
    print(measure(*sys.argv[1:]))
