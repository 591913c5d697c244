# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of the gateway's settings, as playbooks have them and as ``kong.conf`` has them.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from typing import Any


def is_text(value: Any) -> bool:
    """Whether it is a text; before ansible-core 2.19 one under ``!vault`` is of another type."""
    return isinstance(value, str) or bool(getattr(value, "__ENCRYPTED__", False))


def text_of(value: Any) -> str:
    """A value in the spelling of ``kong.conf``: ``on`` and ``off``, and commas between items."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return ",".join(map(text_of, value))
    return str(value)
