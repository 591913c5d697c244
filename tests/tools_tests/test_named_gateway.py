# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the gateway that integration tests are given is said in one line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from harness.paths import ROOT


def _closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(("proxy_url", "message"), [
    ("", "set KONG_PROXY_URL to its proxy"), ("http://127.0.0.1:1", "does not respond"),
])
def test_a_gateway_that_is_not_named_well_is_refused(proxy_url: str, message: str) -> None:
    named = {
        "KONG_ADMIN_URL": f"http://127.0.0.1:{_closed_port()}", "KONG_PROXY_URL": proxy_url,
        "PYTHONPATH": str(ROOT / "tests"),
    }
    command = [sys.executable, "-m", "pytest", "--collect-only", "tests/integration/test_deck.py"]
    found = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **named}, capture_output=True, text=True, check=False
    )
    assert found.returncode == pytest.ExitCode.USAGE_ERROR
    assert message in found.stderr
    assert "Traceback" not in found.stdout + found.stderr
