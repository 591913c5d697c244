# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of ``kong.conf``: which are known, which hold secrets and numbers of versions.

Private to the collection.
"""

from __future__ import annotations

from ._tables import FAMILIES, NAMES, OPEN, PRIVATE_KEYS, SECRETS


def is_known(name: str) -> bool:
    """Whether a gateway of any line from 3.4 on has this setting."""
    return name in NAMES or bool(FAMILIES.fullmatch(name))


def is_secret(name: str, text: str) -> bool:
    """Whether a setting's value must not be shown: secrets, and settings that are not known.

    A private key is one where it is given itself, and not its path; a reference to a vault is none.
    """
    if text.startswith("{vault://") or not text:
        return False
    if PRIVATE_KEYS.fullmatch(name):
        return not text.startswith("/")
    return not is_known(name) or bool(SECRETS.fullmatch(name) and not OPEN.fullmatch(name))


def numbers_of(version: str) -> list[int]:
    """The numbers of a version, which compare as they should."""
    return [int(part) for part in version.split(".") if part.isdigit()]
