"""The documentation site: Sphinx reads Markdown (MyST) and docstrings; `make docs` builds it,
warnings are errors.
"""

from __future__ import annotations

import sys
from importlib.metadata import distribution
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "Universal Macro Emulator"
author = "The Universal Macro Emulator authors"
language = "en"
smartquotes = False  # they would make one dash of two, and options unfit to be copied
exclude_patterns = ["_ext"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "docstrings",
    "generated",
]
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

# Formulas need no other server: MathJax is a file of the site, from a package of PyPI.
html_static_path.append(
    str(
        distribution("sphinx-mathjax-offline").locate_file(
            "sphinx-mathjax-offline/static/mathjax/tex-svg.js"
        )
    )
)
mathjax_path = "tex-svg.js"
mathjax3_config = {"svg": {"fontCache": "global"}, "options": {"enableMenu": False}}

# What is typed in can be copied; what is printed has no button.
copybutton_selector = ", ".join(
    f"div.highlight-{language} pre" for language in ("python", "console", "yaml", "default")
)

html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 7,
    "navigation_with_keys": False,
    "back_to_top_button": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}
copyright = f"{author}. MIT licence"
