# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the manifest of a Kubernetes secret from files, so that no other program sees a key.

It runs on managed hosts: Python 3.9 or newer. The files are read from the working directory and
become the secret's data under their names; the manifest is readable by its owner only.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
from pathlib import Path


def main() -> None:
    """Write the manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frame", required=True, help="the manifest without its data, as JSON")
    parser.add_argument("--output", required=True)
    parser.add_argument("files", nargs="+")
    words = parser.parse_args()
    data = {name: base64.b64encode(Path(name).read_bytes()).decode() for name in words.files}
    Path(words.output).unlink(missing_ok=True)
    with os.fdopen(os.open(words.output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({**json.loads(words.frame), "data": data}, file)


main()
