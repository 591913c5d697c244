# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validators of plugins' configurations that the schemas' dumps leave out, by plugin and field."""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

from . import values
from .patterns import python_pattern
from .schema import Validator

PERIODS = ("second", "minute", "hour", "day", "month", "year")

GRANTS = (
    "enable_authorization_code",
    "enable_implicit_grant",
    "enable_client_credentials",
    "enable_password_grant",
)


def _grants(config: dict[str, Any]) -> str | None:
    if any(config.get(grant) is True for grant in GRANTS):
        return None
    return f"at least one of these fields must be true: {', '.join(GRANTS)}"


def _lower_limit(limits: dict[str, Any], article: str = "the") -> str | None:
    """A longer period with a lower limit than a shorter one."""
    written = [(period, limits[period]) for period in PERIODS if limits.get(period) is not None]
    for place, (short, many) in enumerate(written):
        for long, few in written[place + 1 :]:
            if few < many:
                return (
                    f"{article} limit for {long}({few:.1f}) cannot be lower than the limit for "
                    f"{short}({many:.1f})"
                )
    return None


def _rate_limiting(config: dict[str, Any]) -> str | None:
    error = _lower_limit(config, "The")
    rate = config.get("sync_rate", -1)
    if error is not None or rate == -1:
        return error
    if config.get("policy") != "redis":
        return "sync_rate can only be used with the redis policy"
    return "sync_rate must be greater than 0.02, or -1 to disable" if rate < 0.02 else None


def _request_termination(config: dict[str, Any]) -> str | None:
    raw = config.get("content_type") or config.get("body")
    if config.get("message") and raw:
        return "message cannot be used with content_type or body"
    if config.get("content_type") and not config.get("body"):
        return "content_type requires a body"
    return "echo cannot be used with content_type and body" if config.get("echo") and raw else None


def _http_log(config: dict[str, Any]) -> str | None:
    names = {name.lower() for name in config.get("headers") or ()}
    if "authorization" in names and urllib.parse.urlsplit(config["http_endpoint"]).username:
        return (
            "specifying both an 'Authorization' header and user info in 'http_endpoint' "
            "is not allowed"
        )
    return None


def _origin(value: str) -> str | None:
    try:
        python_pattern("" if value == "*" else value)
    except re.error:
        return f"'{value}' is not a valid regex"
    return None


def _header_pair(pair: str, both: bool = False) -> str | None:
    name, _colon, value = pair.partition(":")
    for part in (name, value.lstrip(":")) if both else (name,):
        if values.header_name(part) is not None:
            return f"'{part}' is not a valid header"
    return None


def _renamed_header(pair: str) -> str | None:
    return _header_pair(pair, both=True)


def _pair(entry: str) -> str | None:
    name, _colon, value = entry.partition(":")
    return None if value.lstrip(":") else f"key '{name}' has no value"


def _distinct_tags(tags: list[dict[str, Any]]) -> str | None:
    names = [tag["name"] for tag in tags]
    repeated = [name for place, name in enumerate(names) if name in names[:place]]
    return f"repeated tags are not allowed: {repeated[0]}" if repeated else None


_PARTS = ("add", "append", "replace")
_FIELDS: dict[str, Validator] = {
    "acme.config.api_uri": values.url,
    "aws-lambda.config.aws_region": values.host,
    "aws-lambda.config.aws_sts_endpoint_url": values.url,
    "aws-lambda.config.host": values.host,
    "aws-lambda.config.proxy_url": values.url,
    "cors.config.origins[]": _origin,
    "datadog.config.host": values.host,
    "http-log.config": _http_log,
    "http-log.config.headers.keys": values.header_name,
    "http-log.config.http_endpoint": values.url,
    "ip-restriction.config.allow[]": values.ip_or_cidr,
    "ip-restriction.config.deny[]": values.ip_or_cidr,
    "key-auth.config.key_names[]": values.header_name,
    "ldap-auth.config.ldap_host": values.host,
    "loggly.config.host": values.host,
    "oauth2.config": _grants,
    "opentelemetry.config.endpoint": values.url,
    "opentelemetry.config.headers.keys": values.header_name,
    "opentelemetry.config.logs_endpoint": values.url,
    "opentelemetry.config.traces_endpoint": values.url,
    "rate-limiting.config": _rate_limiting,
    "rate-limiting.config.header_name": values.header_name,
    "rate-limiting.config.path": values.plain_path,
    "redirect.config.location": values.url,
    "request-termination.config": _request_termination,
    "request-termination.config.trigger": values.header_name,
    "request-transformer.config.remove.headers[]": _header_pair,
    "request-transformer.config.rename.body[]": _pair,
    "request-transformer.config.rename.headers[]": _renamed_header,
    "request-transformer.config.rename.querystring[]": _pair,
    "response-ratelimiting.config.limits.values": _lower_limit,
    "response-transformer.config.rename.headers[]": _renamed_header,
    "statsd.config.host": values.host,
    "tcp-log.config.host": values.host,
    "udp-log.config.host": values.host,
    "zipkin.config.http_endpoint": values.url,
    "zipkin.config.static_tags": _distinct_tags,
    **{f"request-transformer.config.{part}.body[]": _pair for part in _PARTS},
    **{f"request-transformer.config.{part}.headers[]": _header_pair for part in _PARTS},
    **{f"request-transformer.config.{part}.querystring[]": _pair for part in _PARTS},
    **{
        f"{plugin}.config.redis{separator}{field}": validator
        for plugin in ("rate-limiting", "response-ratelimiting")
        for separator in (".", "_")
        for field, validator in (("host", values.host), ("server_name", values.sni))
    },
}
#: Validators by the dotted path of a field, below `plugins/`.
VALIDATORS = {f"plugins/{path}": validator for path, validator in _FIELDS.items()}
