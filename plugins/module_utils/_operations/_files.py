# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that operations read and write where their task runs."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from typing import Any

from .._document._saved import FORMAT, Saved, is_complete
from .._errors import InputError


def replace_file(path: str, text: str, check_mode: bool) -> bool:
    """Make the text the content of a file that only its owner may read: it can hold secrets.

    :returns: whether the file is another one before, which check mode leaves as it is.
    """
    try:
        with open(path, encoding="utf-8") as file:
            differs = file.read() != text or bool(os.stat(path).st_mode & 0o077)
    except FileNotFoundError:
        differs = True
    except (OSError, ValueError) as exc:
        raise InputError(f"dest {path} cannot be read: {exc}") from exc
    if differs and not check_mode:
        try:
            _write_private(path, text)
        except OSError as exc:
            raise InputError(f"dest {path} cannot be written: {exc}") from exc
    return differs


def _write_private(path: str, text: str) -> None:
    # As a whole or not at all, and of the mode 0600 from the beginning.
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".kong_")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


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
    if not (isinstance(saved, dict) and {"format", "changes"} <= saved.keys()):
        raise InputError(f"{path} is not a plan that kong_plan saved")
    if saved["format"] != FORMAT:
        raise InputError(
            f"plan {path} has the format {saved['format']}, and this release reads {FORMAT}: "
            "create it again with kong_plan"
        )
    if not is_complete(saved):
        raise InputError(f"plan {path} is not complete; create it again with kong_plan")
    return saved
