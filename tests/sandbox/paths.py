# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths as the proxy sees them: normalising, and joining with a service's path."""

from __future__ import annotations

import re

_RESERVED = frozenset("!#$&'()*+,/:;=?@[]%")
_ESCAPE = re.compile(r"[^!#$&'()*+,/:;=?@\[\]A-Za-z0-9\-_.~%]")


def normalize(path: str) -> str:
    """Decode what needs no escape, remove dot segments, merge slashes.

    Escapes of reserved characters stay, with capital hexadecimal digits. Decoded bytes are one
    character each (Latin-1), so that any path survives the way through the router.
    """

    def decoded(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return match[0].upper() if character in _RESERVED else character

    text = path.encode("utf-8", "surrogateescape").decode("latin-1")
    text = re.sub(r"%([0-9a-fA-F]{2})", decoded, text)
    text = re.sub(r"/{2,}", "/", text)
    segments: list[str] = []
    parts = text.split("/")
    for part in parts[1:]:
        if part == "..":
            segments = segments[:-1]
        elif part != ".":
            segments.append(part)
    if parts[-1] in (".", ".."):
        segments.append("")
    return "/" + "/".join(segments) if text.startswith("/") else text


def escape(path: str) -> str:
    """Back to what may stand in a request line."""
    return _ESCAPE.sub(lambda match: f"%{ord(match[0]):02X}", path)


def clean_postfix(postfix: str) -> str:
    """A stripped path must not climb with a dot segment that stripping brought to the front."""
    if postfix in (".", ".."):
        return ""
    for start in ("./", "../"):
        if postfix.startswith(start):
            return postfix[len(start) :]
    return postfix


def upstream_path(base: str, request: str, postfix: str, strip: bool, handling: str) -> str:
    """The path sent to the upstream server.

    `base` is the service's path (`/` where it has none), `postfix` what follows the route's path
    in `request`. Source: the table of `path_handling` in the gateway's Admin API reference.
    """
    if handling == "v1":
        if not strip:
            return base + request[1:]
        return (base[:-1] if base.endswith("/") and postfix.startswith("/") else base) + postfix
    if not strip:
        return _joined_whole(base, request)
    return _joined_stripped(base, request, postfix)


def _joined_whole(base: str, request: str) -> str:
    if base.endswith("/"):
        return base + request[1:]
    return base if request == "/" else base + request


def _joined_stripped(base: str, request: str, postfix: str) -> str:
    trunk = base.removesuffix("/")
    if postfix:
        return trunk + "/" + postfix.removeprefix("/")
    if base == "/":
        return "/"
    # A slash at the end of the request stays; one at the end of the base alone does not.
    closed = request.endswith("/") and (len(request) > 1 or base.endswith("/"))
    return trunk + "/" if closed else trunk
