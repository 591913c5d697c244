# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The traditional router: which route, and so which service, a request belongs to."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .paths import clean_postfix, normalize, upstream_path
from .patterns import python_pattern

Entity = dict[str, Any]

logger = logging.getLogger(__name__)

HTTP_PROTOCOLS = frozenset({"http", "https"})
HOST, HEADER, PATH, METHOD, SNI = 0x40, 0x20, 0x10, 0x08, 0x04
"""What a route may be matched by; where as many match, the higher number wins."""


@dataclass(frozen=True)
class Request:
    """What the router looks at. `host` is the `Host` header, `headers` have lower-case names."""

    method: str
    path: str
    host: str = ""
    scheme: str = "http"
    headers: Mapping[str, list[str]] = field(default_factory=dict)
    sni: str = ""


@dataclass(frozen=True)
class Match:
    """A route found, and what follows from it for the request to the upstream server."""

    route: Entity
    service: Entity | None
    upstream_path: str
    prefix: str | None
    captures: Mapping[str, str]


@dataclass(frozen=True)
class _PathMatch:
    prefix: str | None = None
    postfix: str | None = None
    captures: Mapping[str, str] = field(default_factory=dict)


def split_port(host: str) -> tuple[str, int | None]:
    """Host and port of a `Host` header or of a route's `hosts` value, brackets removed."""
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        port = rest.removeprefix(":")
        return (name if bracket else host), int(port) if port.isdecimal() else None
    name, colon, port = host.partition(":")
    if colon and (port.isdecimal() or not port):
        return name, int(port) if port else None
    return host, None


class _HostRule:
    """One value of `hosts`: plain, or with a wildcard at one end; a port only where written."""

    def __init__(self, value: str) -> None:
        self.name, self.port = split_port(value.lower())
        self.wildcard = "*" in value
        escaped = re.escape(self.name).replace(r"\*", ".+")
        self._pattern = re.compile(escaped)

    def matches(self, host: str, port: int) -> bool:
        return self.port in (None, port) and self._pattern.fullmatch(host) is not None


class _HeaderRule:
    """One name of `headers` with its values; a single value `~*…` is a pattern."""

    def __init__(self, name: str, values: list[str]) -> None:
        self.name = name.lower()
        self._values = frozenset(value.lower() for value in values)
        one_pattern = len(values) == 1 and values[0].startswith("~*")
        self._pattern = python_pattern(values[0][2:]) if one_pattern else None

    def matches(self, request: Request) -> bool:
        sent = [value.lower() for value in request.headers.get(self.name, ())]
        return any(
            value in self._values or (self._pattern is not None and self._pattern.search(value))
            for value in sent
        )


class _PathRule:
    """One value of `paths`: a prefix, or after `~` a pattern that matches from the start."""

    def __init__(self, value: str) -> None:
        self.is_regex = value.startswith("~")
        self.length = 0 if self.is_regex else len(value)
        self._prefix = "" if self.is_regex else normalize(value)
        if self.is_regex:
            self._pattern = python_pattern(value[1:] + "(?<uri_postfix>.*)")

    def match(self, path: str) -> _PathMatch | None:
        if not self.is_regex:
            if not path.startswith(self._prefix):
                return None
            return _PathMatch(self._prefix, clean_postfix(path[len(self._prefix) :]))
        found = self._pattern.match(path)
        if found is None:
            return None
        groups = found.groupdict()
        postfix = groups.pop("uri_postfix")
        captures = {str(n): text for n, text in enumerate(found.groups()[:-1], 1)}
        captures = {name: text for name, text in (captures | groups).items() if text is not None}
        if postfix is None:
            return _PathMatch(captures=captures)
        return _PathMatch(path[: len(path) - len(postfix)], clean_postfix(postfix), captures)


class _Candidate:
    """A route with at most one of its paths: what is sorted and tried.

    `rank` sorts candidates as the gateway tries them (source: "routing priorities" of the
    gateway's documentation): more kinds of rules first, then by kind, plain hosts before
    wildcards, more headers, a regex path by its priority, the longer path, the older route.
    """

    def __init__(self, route: Entity, service: Entity | None, path: str | None) -> None:
        self.route = route
        self.service = service
        self._hosts = [_HostRule(value) for value in route.get("hosts") or ()]
        headers = route.get("headers") or {}
        self._headers = [
            _HeaderRule(name, values) for name, values in headers.items() if name.lower() != "host"
        ]
        self._path = _PathRule(path) if path is not None else None
        self._methods = frozenset(method.upper() for method in route.get("methods") or ())
        self._snis = frozenset(sni.removesuffix(".") for sni in route.get("snis") or ())
        self.rules = (
            HOST * bool(self._hosts)
            | HEADER * bool(self._headers)
            | PATH * (path is not None)
            | METHOD * bool(self._methods)
            | SNI * bool(self._snis)
        )

    @property
    def rank(self) -> tuple[float, ...]:
        is_regex = self._path is not None and self._path.is_regex
        wildcards = [rule for rule in self._hosts if rule.wildcard]
        return (
            -self.rules.bit_count(),
            -self.rules,
            -any(rule.port is not None for rule in wildcards),
            bool(wildcards),
            -is_regex,
            -len(self._headers),
            -(self.route.get("regex_priority") or 0) if is_regex else 0,
            -(self._path.length if self._path else 0),
            self.route["created_at"],
        )

    def match(self, request: Request, path: str, host: str, port: int) -> _PathMatch | None:
        if self._hosts and not any(rule.matches(host, port) for rule in self._hosts):
            return None
        if self._methods and request.method not in self._methods:
            return None
        if not all(rule.matches(request) for rule in self._headers):
            return None
        if self._snis and request.scheme == "https" and request.sni not in self._snis:
            return None
        return self._path.match(path) if self._path else _PathMatch()


class Router:
    """Routes requests by one configuration; cheap to make anew for the next one."""

    def __init__(self, routes: Iterable[Entity], services: Iterable[Entity]) -> None:
        """Entities as the Admin API answers them."""
        self._services = {service["id"]: service for service in services}
        found = [each for route in routes for each in self._candidates(route)]
        self._sorted = sorted(found, key=lambda candidate: candidate.rank)

    def _candidates(self, route: Entity) -> list[_Candidate]:
        """One candidate for each path; none where the route serves no HTTP or is switched off."""
        reference = route.get("service")
        service = self._services.get(reference["id"]) if reference else None
        if service is not None and service.get("enabled") is False:
            return []
        if not HTTP_PROTOCOLS & set(route.get("protocols") or ()):
            return []
        try:
            made = [_Candidate(route, service, path) for path in route.get("paths") or [None]]
        except re.error as error:
            logger.warning("route %s is left out: %s", route["id"], error)
            return []
        return [candidate for candidate in made if candidate.rules]

    def match(self, request: Request) -> Match | None:
        """The route of a request, by the gateway's priorities; none where none matches."""
        host, port = split_port(request.host.lower())
        port = port or (443 if request.scheme == "https" else 80)
        path = normalize(request.path)
        for candidate in self._sorted:
            found = candidate.match(request, path, host, port)
            if found is not None:
                return self._match(candidate, found, path)
        return None

    @staticmethod
    def _match(candidate: _Candidate, found: _PathMatch, path: str) -> Match:
        route = candidate.route
        strip = route.get("strip_path") is True
        base = (candidate.service or {}).get("path") or "/"
        postfix = path[1:] if found.postfix is None else found.postfix
        return Match(
            route=route,
            service=candidate.service,
            upstream_path=upstream_path(
                base, path, postfix, strip, route.get("path_handling") or "v0"
            ),
            prefix=found.prefix if strip else None,
            captures=found.captures,
        )
