# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one of the project's commands; `make help` lists them."""

from __future__ import annotations

import sys

from tools import workspace


def main(command: str) -> int:
    """Run `command` and return the exit status."""
    if command == "collection":
        print(workspace.collection().relative_to(workspace.ROOT))
        return 0
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except workspace.Broken as error:
        sys.exit(f"tools: {error}")
