# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Sphinx for the documentation's site; `make docs` builds it."""

from __future__ import annotations

REPOSITORY = "https://github.com/irishtek/irishtek.kong"
project = "irishtek.kong"
copyright = "2026, the irishtek.kong authors"
html_title = "irishtek.kong: Kong Gateway from Ansible"
html_short_title = project

extensions = ["sphinx_antsibull_ext"]
highlight_language = "YAML+Jinja"
pygments_style = "ansible"
default_role = "any"
nitpicky = True
# Settings of ansible-core's own, which its documentation describes.
nitpick_ignore_regex = [("envvar", "ANSIBLE_.*")]
# References to other collections' pages would need their inventories, which a build without
# a network does not have; and an example that a lexer does not know has fewer colours.
suppress_warnings = ["ref.ref", "misc.highlighting_failure"]

html_theme = "sphinx_ansible_theme"
html_theme_options = {
    "collapse_navigation": True,
    "documentation_home_url": REPOSITORY,
    "navigation_depth": 2,
    "show_extranav": False,
    "show_rtd_ethical_ads": False,
    "titles_only": True,
    "topbar_links": {"Source": REPOSITORY, "Issues": f"{REPOSITORY}/issues"},
}
html_show_sphinx = False
html_use_index = False
html_copy_source = False
