# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The address of a target as the gateway stores it.

The rules are those of the conformance case target_addresses: a missing port is 8000, IPv6 is
expanded and bracketed, leading zeros of IPv4 and of the port go, host names stay as written.
"""

from __future__ import annotations

import ipaddress
import re

from ._errors import InputError

DEFAULT_PORT = 8000
_NAME = re.compile(r"[A-Za-z0-9._-]+")
# The last group of an IPv6 address that may be meant as a port.
_LIKE_A_PORT = re.compile(r"(.+):([1-9][0-9]{1,3})")
_NUMERIC = re.compile(r"[0-9.]+")
_WITH_PORT = re.compile(r"(?:\[([^\]]*:[^\]]*)\]|([^:]*))(?::(.*))?", re.DOTALL)


def normalise_address(text: str) -> str:
    """``host[:port]`` in the form in which the gateway stores, returns and finds it.

    :raises InputError: it is not a host name or address with an optional port from 0 to 65535.
    """
    try:
        host, port = _split(text)
        return f"{_host(host)}:{port}"
    except ValueError:
        raise InputError(
            f"target {text!r} is not a valid host name or IP address with an optional port"
        ) from None


def address_warnings(text: str) -> list[str]:
    """A warning where the last group of a bare IPv6 address may be meant as a port."""
    found = None if "[" in text else _LIKE_A_PORT.fullmatch(text)
    if found is None or not (_is_ipv6(text) and _is_ipv6(found[1])):
        return []
    return [
        f"{text} is an IPv6 address without a port, so its port is {DEFAULT_PORT}; "
        f"write [{found[1]}]:{found[2]} if port {found[2]} is meant, or [{text}]:{DEFAULT_PORT}"
    ]


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


# Those below raise ValueError where there is no such address.
def _split(text: str) -> tuple[str, int]:
    if text.count(":") > 1 and not text.startswith("["):
        return text, DEFAULT_PORT
    found = _WITH_PORT.fullmatch(text)
    if found is None:
        raise ValueError
    return found[1] or found[2], DEFAULT_PORT if found[3] is None else _number(found[3], 65535)


def _host(text: str) -> str:
    if ":" in text:
        return f"[{ipaddress.IPv6Address(text).exploded}]"
    if _NUMERIC.fullmatch(text):
        first, second, third, fourth = (str(_number(octet, 255)) for octet in text.split("."))
        return f"{first}.{second}.{third}.{fourth}"
    if not _NAME.fullmatch(text):
        raise ValueError
    return text


def _number(digits: str, highest: int) -> int:
    significant = digits.lstrip("0") or "0"
    # The length first: Python refuses to convert thousands of digits.
    is_number = digits.isascii() and digits.isdigit() and len(significant) <= len(str(highest))
    if not is_number or int(significant) > highest:
        raise ValueError
    return int(significant)
