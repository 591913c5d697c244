# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that operations write where their task runs, readable by their owner only.

Private to the collection.
"""

from __future__ import annotations

import contextlib
import os
import tempfile

from .._errors import InputError


def is_another(path: str, text: str) -> bool:
    """Whether the file does not hold the text, or may be read by others."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read() != text or bool(os.stat(path).st_mode & 0o077)
    except FileNotFoundError:
        return True
    except (OSError, ValueError) as exc:
        raise InputError(f"dest {path} cannot be read: {exc}") from exc


def write_private(path: str, text: str) -> None:
    """Replace the file as a whole; only its owner may read it, as it may hold secrets."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        # Of the mode 0600 from the beginning.
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".kong_")
    except OSError as exc:
        raise InputError(f"dest {path} cannot be written: {exc}") from exc
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as exc:
        raise InputError(f"dest {path} cannot be written: {exc}") from exc
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
