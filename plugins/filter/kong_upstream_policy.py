# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``kong_upstream_policy``; its documentation is the YAML file of the same name.

Source of the rules: the CustomResourceDefinition ``configuration.konghq.com/v1beta1``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Field
from ansible_collections.irishtek.kong.plugins.module_utils._entities._upstream import UPSTREAM

# Options of kong_upstream that are the value of one field of hashOn or hashOnFallback.
_HASHED = {
    "header": "header",
    "cookie": "cookie",
    "query_arg": "queryArg",
    "uri_capture": "uriCapture",
}
_SIDES = {"hash_on": "hashOn", "hash_fallback": "hashOnFallback"}
_PLAIN = ("algorithm", "slots")
_NAMED = {f"{side}_{name}" for side in _SIDES for name in _HASHED} - {"hash_fallback_cookie"}
_STICKY = {"sticky_sessions_cookie": "cookie", "sticky_sessions_cookie_path": "cookiePath"}
# A policy has all of them.
_HEALTHCHECKS = UPSTREAM.field("healthchecks").fields
_KNOWN = {*_PLAIN, *_SIDES, *_NAMED, *_STICKY, "hash_on_cookie_path", "healthchecks"}


def kong_upstream_policy(options: Mapping[str, Any]) -> dict[str, Any]:
    """The ``spec`` of a KongUpstreamPolicy; empty for no options.

    :param options: with the names and values of the options of ``kong_upstream``.
    :raises AnsibleFilterError: an option that a policy does not have, or that lacks another one.
    """
    if not isinstance(options, Mapping):
        raise AnsibleFilterError("kong_upstream_policy takes options of kong_upstream, by name")
    written = {name: value for name, value in options.items() if value is not None}
    for name in written:
        if name not in _KNOWN:
            raise AnsibleFilterError(
                f"a KongUpstreamPolicy has no {name}; it has {', '.join(sorted(_KNOWN))}"
            )
    spec = {name: written[name] for name in _PLAIN if name in written}
    for side, field in _SIDES.items():
        if (found := _hash(written, side)) is not None:
            spec[field] = found
    sticky = {field: written[name] for name, field in _STICKY.items() if name in written}
    if sticky:
        spec["stickySessions"] = sticky
    _add_algorithm(spec)
    if "healthchecks" in written:
        _refuse_unknown(written["healthchecks"], _HEALTHCHECKS, "healthchecks")
        spec["healthchecks"] = _camel(written["healthchecks"])
    return spec


def _refuse_unknown(value: Any, fields: Collection[Field], path: str) -> None:
    """:raises AnsibleFilterError: a name that no field has, or a value that is no dictionary."""
    if not isinstance(value, Mapping):
        raise AnsibleFilterError(f"{path} must be a dictionary")
    known = {field.name: field.fields for field in fields}
    for name, inner in value.items():
        if name not in known:
            raise AnsibleFilterError(f"{path} has no {name}; it has {', '.join(sorted(known))}")
        if known[name] and inner is not None:
            _refuse_unknown(inner, known[name], f"{path}.{name}")


def _add_algorithm(spec: dict[str, Any]) -> None:
    """Add the algorithm that a gateway implies and the resource requires.

    :raises AnsibleFilterError: options that the resource's rules do not allow together.
    """
    if "stickySessions" in spec:
        if "cookie" not in spec["stickySessions"]:
            raise AnsibleFilterError("sticky_sessions_cookie_path needs sticky_sessions_cookie")
        option, needed = "sticky_sessions_cookie", "sticky-sessions"
    elif "hashOn" in spec:
        option, needed = "hash_on", "consistent-hashing"
    elif "hashOnFallback" in spec:
        raise AnsibleFilterError("hash_fallback needs hash_on")
    elif spec.get("algorithm") == "consistent-hashing":
        raise AnsibleFilterError("algorithm consistent-hashing needs hash_on")
    else:
        return
    if spec.setdefault("algorithm", needed) != needed:
        raise AnsibleFilterError(f"{option} needs algorithm {needed}, got {spec['algorithm']}")
    if "hashOnFallback" in spec and ("stickySessions" in spec or "cookie" in spec["hashOn"]):
        raise AnsibleFilterError(
            "hash_fallback cannot be combined with hash_on cookie or sticky_sessions_cookie"
        )


def _hash(written: Mapping[str, Any], side: str) -> dict[str, Any] | None:
    """The source of the hash; None if it is left out, or none."""
    source = written.get(side)
    if source in (None, "none"):
        # The resource requires it for sticky sessions.
        sticky = side == "hash_on" and any(name in written for name in _STICKY)
        return {"input": "none"} if sticky else None
    if source not in _HASHED:
        return {"input": source}
    name = f"{side}_{source}"
    if source == "cookie":
        name = "hash_on_cookie"  # an upstream has one cookie for both
    if name not in written:
        raise AnsibleFilterError(f"{side} {source} needs {name}")
    found = {_HASHED[source]: written[name]}
    if source == "cookie":
        # Required here, and the default of an upstream.
        found["cookiePath"] = written.get("hash_on_cookie_path", "/")
    return found


def _camel(value: Any, names_are_free: bool = False) -> Any:
    """Names in camel case, but for those that users choose, of headers."""
    if not isinstance(value, Mapping):
        return list(value) if isinstance(value, (list, tuple)) else value
    return {
        str(name) if names_are_free else re.sub(r"_(\w)", lambda found: found[1].upper(), name): (
            _camel(item, names_are_free=name == "headers")
        )
        for name, item in value.items()
        if item is not None
    }


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"kong_upstream_policy": kong_upstream_policy}
