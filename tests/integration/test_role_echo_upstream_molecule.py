# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's molecule scenario: converge, idempotence, verify and cleanup of both entry points."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from harness.gateway import Gateway
from harness.paths import BINARIES, COLLECTIONS, ROOT

MOLECULE = BINARIES / "molecule"


@pytest.mark.skipif(not MOLECULE.exists(), reason="molecule is not installed beside pytest")
def test_scenario_passes(gateway: Gateway, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_NOCOLOR": "1",
        "KONG_ADMIN_TOKEN": gateway.token,
        "KONG_ADMIN_URL": gateway.admin_url,
        "KONG_ECHO_HOST": gateway.echo_host,
        "KONG_PROXY_URL": gateway.proxy_url,
        "MOLECULE_EPHEMERAL_DIRECTORY": str(tmp_path),
        "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        [MOLECULE, "test", "--scenario-name", "echo_upstream"],
        cwd=ROOT / "extensions", env=environment, stdin=subprocess.DEVNULL, timeout=240,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )
    assert done.returncode == 0, done.stdout
