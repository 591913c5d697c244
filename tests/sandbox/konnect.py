# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Konnect as an ASGI application: tokens, both forms of errors, and the paths of its APIs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from . import errors, konnect_errors
from .admin import Admin, Reply
from .control_plane_groups import ControlPlaneGroups
from .control_planes import ControlPlanes, Endpoint, restricted
from .core_entities import CoreEntities
from .data_plane_nodes import DataPlaneNodes
from .organization import Organization
from .resources import Call, Resource
from .specification import Specification

#: What the paths below begin with; the older list of control planes is elsewhere.
VERSION = "v2"

OLDER_LIST = ["konnect-api", "api", "runtime_groups"]

UNSUPPORTED = "The request's content type is not supported"


@dataclass(frozen=True)
class _Served:
    """What answers for one control plane."""

    core: CoreEntities
    nodes: DataPlaneNodes


class Konnect(Admin):
    """Konnect's regional and global APIs on one port: the host's name makes no difference."""

    def __init__(
        self, organization: Organization, token: str | None, endpoint: Endpoint
    ) -> None:
        """`token`: the one that is accepted; None for any. `endpoint`: where data planes join."""
        super().__init__([self._find], organization.gateway.server, token)
        self.organization = organization
        self.documents = {
            name: Specification(f"konnect-{name}") for name in ("control-planes", "core-entities")
        }
        self.control_planes = ControlPlanes(
            organization, self.documents["control-planes"], endpoint
        )
        self.groups = ControlPlaneGroups(self.control_planes)
        self._served: dict[str, _Served] = {}

    # -- authorization and errors

    def authorize(self, request: Request, segments: list[str]) -> None:
        """Require a bearer token: a personal one or a system account's."""
        scheme, _space, token = request.headers.get("authorization", "").partition(" ")
        if not token or scheme.lower() != "bearer":
            raise self._unauthorized(segments, "No API key found in request")
        if self.token is not None and token.strip() != self.token:
            raise self._unauthorized(segments, "Unauthorized")

    @staticmethod
    def _unauthorized(segments: list[str], message: str) -> errors.Refusal:
        if _tells_codes(segments):
            return konnect_errors.unauthorized(message)
        return konnect_errors.problem(401, "A valid token is required")

    def refused(self, segments: list[str], refusal: errors.Refusal) -> Reply:
        """A problem document, or on a control plane's own paths the codes of core entities."""
        if not isinstance(refusal, konnect_errors.KonnectRefusal):
            coded = _tells_codes(segments)
            told = konnect_errors.translated if coded else konnect_errors.as_problem
            refusal = told(refusal)
        return super().refused(segments, refusal)

    def unsupported(self) -> Response:
        """A problem document, too."""
        problem = konnect_errors.problem(415, UNSUPPORTED)
        return JSONResponse(problem.body, 415, media_type=problem.media)

    def body(self, request: Request, raw: bytes, resource: Resource) -> dict[str, Any]:
        """The body of a request. Konnect accepts a GET with the content type JSON and no body."""
        if request.method in ("POST", "PUT", "PATCH"):
            return super().body(request, raw, resource)
        return {}

    # -- paths

    def _find(self, segments: list[str]) -> Resource | None:
        if segments == OLDER_LIST:
            return Resource({"GET": self.control_planes.older_page})
        if segments == [VERSION, "organizations", "me"]:
            return Resource({"GET": self._me})
        if segments[:2] != [VERSION, "control-planes"]:
            return None
        rest = segments[2:]
        if _is_inside(segments):
            return self._inside(rest[0], rest[1:])
        return self.control_planes.find(rest) or self.groups.find(rest)

    def _me(self, call: Call) -> tuple[int, object]:
        moment = "2026-01-01T00:00:00.000Z"
        return 200, {
            "id": self.organization.id, "name": self.organization.name, "state": "active",
            "owner_id": self.organization.id, "retention_period_days": 90,
            "login_path": "sandbox", "created_at": moment, "updated_at": moment,
        }

    def _inside(self, identifier: str, segments: list[str]) -> Resource | None:
        """What belongs to one control plane."""
        if self.organization.store.get("control_planes", identifier) is None:
            raise konnect_errors.not_found()
        served = self._serving(identifier)
        if segments[0] == "core-entities":
            return served.core.find(segments[1:])
        found = served.nodes.find(segments)
        if found is None:
            return None
        path = ["control-planes", identifier, *segments]
        return restricted(found, self.documents["core-entities"].methods(path))

    def _serving(self, identifier: str) -> _Served:
        workspaces = self.organization.workspaces(identifier)
        known = self._served.get(identifier)
        if known is None or known.core.workspaces is not workspaces:
            core = CoreEntities(
                self.organization.gateway,
                workspaces,
                self.documents["core-entities"],
                lambda: str(self.control_planes.existing(identifier)["cluster_type"]),
            )
            known = _Served(core, DataPlaneNodes(self.organization, identifier))
            self._served[identifier] = known
        return known


def _is_inside(segments: list[str]) -> bool:
    """Whether a path belongs to one control plane and is not about the control plane itself."""
    return (
        segments[:2] == [VERSION, "control-planes"]
        and len(segments) > 3
        and not segments[3].startswith("group-")
    )


def _tells_codes(segments: list[str]) -> bool:
    """Whether errors of a path have codes; the list of all targets has problem documents."""
    return _is_inside(segments) and segments[3:] != ["core-entities", "targets"]
