# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status port: `/status` as on the Admin API, and `/status/ready`."""

from __future__ import annotations

from collections.abc import Callable

from .about import About
from .reconfigure import NONE_LOADED
from .resources import Answer, Call, Resource

NOT_READY = "no configuration available (empty configuration present)"


class Status:
    """Paths of the status port. `running` is the hash of what runs; None: a node that needs none.

    Ready is a node that has something to serve and was not told to drain.
    """

    def __init__(self, about: About, running: Callable[[], str] | None) -> None:
        self.about = about
        self.running = running
        self.draining = False

    def find(self, segments: list[str]) -> Resource | None:
        """The resource at decoded path segments."""
        if segments == ["status", "ready"]:
            return Resource({"GET": self._ready, "POST": self._drain})
        return self.about.find(segments) if segments == ["status"] else None

    def _ready(self, call: Call) -> Answer:
        if self.draining:
            return 503, {"message": "draining"}
        if self.running is not None and self.running() == NONE_LOADED:
            return 503, {"message": NOT_READY}
        return 200, {"message": "ready"}

    def _drain(self, call: Call) -> Answer:
        if call.body.get("status") != "draining":
            return 400, {"message": "status must be draining"}
        self.draining = True
        return 204, None
