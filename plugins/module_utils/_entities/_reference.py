# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kinds that others point at and that have no module yet.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Kind

# Found by id; the Admin API also takes one of its SNIs in the path.
CERTIFICATE = Kind(name="certificate", path="certificates", identity="id", fields=())
