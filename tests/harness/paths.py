# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the tests find the project's files and the collection as it is installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = Path(os.environ.get("KONG_TEST_COLLECTIONS", ROOT / ".build/collections"))
COLLECTION = COLLECTIONS / "ansible_collections/irishtek/kong"
# The tests' own Python has Ansible beside it.
BINARIES = Path(sys.executable).parent
