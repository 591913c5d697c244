# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EndpointSlices of a Service become targets; what must not is named."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.filter.endpoint_slices_to_targets import (
    FilterModule,
    endpoint_slices_to_targets,
)

LOOPBACK = "[0000:0000:0000:0000:0000:0000:0000:0001]"
HTTP = {"name": "http", "port": 8080, "protocol": "TCP"}
METRICS = {"name": "metrics", "port": 9090, "protocol": "TCP"}


def pod(*addresses: str, **conditions: Any) -> dict[str, Any]:
    return {"addresses": list(addresses), "conditions": conditions}


def slices_of(
    *endpoints: dict[str, Any], ports: Any = (HTTP,), service: str = "orders"
) -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": service}
    metadata = {"name": f"{service}-x", "namespace": "shop", "labels": labels}
    return {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata,
        "endpoints": list(endpoints), "ports": None if ports is None else list(ports),
    }  # fmt: skip


def weights(*slices: dict[str, Any], **options: Any) -> dict[str, int]:
    found = endpoint_slices_to_targets(list(slices), **options)
    return {each["target"]: each["weight"] for each in found}


def test_the_file_offers_its_filter() -> None:
    filters = FilterModule().filters()
    assert filters == {"endpoint_slices_to_targets": endpoint_slices_to_targets}


@pytest.mark.parametrize(
    ("conditions", "weight"),
    [
        ({"ready": True}, 100),
        ({}, 100),
        ({"ready": None, "terminating": None}, 100),
        ({"ready": True, "serving": True, "terminating": False}, 100),
        ({"ready": False, "serving": True, "terminating": True}, 0),
        ({"ready": False, "serving": False, "terminating": True}, 0),
        # A Service that publishes addresses that are not ready calls all of them ready.
        ({"ready": True, "serving": True, "terminating": True}, 0),
        ({"ready": False}, None),
        ({"ready": False, "serving": False, "terminating": False}, None),
    ],
)
def test_a_pods_conditions_decide_its_weight(
    conditions: dict[str, Any], weight: int | None
) -> None:
    expected = {} if weight is None else {"10.1.0.1:8080": weight}
    assert weights(slices_of(pod("10.1.0.1", **conditions))) == expected


def test_conditions_may_be_missing() -> None:
    assert weights(slices_of({"addresses": ["10.1.0.1"]})) == {"10.1.0.1:8080": 100}


def test_targets_are_sorted_and_have_the_weight_and_tags_that_are_asked_for() -> None:
    found = endpoint_slices_to_targets(
        [slices_of(pod("10.1.0.2")), slices_of(pod("10.1.0.1"))], weight=7, tags=["k8s"]
    )
    assert found == [
        {"target": "10.1.0.1:8080", "weight": 7, "tags": ["k8s"]},
        {"target": "10.1.0.2:8080", "weight": 7, "tags": ["k8s"]},
    ]


def test_templates_of_older_ansible_hand_over_strings() -> None:
    found = endpoint_slices_to_targets([slices_of(pod("10.1.0.1"))], port="", weight="7", tags="")
    assert found == [{"target": "10.1.0.1:8080", "weight": 7}]


def test_ipv6_is_written_as_the_gateway_stores_it() -> None:
    assert weights(slices_of(pod("::1"))) == {f"{LOOPBACK}:8080": 100}


def test_a_pod_is_one_target_however_many_addresses_and_slices_it_has() -> None:
    ends = slices_of(pod("10.1.0.1", terminating=True))
    assert weights(slices_of(pod("10.1.0.1", "10.9.9.9")), ends) == {"10.1.0.1:8080": 100}


@pytest.mark.parametrize("port", ["http", 8080, "8080"])
def test_a_port_is_chosen_by_name_or_number(port: int | str) -> None:
    assert weights(slices_of(pod("10.1.0.1"), ports=[METRICS, HTTP]), port=port) == {
        "10.1.0.1:8080": 100
    }


def test_a_named_port_has_another_number_on_other_pods() -> None:
    others = slices_of(pod("10.1.0.2"), ports=[{**HTTP, "port": 8081}, METRICS])
    lacking = slices_of(pod("10.1.0.3"), ports=[METRICS])
    assert weights(slices_of(pod("10.1.0.1")), others, lacking, port="http") == {
        "10.1.0.1:8080": 100,
        "10.1.0.2:8081": 100,
    }


@pytest.mark.parametrize("slices", [[], [slices_of(ports=None)], [slices_of()]])
def test_a_service_without_pods_has_no_targets(slices: list[dict[str, Any]]) -> None:
    assert endpoint_slices_to_targets(slices, port="http") == []


@pytest.mark.parametrize(
    ("slices", "options", "message"),
    [
        ("x", {}, "takes a list of EndpointSlices"),
        (slices_of(), {}, "takes a list of EndpointSlices"),
        (["x"], {}, "expected an EndpointSlice, got str"),
        ([{"kind": "Pod"}], {}, "expected an EndpointSlice, got Pod"),
        (
            [slices_of(pod("10.1.0.1")), slices_of(pod("10.1.0.2"), service="carts")],
            {},
            "several Services (shop/carts, shop/orders): select those of one by the label",
        ),
        (
            [slices_of(pod("10.1.0.1"), ports=[HTTP, METRICS])],
            {},
            "several ports (http 8080, metrics 9090): set port",
        ),
        (
            [slices_of(pod("10.1.0.1"), ports=[HTTP, METRICS])],
            {"port": "metric"},
            "no port metric (it has http 8080, metrics 9090); did you mean metrics?",
        ),
        ([slices_of(pod("10.1.0.1"), ports=[])], {}, "have no ports"),
        ([slices_of(pod("a b"))], {}, "endpoint 'a b'"),
        ([slices_of(pod())], {}, "endpoint ''"),
        ([], {"weight": 65536}, "whole number from 0 to 65535, got 65536"),
        ([], {"weight": "7.5"}, "whole number from 0 to 65535, got '7.5'"),
        ([], {"weight": True}, "whole number from 0 to 65535, got True"),
    ],
)
def test_what_cannot_become_targets_is_refused(
    slices: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        endpoint_slices_to_targets(slices, **options)
    assert message in str(caught.value)
