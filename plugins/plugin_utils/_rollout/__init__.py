# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role rollout decides. PRIVATE to the collection: it can change in any release."""
