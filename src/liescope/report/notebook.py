"""What notebooks show of a result."""

from __future__ import annotations

import hashlib
import html

from liescope.algebra.display import ACCENT, SECOND, card, rows_html
from liescope.answer import LABELS, Answer
from liescope.answer.numbers import number, p_value_words, percent
from liescope.report import words
from liescope.report.drawings import law_svg
from liescope.report.evidence import explained
from liescope.report.typesetting import prose

__all__ = ["result_html"]

# Letters take the notebook's own colour, light or dark.
_COLOURS = (
    "--ink:currentColor;--muted:currentColor;--line:rgba(128,128,128,0.4);"
    f"--edge:rgba(128,128,128,0.8);--accent:{ACCENT};--second:{SECOND}"
)


def result_html(result: Answer) -> str:
    """The verdict, every generator with its field and its law, the numbers that count."""
    title, sentence = (html.escape(prose(text)) for text in (words.title(result), words.sentence(result)))
    head = f'<div style="font-size:1.25em;font-weight:600">{title}</div><div>{sentence}</div>'
    drawings = "".join(_generator(result, k) for k in range(len(result.generators)))
    return card(head + drawings + rows_html(_key_numbers(result)))


def _generator(result: Answer, index: int) -> str:
    found = result.generators[index]
    how_much = prose(words.how_much(result, index))
    label = html.escape(f"histogram of the magnitudes: {how_much}")
    # Identifiers inside a drawing must be its own among all drawings of the notebook.
    digest = hashlib.sha256(f"{found.generator.equation} {index}".encode() + result.t.tobytes()).hexdigest()[:12]
    law = law_svg(result, index, f"liescope-{digest}", label, width=3.6)
    return (
        f'<div style="display:flex;flex-wrap:wrap;align-items:center;gap:4px 24px;{_COLOURS}">'
        f"{found.html({'magnitude': how_much.removeprefix('by ')})}"
        f'<div style="flex:0 1 320px;min-width:240px">{"" if result.engine == LABELS else law}</div></div>'
    )


def _key_numbers(result: Answer) -> dict[str, str]:
    if result.engine == LABELS:
        return {
            "nats over no sharing": number(float(result.evidence["nats"])),
            "labels": f"{int(result.evidence['labels']):,}",
            "computed in": f"{number(result.seconds, 2)} s",
        }
    rows = {"difference explained on held-out pairs": percent(max(explained(result), 0.0))}
    p = result.evidence.get("p_value")
    rows["chance of such a gain without symmetry"] = "unknown" if p is None else p_value_words(float(p))
    if result.generators:
        rows["pairs that follow"] = f"{percent(result.accepted_fraction)} of {result.pairs:,}"
        if name := result.algebra.get("name"):
            rows["Lie algebra"] = str(name)
    else:
        rows["pairs"] = f"{result.pairs:,}"
    rows["computed in"] = f"{number(result.seconds, 2)} s by the {result.engine} engine"
    return rows
