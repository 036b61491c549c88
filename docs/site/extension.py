"""What Sphinx lacks for this site.

Formulas become MathML while the site is built, which browsers show without a script or a network. And the types of
parameters, which are written in plain words ("array, shape (N, K)"), make links of class names only.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx import addnodes

__all__ = ["setup"]


def _mathml(formula: str, as_block: bool) -> str:
    # The indentation that docutils adds for people would be shown as gaps inside of words.
    return re.sub(r">\s+<", "><", tex2mathml(formula, as_block=as_block))


def _visit_inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(f'<span class="math">{_mathml(node.astext(), as_block=False)}</span>')
    raise nodes.SkipNode


def _visit_block(translator: Any, node: nodes.math_block) -> None:
    number = node.get("number")
    mark = f'<span class="eqno">({number})</span>' if number else ""
    translator.body.append(f'<div class="math-block">{_mathml(node.astext(), as_block=True)}{mark}</div>')
    raise nodes.SkipNode


def _unlink_plain_words(app: Any, doctree: nodes.document) -> None:
    """Sphinx takes every word of a type for a class: "shape" would lead to the shape of something else."""
    for reference in list(doctree.findall(addnodes.pending_xref)):
        target = reference.get("reftarget", "")
        plain = reference.get("reftype") == "class" and "." not in target and not target[:1].isupper()
        if plain:
            reference.replace_self(nodes.Text(target))


def _is_left_out(app: Any, what: str, name: str, member: Any, skip: bool, options: Any) -> bool | None:
    """Members that say nothing here: the entries of named tuples a second time, scikit-learn's metadata routing."""
    inherited = getattr(member, "__qualname__", "").startswith("RequestMethod")
    return True if inherited or type(member).__name__ in ("_tuplegetter", "member_descriptor") else None


def _readable_signature(
    app: Any, what: str, name: str, member: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """A dataclass shows a default that is made by a function as "<factory>", which Sphinx cannot parse."""
    return signature and signature.replace("<factory>", "..."), returns


def setup(app: Any) -> dict[str, Any]:
    """Register the renderer as ``mathml``."""
    app.connect("autodoc-process-signature", _readable_signature)
    app.connect("autodoc-skip-member", _is_left_out)
    app.connect("doctree-read", _unlink_plain_words)
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
