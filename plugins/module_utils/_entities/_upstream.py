# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Upstreams and their targets: a virtual host name, and the addresses that share its requests."""

from __future__ import annotations

from .._address import address_warnings, normalise_address
from .._errors import InputError
from .._secret_names import is_secret_header
from ._identity import Identity
from ._kind import RESTRICT, Entity, Field, Kind, tags_field
from ._route import headers_field

# The upstream that is a lock (kong_lock): lists leave it out, so that it is not dumped, compared or
# purged. Names of upstreams are unique, so only one of two that create it at once succeeds.
LOCK_NAME = "irishtek.kong.lock"
HASHED = "consistent-hashing"
ALGORITHMS = (HASHED, "least-connections", "round-robin", "latency", "sticky-sessions")
HASH_INPUTS = ("none", "consumer", "ip", "header", "cookie", "path", "query_arg", "uri_capture")
# With these a gateway accepts no hash_fallback: there is always a cookie.
_WITHOUT_FALLBACK = ("none", "cookie")
PROBES = ("tcp", "http", "https", "grpc", "grpcs")
_SECONDS = (0, 65535)
_COUNT = (0, 255)


def apply_hashing_rules(desired: Entity, current: Entity | None) -> list[str]:
    """Add what the gateway would silently do to ``algorithm`` and ``hash_on``.

    It lets a stored ``hash_on`` win over a written ``algorithm``, turns ``consistent-hashing`` with
    nothing to hash on into ``round-robin``, and any other algorithm into ``consistent-hashing``
    when ``hash_on`` is written. What else a change of ``hash_on`` implies is added, as the
    gateway refuses the change without it.

    Source: the conformance cases upstream_hashing and hashing_against_stored, and the
    ``entity_checks`` of the gateway's schema of upstreams.
    """
    algorithm, hash_on = desired.get("algorithm"), desired.get("hash_on")
    stored = (current or {}).get("hash_on") or "none"
    warnings = []
    if algorithm and hash_on:
        if (algorithm == HASHED) != (hash_on != "none"):
            raise InputError(
                f"algorithm {algorithm} cannot be combined with hash_on {hash_on}; {HASHED} needs "
                "a hash_on other than none, and the other algorithms need none"
            )
    elif algorithm == HASHED and stored == "none":
        raise InputError(f"algorithm {HASHED} needs hash_on; set it to what to hash on")
    elif algorithm and algorithm != HASHED and stored != "none":
        desired["hash_on"] = "none"
        warnings.append(
            f"hash_on is set to none, because the stored hash_on {stored} "
            f"would override algorithm {algorithm}"
        )
    elif hash_on and hash_on != stored:
        desired["algorithm"] = "round-robin" if hash_on == "none" else HASHED
    _apply_fallback_rules(desired, current or {})
    _clear_unused_names(desired, current or {})
    return warnings


def _apply_fallback_rules(desired: Entity, stored: Entity) -> None:
    """``hash_fallback`` becomes none where the ``hash_on`` that is set leaves no fallback."""
    hash_on = desired.get("hash_on")
    if hash_on not in _WITHOUT_FALLBACK:
        return
    written = desired.get("hash_fallback")
    if written and written != "none":
        raise InputError(
            f"hash_fallback {written} cannot be combined with hash_on {hash_on}; "
            "set hash_fallback to none"
        )
    if (stored.get("hash_fallback") or "none") != "none":
        desired["hash_fallback"] = "none"


def _clear_unused_names(desired: Entity, stored: Entity) -> None:
    """Clear a stored name that is not used and that the gateway would refuse as a duplicate."""
    for way in ("header", "query_arg", "uri_capture"):
        for used, other in (("on", "fallback"), ("fallback", "on")):
            name, leftover = f"hash_{used}_{way}", f"hash_{other}_{way}"
            in_use = desired.get(f"hash_{other}", stored.get(f"hash_{other}")) == way
            clashes = desired.get(name) is not None and desired[name] == stored.get(leftover)
            if clashes and not in_use and leftover not in desired:
                desired[leftover] = None


_STATUSES = Field(
    "http_statuses", "list", elements="int", between=(100, 999), unordered=True, repeats=True,
)
_INTERVAL = Field("interval", "float", between=_SECONDS)
_SUCCESSES = Field("successes", "int", between=_COUNT)
_FAILURES = (
    Field("tcp_failures", "int", between=_COUNT),
    Field("http_failures", "int", between=_COUNT),
    Field("timeouts", "int", between=_COUNT),
    _STATUSES,
)

_ACTIVE = (
    Field("type", choices=PROBES),
    Field("http_path"),
    Field("timeout", "float", between=_SECONDS),
    Field("concurrency", "int", between=(1, 2147483648)),
    Field("https_sni"),
    Field("https_verify_certificate", "bool"),
    headers_field(sensitive=is_secret_header),
    Field("healthy", "dict", fields=(_INTERVAL, _SUCCESSES, _STATUSES)),
    Field("unhealthy", "dict", fields=(_INTERVAL, *_FAILURES)),
)

_PASSIVE = (
    Field("type", choices=PROBES),
    Field("healthy", "dict", fields=(_SUCCESSES, _STATUSES)),
    Field("unhealthy", "dict", fields=_FAILURES),
)

UPSTREAM = Kind(
    name="upstream", reserved=frozenset({LOCK_NAME}), path="upstreams", identity=Identity("name"),
    apply_field_rules=apply_hashing_rules,
    fields=(
        Field("name", nullable=False),
        Field("algorithm", choices=ALGORITHMS),
        Field("hash_on", choices=HASH_INPUTS),
        Field("hash_fallback", choices=HASH_INPUTS),
        Field("hash_on_header"),
        Field("hash_fallback_header"),
        Field("hash_on_cookie"),
        Field("hash_on_cookie_path"),
        Field("hash_on_query_arg"),
        Field("hash_fallback_query_arg"),
        Field("hash_on_uri_capture"),
        Field("hash_fallback_uri_capture"),
        Field("sticky_sessions_cookie"),
        Field("sticky_sessions_cookie_path"),
        Field("slots", "int", between=(10, 65536)),
        Field(
            "healthchecks",
            "dict",
            fields=(
                Field("threshold", "float", between=(0, 100)),
                Field("active", "dict", fields=_ACTIVE),
                Field("passive", "dict", fields=_PASSIVE),
            ),
        ),
        Field("host_header"),
        Field("client_certificate", reference="certificate", on_delete=RESTRICT),
        Field("use_srv_name", "bool"),
        tags_field(),
    ),
)

TARGET = Kind(
    name="target", path="targets", identity=Identity("target"), parent="upstream",
    fields=(
        Field(
            "target", required=True, nullable=False, normalise=normalise_address,
            warnings=address_warnings,
        ),
        Field("weight", "int", between=(0, 65535)),
        Field("failover", "bool"),
        tags_field(),
    ),
)

KINDS = (UPSTREAM, TARGET)
