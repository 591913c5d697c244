# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox below a master process: with the signals that its parent has blocked."""

from __future__ import annotations

import signal
import sys

from sandbox.__main__ import main

if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    sys.exit(main())
