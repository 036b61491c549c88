"""The page of a result: one HTML file that needs nothing else."""

from __future__ import annotations

from pathlib import Path

from liescope.answer import LABELS, Answer
from liescope.engines import ENGINES, Fitted, restore
from liescope.report import words
from liescope.report.citation import citations
from liescope.report.curves import training_view
from liescope.report.details import lines_to_use, run_rows, setting_rows
from liescope.report.evidence import evidence_words, explained
from liescope.report.film import film_view
from liescope.report.interactive import DECODED_STEPS, slider_data, sources_of
from liescope.report.labels import labels_view
from liescope.report.samples import sample_views
from liescope.report.sets import compared_sets, sets_view
from liescope.report.typesetting import fill
from liescope.report.views import bracket_rows, generator_view, pair_view

__all__ = ["render_page", "write_page"]


def render_page(result: Answer, folder_name: str = "RESULT") -> str:
    """The page as text.

    Parameters
    ----------
    result : Answer
    folder_name : str
        How the lines to copy call the result's folder.

    Returns
    -------
    str
        HTML without references to anything outside it.
    """
    sources = sources_of(result)
    fitted = _trained(result)
    compared = restore(result.engine, result.state, result.basis) if compared_sets(result) else None
    algebra = filter(None, (text(result) for text in (words.algebra_words, words.factor_words, words.clean_words)))
    return fill(
        "page.html.j2",
        result=result,
        title=words.title(result),
        sentence=words.sentence(result),
        generators=[generator_view(result, k, sources) for k in range(len(result.generators))],
        slider=slider_data(result, sources, fitted),
        decoded_steps=DECODED_STEPS,
        explained=explained(result),
        evidence=evidence_words(result),
        reason=words.reason(result),
        algebra=" ".join(algebra),
        brackets=bracket_rows(result),
        training=training_view(result, fitted.history if fitted else ()),
        film=film_view(result),
        labels=labels_view(result),
        sets=sets_view(result, None if compared is None else compared.means),
        compares=bool(compared_sets(result)),
        pairs=[] if result.engine == LABELS else [pair_view(view) for view in sample_views(result)],
        use=lines_to_use(result, folder_name),
        citations=citations(result.version),
        details=run_rows(result),
        settings=setting_rows(result),
    )


def _trained(result: Answer) -> Fitted | None:
    """What was trained, where something was."""
    engine = ENGINES.get(result.engine)
    return restore(result.engine, result.state, result.basis) if engine is not None and engine.trains else None


def write_page(result: Answer, path: Path, folder_name: str = "RESULT") -> None:
    """Write :func:`render_page` to a file."""
    path.write_text(render_page(result, folder_name), encoding="utf-8")
