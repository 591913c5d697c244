# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status port: `/status` as on the Admin API, `/status/ready`, and what a balancer does.

The last where no database is, as on real ones: targets and health of upstreams, to be read only.
"""

from __future__ import annotations

from collections.abc import Callable

from .about import About
from .reconfigure import NONE_LOADED
from .resources import Answer, Call, Resource, Resources

NOT_READY = "no configuration available (empty configuration present)"


class Status:
    """Paths of the status port. `running` is the hash of what runs; None: a node that needs none.

    Ready is a node that has something to serve and was not told to drain.
    """

    def __init__(
        self, about: About, running: Callable[[], str] | None, resources: Resources | None
    ) -> None:
        self.about = about
        self.resources = resources
        self.running = running
        self.draining = False

    def find(self, segments: list[str]) -> Resource | None:
        """The resource at decoded path segments."""
        if segments == ["status", "ready"]:
            return Resource({"GET": self._ready, "POST": self._drain})
        if segments == ["status"]:
            return self.about.find(segments)
        match segments:
            case ["upstreams", _, "health"] | ["upstreams", _, "targets"]:
                return self._read(segments)
            case ["upstreams", _, "targets", _]:
                return self._read(segments)
        return None

    def _read(self, segments: list[str]) -> Resource | None:
        found = self.resources.find(segments) if self.resources else None
        return Resource({"GET": found.methods["GET"]}) if found else None

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
