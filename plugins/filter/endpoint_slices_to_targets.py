# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``endpoint_slices_to_targets``; its documentation is the YAML file of the same name.

Source of the rules: the API ``discovery.k8s.io/v1`` of Kubernetes, EndpointSlice.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.module_utils._address import normalise_address
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError

_HIGHEST = 65535
_SERVICE = "kubernetes.io/service-name"


def endpoint_slices_to_targets(
    slices: Sequence[Mapping[str, Any]],
    *,
    port: int | str | None = None,
    weight: int | str = 100,
    tags: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Targets in the form of the option ``targets``, one for each pod, sorted by address.

    :param port: the name or the number of a port of the Service's pods; needed where there are
        several.
    :param weight: of ready pods, 0 to 65535; terminating ones get 0.
    :raises AnsibleFilterError: no list of EndpointSlices of one Service, or no such port.
    """
    number = _weight(weight)
    _check(slices)
    weights: dict[str, int] = {}
    # Before ansible-core 2.19 a variable that is null arrives as an empty string.
    for address, terminating in _endpoints(slices, None if port == "" else port):
        # A pod may stand in two slices for a moment; the one that still sends it requests counts.
        weights[address] = max(weights.get(address, 0), 0 if terminating else number)
    more = {} if tags in (None, "") else {"tags": list(tags or ())}
    return [{"target": each, "weight": weights[each], **more} for each in sorted(weights)]


def _weight(written: int | str) -> int:
    """The weight, which templates before ansible-core 2.19 hand over as a string."""
    number = int(written) if isinstance(written, str) and written.isdecimal() else written
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= _HIGHEST:
        raise AnsibleFilterError(f"weight must be a whole number from 0 to 65535, got {written!r}")
    return number


def _check(slices: Any) -> None:
    if isinstance(slices, (str, Mapping)) or not isinstance(slices, Sequence):
        raise AnsibleFilterError(
            "endpoint_slices_to_targets takes a list of EndpointSlices, such as the resources that "
            "kubernetes.core.k8s_info returns"
        )
    services = set()
    for each in slices:
        if not isinstance(each, Mapping) or each.get("kind", "EndpointSlice") != "EndpointSlice":
            kind = each.get("kind") if isinstance(each, Mapping) else type(each).__name__
            raise AnsibleFilterError(f"expected an EndpointSlice, got {kind}")
        metadata = each.get("metadata") or {}
        labels = metadata.get("labels") or {}
        services.add((metadata.get("namespace"), labels.get(_SERVICE)))
    if len(services) > 1:
        # A missing label selector must not put the pods of a whole namespace into one upstream.
        names = ", ".join(sorted(f"{namespace}/{name}" for namespace, name in services))
        raise AnsibleFilterError(
            f"these are EndpointSlices of several Services ({names}): "
            f"select those of one by the label {_SERVICE}"
        )


def _endpoints(
    slices: Sequence[Mapping[str, Any]], port: int | str | None
) -> Iterator[tuple[str, bool]]:
    """The address of each pod that gets requests or still answers some, and whether it ends."""
    filled = [each for each in slices if each.get("endpoints")]
    numbers = [_numbers(each, port) for each in filled]
    if filled and not any(numbers):
        raise AnsibleFilterError(_no_port(filled, port))
    for each, found in zip(filled, numbers):
        for number in found:
            for endpoint in each["endpoints"]:
                conditions = endpoint.get("conditions") or {}
                terminating = conditions.get("terminating") is True
                # An unknown readiness counts as ready.
                if terminating or conditions.get("ready") is not False:
                    yield _address(endpoint, number), terminating


def _numbers(each: Mapping[str, Any], port: int | str | None) -> list[int]:
    """The port numbers of a slice that are asked for: one, or none if its pods lack the port."""
    ports = [entry for entry in each.get("ports") or () if entry.get("port") is not None]
    if port is not None:
        ports = [entry for entry in ports if port in (entry.get("name"), entry["port"])] or [
            entry for entry in ports if str(port) == str(entry["port"])
        ]
    elif len({entry["port"] for entry in ports}) > 1:
        raise AnsibleFilterError(f"the Service has several ports ({_names([each])}): set port")
    return sorted({int(entry["port"]) for entry in ports})[:1]


def _no_port(slices: Sequence[Mapping[str, Any]], port: int | str | None) -> str:
    if port is None:
        return "the EndpointSlices have no ports"
    known = [str(entry.get("name")) for each in slices for entry in each.get("ports") or ()]
    close = difflib.get_close_matches(str(port), known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"the Service has no port {port} (it has {_names(slices)}){hint}"


def _names(slices: Sequence[Mapping[str, Any]]) -> str:
    shown = {
        f"{entry['name']} {entry.get('port')}" if entry.get("name") else str(entry.get("port"))
        for each in slices
        for entry in each.get("ports") or ()
    }
    return ", ".join(sorted(shown)) or "none"


def _address(endpoint: Mapping[str, Any], port: int) -> str:
    # All addresses of an endpoint are the same pod; clients use the first.
    address = str((endpoint.get("addresses") or [""])[0])
    bracketed = f"[{address}]" if ":" in address else address
    try:
        return normalise_address(f"{bracketed}:{port}")
    except InputError as exc:
        raise AnsibleFilterError(f"endpoint {address!r}: {exc.message}") from exc


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"endpoint_slices_to_targets": endpoint_slices_to_targets}
