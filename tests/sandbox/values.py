# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validators that the schemas' dumps leave out: names, hosts, addresses, tags, paths."""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from typing import NamedTuple

from .patterns import python_pattern
from .pem import certificate_error, key_error

DEFAULT_PORT = 8000


class Address(NamedTuple):
    """A host as the gateway reads it: kind (name, ipv4, ipv6), normalised host, port or None."""

    kind: str
    host: str
    port: int | None


class BadAddress(ValueError):
    """A text that names no host; the message is the gateway's."""


def parse_address(text: str) -> Address:
    """A host name or address with an optional port (BadAddress where it is none).

    IPv6 is expanded and in lower case, leading zeros of IPv4 go, names stay as they are
    (conformance: target_addresses).
    """
    if text.count(":") > 1:
        return _ipv6(text)
    if re.fullmatch(r"[0-9.]+", text.replace(":", "")):
        return _ipv4(text)
    found = re.fullmatch(r"(.*?)(?::([0-9]+))?", text, re.DOTALL)
    host, port = (found[1], found[2]) if found else (text, None)
    number = _port(port)
    labels = host.removesuffix(".").split(".")
    if not re.fullmatch(r"[A-Za-z0-9._-]+", host) or any(
        label == "" or label.endswith("-") for label in labels
    ):
        raise BadAddress(f"invalid hostname: {text}")
    return Address("name", host, number)


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if int(text) > 65535:
        raise BadAddress("invalid port number")
    return int(text)


def _ipv4(text: str) -> Address:
    found = re.fullmatch(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?::(\d+))?", text)
    parts = [int(part) for part in found.groups()[:4]] if found else [256]
    if found is None or max(parts) > 255:
        raise BadAddress(f"invalid ipv4 address: {text}")
    return Address("ipv4", ".".join(map(str, parts)), _port(found[5]))


def _ipv6(text: str) -> Address:
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(\d+))?", text)
    host, port = (bracketed[1], bracketed[2]) if bracketed else (text, None)
    if not re.fullmatch(r"[0-9A-Fa-f:]+", host):
        raise BadAddress(f"invalid ipv6 address: {text}")
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError as error:
        raise BadAddress(f"invalid ipv6 address: {text}") from error
    return Address("ipv6", f"[{address.exploded}]", _port(port))


def normalised_target(text: str) -> str | None:
    """A target's address as the gateway keeps it, None where it is none."""
    try:
        address = parse_address(text)
    except BadAddress:
        return None
    return f"{address.host}:{DEFAULT_PORT if address.port is None else address.port}"


def target(text: str) -> str | None:
    """The address of a target."""
    if normalised_target(text) is None:
        return f"Invalid target ('{text}'); not a valid hostname or ip address"
    return None


def upstream_name(text: str) -> str | None:
    """A virtual host: a host name without port, and no IP address."""
    try:
        address = parse_address(text)
    except BadAddress:
        return f"Invalid name ('{text}'); must be a valid hostname"
    if address.kind != "name":
        return f"Invalid name ('{text}'); no ip addresses allowed"
    if address.port is not None:
        return f"Invalid name ('{text}'); no port allowed"
    return None


def host(text: str) -> str | None:
    """A host without a port."""
    try:
        address = parse_address(text)
    except BadAddress as error:
        if "port" in str(error):
            return "must not have a port"
        return f"invalid value: {text}"
    return None if address.port is None else "must not have a port"


def host_and_port(text: str) -> str | None:
    """A host with an optional port."""
    try:
        parse_address(text)
    except BadAddress as error:
        return str(error)
    return None


def route_host(text: str) -> str | None:
    """A host with an optional port, in which one label may be `*`."""
    return host_and_port(text.replace("*", "abc"))


def sni(text: str) -> str | None:
    """A host name without a port, and no IP address."""
    try:
        address = parse_address(text)
    except BadAddress as error:
        return "must not have a port" if "port" in str(error) else f"invalid value: {text}"
    if address.kind != "name":
        return "must not be an IP"
    return None if address.port is None else "must not have a port"


def wildcard_host(text: str) -> str | None:
    """As `sni`, in which the first or the last character may be `*`."""
    if "*" in text and text.index("*") not in (0, len(text) - 1):
        return "wildcard must be leftmost or rightmost character"
    if text.count("*") > 1:
        return "only one wildcard must be specified"
    return sni(text.replace("*", "wildcard"))


def name(text: str) -> str | None:
    """A name: letters of any script, digits and `.-_~`."""
    if re.fullmatch(r"[A-Za-z0-9.\-_~\u0080-\U0010ffff]+", text):
        return None
    return (
        f"invalid value '{text}': the only accepted ascii characters are "
        "alphanumerics or ., -, _, and ~"
    )


def tag(text: str) -> str | None:
    """A tag: everything printable but a comma and a slash, which filters use."""
    if re.fullmatch(r"[\x20-\x2b\x2d\x2e\x30-\x7e\u0080-\U0010ffff]+", text):
        return None
    return (
        f"invalid tag '{text}': expected printable ascii (except `,` and `/`) "
        "or valid utf-8 sequences"
    )


def plain_path(text: str) -> str | None:
    """A path of a URL: reserved characters only, percent signs with two digits."""
    if not re.fullmatch(r"/[A-Za-z0-9._~/%:@!$&'()*+,;=\-]*", text):
        return f"invalid path: '{text}' (characters outside of the reserved list of RFC 3986 found)"
    broken = re.search(r"%(?![0-9A-Fa-f]{2}).{0,2}", text)
    return f"invalid url-encoded value: '{broken.group()}'" if broken else None


RESERVED = "!#$%&'()*+,/:;=?@[]"


def _normalised(path: str) -> str:
    """A path with what needs no percent sign decoded, and without `.` and `..` segments."""

    def decoded(found: re.Match[str]) -> str:
        char = bytes.fromhex(found[1]).decode("latin-1")
        return found[0].upper() if char in RESERVED else char

    path = re.sub(r"%([0-9A-Fa-f]{2})", decoded, path)
    if not re.search(r"/\.{1,2}(/|$)", path):
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    trailing = "/" if segments[-1] in (".", "..") and kept else ""
    return "/" + "/".join(kept) + trailing


def route_path(text: str) -> str | None:
    """A plain path in its normal form, or behind `~` a regular expression that compiles."""
    problem = plain_path(text)
    if problem is not None and problem.startswith("invalid url-encoded"):
        return problem
    if not text.startswith("~"):
        normalised = _normalised(text)
        if normalised == text:
            return None
        return f"non-normalized path, consider use '{normalised}' instead"
    try:
        python_pattern(text[1:])
    except re.error as error:
        return (
            f"invalid regex: '{text[1:]}' (PCRE returned: pcre2_compile() failed: "
            f"{_in_words_of_pcre(error, text[1:])})"
        )
    return None


#: What PCRE says where Python's message begins so, and whether it shows the rest from there.
PCRE = {
    "missing )": ("missing closing parenthesis", False),
    "unterminated character set": ("missing terminating ] for character class", False),
    "bad escape (end of pattern)": ("\\ at end of pattern", False),
    "unbalanced parenthesis": ("unmatched closing parenthesis", True),
    "multiple repeat": ("quantifier does not follow a repeatable item", True),
    "nothing to repeat": ("quantifier does not follow a repeatable item", True),
}


def _in_words_of_pcre(error: re.error, expression: str) -> str:
    for begin, (words, shows_rest) in PCRE.items():
        if error.msg.startswith(begin):
            rest = f' at "{str(error.pattern)[error.pos :]}"' if shows_rest else ""
            return f'{words} in "{expression}"{rest}'
    return f'{error.msg} in "{expression}"'


def header_name(text: str) -> str | None:
    """The name of a header."""
    if re.fullmatch(r"[A-Za-z0-9_-]+", text):
        return None
    return f"bad header name '{text}', allowed characters are A-Z, a-z, 0-9, '_', and '-'"


def cookie_name(text: str) -> str | None:
    """The name of a cookie: a token of RFC 2616."""
    if not re.search(r'[\x00-\x20\x7f()<>@,;:\\"/?={}\[\]]', text):
        return None
    return (
        "contains one or more invalid characters. ASCII control characters (0-31;127), space, tab "
        'and the characters ()<>@,;:\\"/?={}[] are not allowed.'
    )


def strict_cookie_name(text: str) -> str | None:
    """The name of a cookie in gateways before 3.9."""
    if re.fullmatch(r"[A-Za-z0-9_-]+", text):
        return None
    return f"bad cookie name '{text}', allowed characters are A-Z, a-z, 0-9, '_', and '-'"


def ip_or_cidr(text: str) -> str | None:
    """An address or a range of addresses."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f"invalid ip or cidr range: '{text}'"
    return None if "." not in text.partition("/")[2] else f"invalid ip or cidr range: '{text}'"


def url(text: str) -> str | None:
    """A URL with a scheme and a host; one in a vault is not looked at."""
    if text.startswith("{vault://"):
        return None
    parts = urllib.parse.urlsplit(text)
    if not parts.netloc:
        return "missing host in url"
    return None if parts.scheme else "missing scheme in url"


def redirect_uri(text: str) -> str | None:
    """Where an application sends its users back to (conformance: client_secrets)."""
    parts = urllib.parse.urlsplit(text)
    if not parts.scheme or not parts.hostname:
        return f"cannot parse '{text}'"
    return f"fragment not allowed in '{text}'" if parts.fragment else None


def certificate(text: str) -> str | None:
    """A PEM certificate."""
    return certificate_error(text)


def key(text: str) -> str | None:
    """A PEM private key."""
    return key_error(text)


def pem_halves(pem: dict[str, str | None]) -> str | None:
    """Both PEM halves of a key, which gateways before 3.9 want (conformance: key_halves)."""
    public, private = pem.get("public_key"), pem.get("private_key")
    if public is None or key_error(public, private=False):
        return "could not load public key"
    if private is None:
        return "could not load private keypkey.new: unexpected type userdata at #1"
    return pem_pair(pem)


def pem_pair(pem: dict[str, str | None]) -> str | None:
    """PEM halves of a key that can be loaded."""
    for half in ("public_key", "private_key"):
        text = pem.get(half)
        if text is not None and key_error(text, private=half == "private_key"):
            return f"could not load {half.replace('_', ' ')}"
    return None
