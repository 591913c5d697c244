# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the event source juniper.eda.k8s: its options, and its form of events.

It emits an event at the start, and one for each line that is appended to the file EVENTS, the
name of a changed object.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Emit events until the rulebook ends."""
    events, done = Path(os.environ["EVENTS"]), 0
    (selector,) = args["label_selectors"]
    label, _equals, service = selector.partition("=")
    await queue.put({"type": "INIT_DONE", "resources": {"kind": "EndpointSliceList", "items": []}})
    while True:
        names = events.read_text().splitlines()
        for name in names[done:]:
            labels = {label: service}
            metadata = {"name": name, "namespace": args["namespace"], "labels": labels}
            about = {"apiVersion": args["api_version"], "kind": args["kind"]}
            await queue.put({"type": "MODIFIED", "resource": {**about, "metadata": metadata}})
        done = len(names)
        await asyncio.sleep(0.05)
