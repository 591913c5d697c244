# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a URL until a file is gone: `watch.py URL FILE`.

It makes FILE when it begins, and when that is removed it writes FILE.seen: how often it `asked`,
and what `failed`, with the seconds since it began.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from pathlib import Path

# Nobody waits for an answer longer, and nobody watches longer, in seconds.
PATIENCE, MOST = 10.0, 600.0
PAUSE = 0.1


def main(url: str, mark: Path) -> int:
    """Watch until told to stop."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    began, asked = time.monotonic(), 0
    failed: list[str] = []
    mark.touch()
    while mark.exists() and time.monotonic() < began + MOST:
        asked += 1
        try:
            opener.open(url, timeout=PATIENCE).close()
        except OSError as error:
            failed.append(f"{time.monotonic() - began:.1f} s: {error}")
        time.sleep(PAUSE)
    # A scenario that was ended has no place for it any more.
    if mark.parent.exists():
        draft = mark.with_name(f"{mark.name}.draft")
        draft.write_text(json.dumps({"asked": asked, "failed": failed}), encoding="utf-8")
        draft.rename(f"{mark}.seen")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
