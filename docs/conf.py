"""The documentation site: Sphinx reads Markdown (MyST) and docstrings; `make docs` builds it,
warnings are errors.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "Universal Macro Emulator"
author = "The Universal Macro Emulator authors"
language = "en"
smartquotes = False  # they would make one dash of two, and options unfit to be copied
exclude_patterns = ["_ext"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "docstrings", "generated"]
myst_enable_extensions = ["dollarmath", "amsmath", "fieldlist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # a page that is included begins below our own title

autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "exclude-members": "model_config, WorldName"}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
add_module_names = False

html_theme = "pydata_sphinx_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 7,
    "navigation_with_keys": False,
    "back_to_top_button": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}
copyright = f"{author}. MIT licence"
