"""Sphinx settings. ``python -m docs.site`` copies this file beside the staged sources and builds them."""

from __future__ import annotations

import logging
import warnings

import matplotlib as mpl

from liescope import __version__

mpl.use("agg")
# What is said of examples is what they print.
logging.getLogger("liescope").setLevel(logging.WARNING)

project = "liescope"
author = "The liescope authors"
copyright = author  # noqa: A001  (Sphinx's name)
version = release = __version__
language = "en-GB"
smartquotes_action = "D"  # dashes between a parameter and its text; quotes stay as they are written

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "docs.site.extension",
    "docs.site.progress",
]
exclude_patterns = ["files/**"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
html_math_renderer = "mathml"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
maximum_signature_line_length = 78
napoleon_google_docstring = False
napoleon_use_rtype = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "within_subsection_order": "FileNameSortKey",
    "matplotlib_animations": False,
    "download_all_examples": False,
    "show_signature": False,
    "capture_repr": (),
    "remove_config_comments": True,
    "min_reported_time": 10_000,
    "write_computation_times": False,
    "show_memory": False,
    "image_srcset": ["2x"],
    "plot_gallery": "True",
    "reset_modules": ("matplotlib", "docs.site.progress.say_example"),
}
# Matplotlib's own notice that nothing is shown on a screen.
warnings.filterwarnings("ignore", message=".*non-interactive.*", category=UserWarning)

html_theme = "furo"
html_title = f"liescope {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f6fb2", "color-brand-content": "#1f6fb2"},
    "dark_css_variables": {"color-brand-primary": "#7db1dc", "color-brand-content": "#7db1dc"},
}
