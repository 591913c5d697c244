# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of an upstream, and the `spec` of the KongUpstreamPolicy that means the same."""

from __future__ import annotations

from typing import Any

HASHING = {"algorithm": "consistent-hashing"}
POLICIES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"algorithm": "latency", "slots": 100}, {"algorithm": "latency", "slots": 100}),
    ({"hash_on": "none", "hash_fallback": None}, {}),
    ({"hash_on": "ip"}, {**HASHING, "hashOn": {"input": "ip"}}),
    (
        {"hash_on": "header", "hash_on_header": "X-User", "hash_fallback": "ip"},
        {**HASHING, "hashOn": {"header": "X-User"}, "hashOnFallback": {"input": "ip"}},
    ),
    (
        {"hash_on": "cookie", "hash_on_cookie": "id", "hash_on_cookie_path": "/shop"},
        {**HASHING, "hashOn": {"cookie": "id", "cookiePath": "/shop"}},
    ),
    (
        {"algorithm": "consistent-hashing", "hash_on": "cookie", "hash_on_cookie": "id"},
        {**HASHING, "hashOn": {"cookie": "id", "cookiePath": "/"}},
    ),
    (
        {
            "hash_on": "uri_capture", "hash_on_uri_capture": "user",
            "hash_fallback": "query_arg", "hash_fallback_query_arg": "u",
        },
        {**HASHING, "hashOn": {"uriCapture": "user"}, "hashOnFallback": {"queryArg": "u"}},
    ),
    (
        {"hash_on": "ip", "hash_fallback": "cookie", "hash_on_cookie": "id"},
        {
            **HASHING, "hashOn": {"input": "ip"},
            "hashOnFallback": {"cookie": "id", "cookiePath": "/"},
        },
    ),
    (
        {"sticky_sessions_cookie": "s"},
        {
            "algorithm": "sticky-sessions", "hashOn": {"input": "none"},
            "stickySessions": {"cookie": "s"},
        },
    ),
    (
        {
            "healthchecks": {
                "threshold": 20,
                "active": {
                    "http_path": "/up", "https_verify_certificate": False,
                    "headers": {"x_probe": ["1"]}, "https_sni": None,
                    "unhealthy": {"http_failures": 3, "http_statuses": [500]},
                },
            }
        },
        {
            "healthchecks": {
                "threshold": 20,
                "active": {
                    "httpPath": "/up", "httpsVerifyCertificate": False,
                    "headers": {"x_probe": ["1"]},
                    "unhealthy": {"httpFailures": 3, "httpStatuses": [500]},
                },
            }
        },
    ),
]  # fmt: skip
