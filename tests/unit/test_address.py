# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target's address is compared in the form in which the gateway stores it."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.irishtek.kong.plugins.module_utils._address import (
    address_warnings,
    normalise_address,
)
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from unit.recordings import steps

PORTS = st.one_of(st.just(""), st.integers(0, 65535).map(lambda port: f":{port:05}"))
NAMES = st.from_regex(r"[a-z][A-Za-z0-9_-]{0,8}(\.[A-Za-z0-9-]{1,8}){0,3}\.?", fullmatch=True)
IPV6 = st.ip_addresses(v=6)


def _recorded(status: int) -> list[tuple[str, str]]:
    """Address as written, and as answered or the reason of the refusal."""
    found = []
    for step in steps("target_addresses"):
        body, answered = step["request"].get("body") or {}, step["response"]
        reason = (answered.get("body") or {}).get("fields", {}).get("target", "")
        judged = status == 201 or reason
        if "target" in body and answered["status"] == status and judged:
            found.append((body["target"], reason or answered["body"]["target"]))
    return found


ACCEPTED, REFUSED = _recorded(201), _recorded(400)


def test_the_recording_holds_both_sorts() -> None:
    assert len(ACCEPTED) >= 12
    assert len(REFUSED) >= 4


@pytest.mark.parametrize(("written", "stored"), ACCEPTED)
def test_an_accepted_address_becomes_what_the_gateway_stored(written: str, stored: str) -> None:
    assert normalise_address(written) == stored
    assert normalise_address(stored) == stored


@pytest.mark.parametrize("written", [written for written, reason in REFUSED])
def test_a_refused_address_is_refused_before_any_request(written: str) -> None:
    with pytest.raises(InputError, match="not a valid host name or IP address"):
        normalise_address(written)


@pytest.mark.parametrize(
    "written",
    [
        "host:", "host:-1", "host:8o", "host:\u0663", ":80", "[::1", "[::1]80", "[::1]:",
        "[10.0.0.1]:80", "::g", "1:2:3", "256.0.0.1", "1.2.3", "1..2.3", "12345", "a\n", "a/b",
        "user@host:80", f"host:{'1' * 5000}", f"{'1' * 5000}.0.0.1",
    ],
)  # fmt: skip
def test_no_nonsense_passes_for_an_address(written: str) -> None:
    with pytest.raises(InputError):
        normalise_address(written)


@given(host=st.one_of(NAMES, st.ip_addresses(v=4).map(str), IPV6.map("[{}]".format)), port=PORTS)
def test_normalising_twice_equals_once(host: str, port: str) -> None:
    once = normalise_address(host + port)
    assert normalise_address(once) == once


@given(IPV6)
def test_every_way_of_writing_an_ipv6_address_is_the_same_target(
    address: ipaddress.IPv6Address,
) -> None:
    forms = {f"[{address.exploded}]:8000", f"[{address.compressed}]", str(address).upper()}
    assert len({normalise_address(form) for form in forms}) == 1


@given(NAMES)
def test_a_host_name_stays_as_written_and_gets_port_8000(name: str) -> None:
    assert normalise_address(name) == f"{name}:8000" == normalise_address(f"{name}:8000")


@pytest.mark.parametrize(
    ("written", "port", "address"),
    [
        ("fd00::7c46:80", "[fd00::7c46]:80", "[fd00::7c46:80]:8000"),
        ("fd00::5:8080", "[fd00::5]:8080", "[fd00::5:8080]:8000"),
        ("::ffff:443", "[::ffff]:443", "[::ffff:443]:8000"),
    ],
)
def test_a_bare_ipv6_address_that_may_end_in_a_port_is_doubted(
    written: str, port: str, address: str
) -> None:
    (doubt,) = address_warnings(written)
    assert f"write {port} if" in doubt and f"or {address}" in doubt
    assert normalise_address(address) == normalise_address(written) != normalise_address(port)
    assert address_warnings(port) == address_warnings(address) == []


@pytest.mark.parametrize(
    "written",
    [
        "::1", "fd00::1", "fd00::80", "fd00::7c46:8f", "fd00::7c46:080", "fd00::1:1",
        "1:2:3:4:5:6:7:80", "[fd00::7c46:80]", "10.0.0.1:80", "web:8080", "10.0.0.1",
    ],
)  # fmt: skip
def test_an_address_that_can_mean_one_thing_only_is_not_doubted(written: str) -> None:
    assert address_warnings(written) == []
