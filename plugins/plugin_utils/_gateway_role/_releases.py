# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of the gateway and the keys of its package repositories, with their sources.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

# The version of each edition that is installed by default. Source: developer.konghq.com,
# app/_data/products/gateway.yml and app/_data/support/gateway.yml (August 2026). The open edition
# has no line after 3.9; 3.14 is the newest line with long support.
DEFAULTS = {"community": "3.9.3", "enterprise": "3.14.0.13"}
LAST_COMMUNITY_LINE = "3.9"

# Each line, the end of its support, and the published keys of its repository: that of deb packages
# and that of rpm packages; a repository of rpm packages needs both (public_keys of gateway.yml).
_LINES = """
3.4   2026-08-31  6B5D054B0707DE3B  182B189D58356D29
3.5   2024-11-08  501204D36929F3AE  143557F9AEBB4856
3.6   2025-02-12  1D935A6039ECFC53  6D312E174BE30B5A
3.7   2025-05-28  C05D9BEAEB9E8E18  A757CBAFE0D65143
3.8   2025-09-11  8F87A07D181DAA6B  E4186B13EAE1A2D5
3.9   2025-12-12  B9DCD032B1696A89  EE30089B2CC28C9A
3.10  2028-03-31  5F07A9706C09A6C6  F95F9D51CE8D04A7
3.11  2026-07-03  CF9CDA9D288571F9  D0099E9501A25DF6
3.12  2026-10-01  875433A518B93006  CF99E3B118DABBFB
3.13  2026-12-18  B3A98B904066BD1F  45BBB5BD8790E760
3.14  2029-04-07  1B7E2AF3C3BF8153  D7B3E1CFBAE1C1CA
3.15  2027-07-02  70F548ACDD3D34DB  AECCD277A6B82E42
"""
_ROWS = [row.split() for row in _LINES.strip().splitlines()]
END_OF_LIFE = {line: end for line, end, *_keys in _ROWS}
KEYS = {line: tuple(keys) for line, _end, *keys in _ROWS}
PACKAGES = {"community": "kong", "enterprise": "kong-enterprise-edition"}
IMAGES = {"community": "docker.io/library/kong", "enterprise": "docker.io/kong/kong-gateway"}


def line_of(version: str) -> str:
    """The line of a version: ``3.10`` of ``3.10.0.17``."""
    return ".".join(version.split(".")[:2])
