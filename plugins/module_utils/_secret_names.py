# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What says that a value is a secret where no declaration does: its name, or its form. Pure."""

from __future__ import annotations

import re

# Strings that older schemas do not mark as encrypted; names as the bundled plugins use them.
_SECRET_NAME = re.compile(
    r"(^|_)(password|secret|token|apikey|api_key|private_key|passphrase|aws_key|key|auth)$"
)
_NOT_SECRET = frozenset({"public_key"})
_PASSWORD_IN_URL = re.compile(r"://[^/@\s:]*:[^/@\s]+@")
_CREDENTIALS = frozenset({"authorization", "proxy_authorization", "cookie", "set_cookie"})
_SECRET_HEADER = re.compile(r"auth|cookie|token|secret|passw|api-?_?key", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether a setting's name says that its string is a secret."""
    return bool(_SECRET_NAME.search(name)) and name not in _NOT_SECRET


def holds_secret(text: str) -> bool:
    """Whether a string is a URL with a password, or ``name:value`` with a credential's name."""
    if _PASSWORD_IN_URL.search(text):
        return True
    name, colon, value = text.partition(":")
    name = name.strip().lower().replace("-", "_")
    return bool(colon and value) and (name in _CREDENTIALS or is_secret_name(name))


def is_secret_header(name: str) -> bool:
    """Whether a header's name says that its value is a credential."""
    return bool(_SECRET_HEADER.search(name))
