# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files with saved plans. Private to the collection."""

from __future__ import annotations

import json
from typing import Any

from .._document._saved import FORMAT, Saved, is_complete, is_saved_plan
from .._errors import InputError


def text_of_plan(saved: Saved) -> str:
    return json.dumps(saved, indent=2, ensure_ascii=False) + "\n"


def read_plan(path: str) -> Saved | None:
    """The plan in a file, None where there is no such file.

    :raises InputError: it cannot be read, or holds something else.
    """
    try:
        with open(path, encoding="utf-8") as file:
            saved: Any = json.load(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        raise InputError(f"plan {path} cannot be read: {exc}") from exc
    if not is_saved_plan(saved):
        raise InputError(f"{path} is not a plan that kong_plan saved")
    if saved["format"] != FORMAT:
        raise InputError(
            f"plan {path} has the format {saved['format']}, and this release reads {FORMAT}: "
            "create it again with kong_plan"
        )
    if not is_complete(saved):
        raise InputError(f"plan {path} is not complete; create it again with kong_plan")
    found: Saved = saved
    return found
