# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`nginx -p PREFIX [-s reload|quit|stop]`: what the packages' systemd units start and steer."""

from __future__ import annotations

import argparse
import os
import pathlib
import signal
import sys

from image.kong.master import Master, running

STEERED = {"reload": signal.SIGHUP, "quit": signal.SIGQUIT, "stop": signal.SIGTERM}


def main() -> int:
    """Exit status: 0, or 1 where there is nothing to serve or to steer."""
    parser = argparse.ArgumentParser(prog="nginx")
    parser.add_argument("-p", type=pathlib.Path, default=pathlib.Path("/usr/local/kong"))
    parser.add_argument("-c", help="accepted and ignored")
    parser.add_argument("-s", choices=sorted(STEERED))
    given = parser.parse_args()
    if given.s is None:
        return Master(given.p).run()
    number = running(given.p)
    if number is None:
        print(f"nginx: [error] nothing runs in {given.p}", file=sys.stderr)
        return 1
    os.kill(number, STEERED[given.s])
    return 0


if __name__ == "__main__":
    sys.exit(main())
