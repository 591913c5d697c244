# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox below a master process: with the signals that its parent has blocked."""

from __future__ import annotations

import signal
import sys

from image.kong.launch import FROM_STRING
from image.kong.master import log
from sandbox.__main__ import main
from sandbox.options import Refused, Unloadable


def tell(refused: Refused) -> None:
    """Say why there is no gateway, of a declarative document in the gateway's words."""
    if not isinstance(refused, Unloadable):
        print(refused, file=sys.stderr)
        return
    what = f"config file {refused.path}"
    if refused.path.name == FROM_STRING:
        what = f"string {refused.path.read_text('utf-8')}"
    log("error", f"init_by_lua error: error parsing declarative {what}:\n{refused.reason}")


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    sys.exit(main(tell))
