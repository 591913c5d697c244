# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ``gateway`` decides on the controller. PRIVATE to the collection."""
