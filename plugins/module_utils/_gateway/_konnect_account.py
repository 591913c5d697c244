# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Konnect has outside of a control plane's entities: control planes, certificates, nodes.

Knows no Ansible.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._client import Client
from .._entities._identity import find_by_reference
from .._entities._kind import Entity, Kind
from .._entities._konnect import CONTROL_PLANE
from .._errors import UnexpectedAnswer
from ._admin import AdminGateway
from ._protocol import Traits

CONTROL_PLANES = "/v2/control-planes"
NOT_KONNECT = "{} does not respond as Konnect does: check konnect_url"
TRAITS = Traits(
    name="Kong Konnect", edition="konnect", role="control_plane", has_balancer=False
)
_SIZE = 100


class KonnectAccount(AdminGateway):
    """The entities below a path: control planes, or certificates and nodes of one of them."""

    omits_nulls = True

    def __init__(self, region: Client, path: str = "/v2", url: str = "") -> None:
        super().__init__(region.at(path))
        self.region, self.path = region, path
        self.url = url or region.url

    def traits(self) -> Traits:
        return TRAITS

    def schema(self, name: str) -> dict[str, Any] | None:
        return None

    def entities(
        self, kind: Kind, parent: str | None = None, of: str = "", tags: Sequence[str] = ()
    ) -> list[Entity] | None:
        return [self._read(kind, each, None) for each in self.listed(f"{self.path}/{kind.path}")]

    def find_by(
        self, kind: Kind, field: str, value: str, parent: str | None = None
    ) -> Entity | None:
        if field != CONTROL_PLANE.path_key:
            return super().find_by(kind, field, value, parent)
        named = (each for each in self.control_planes(name=value) if each["name"] == value)
        return next((self._read(kind, each, None) for each in named), None)

    def find_control_plane(self, name: str) -> Entity | None:
        """The control plane with this name or ID; a name can look like an ID."""
        return find_by_reference(self, CONTROL_PLANE, name)

    def control_planes(
        self, labels: Mapping[str, str] | None = None, **equal: str | None
    ) -> Iterator[Entity]:
        """Control planes as Konnect returns them.

        :param labels: what they must have.
        :param equal: what their fields must be; None: anything.
        """
        filters = {f"filter[{name}][eq]": value for name, value in equal.items() if value}
        if labels:
            filters["labels"] = ",".join(f"{key}:{value}" for key, value in labels.items())
        return self.listed(CONTROL_PLANES, **filters)

    def data_planes(self) -> list[Entity]:
        """The nodes of the control plane, those that are long gone included."""
        return list(self.listed(f"{self.path}/nodes"))

    def listed(self, path: str, **query: str) -> Iterator[Entity]:
        """A list of Konnect, paged by numbers or by a cursor, in its older shape or its newer."""
        query["page[size]"] = str(_SIZE)
        while True:
            response = self.region.request("GET", path, params=query)
            if not isinstance(response, dict) or not response.keys() & {"data", "items", "page"}:
                raise UnexpectedAnswer(NOT_KONNECT.format(self.region.url))
            found = response.get("data") or response.get("items") or ()
            yield from found
            page = (response.get("meta") or response).get("page") or {}
            after = page.get("next_cursor") or _cursor(str(page.get("next") or ""))
            if after and after != query.get("page[after]"):
                query["page[after]"] = after
            elif "number" in page and len(found) == _SIZE:
                query["page[number]"] = str(int(page["number"]) + 1)
            else:
                return

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request that is about no kind of entity."""
        return self._client.request(method, path, body, repeatable=True)


def _cursor(link: str) -> str:
    """Where the next page begins, of a link to it; some responses have the bare value."""
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)
    return query.get("page[after]", [link if "=" not in link else ""])[0]
