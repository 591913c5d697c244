# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""decK, the other client of state files, where a `deck` is on the PATH."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from harness.gateway import Gateway
from harness.program import DIRECT

# Why there is nothing to compare with.
MISSING = "no `deck` is on the PATH"


def deck_program() -> str | None:
    """The path of decK."""
    return shutil.which("deck")


def deck_command(program: str, verb: str, file: Path, gateway: Gateway, *more: str) -> list[str]:
    """`deck gateway VERB` on `gateway` with one file, without telling its makers about it."""
    where = ["--kong-addr", gateway.admin_url, "--analytics=false"]
    return [program, "gateway", verb, str(file), *where, *more]


def deck_environment(gateway: Gateway, folder: Path) -> dict[str, str]:
    """Without settings of decK's that somebody made for something else; `folder` is its home."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DECK_", "KONG_", "KONNECT_"))
    }
    # Older versions know the token as a header only; the environment keeps it off the process list.
    token = {"DECK_HEADERS": f"Kong-Admin-Token:{gateway.token}"} if gateway.token else {}
    return {**kept, **DIRECT, **token, "HOME": str(folder)}
