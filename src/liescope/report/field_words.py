"""The answers of null vectors in plain words, for the terminal, the page and notebooks."""

from __future__ import annotations

import html
from collections import Counter
from typing import Any

from liescope.algebra.display import card, rows_html
from liescope.answer import FieldAnswer
from liescope.answer.numbers import angle_bound, error_size, number, percent
from liescope.report.typesetting import prose
from liescope.report.words import algebra_words, spoken_name

__all__ = ["algebra_sentences", "evidence_words", "generator_words", "result_html", "sentence", "summary", "title"]

_UNNAMED = (None, "general", "not closed", "solvable", "one-parameter", "abelian", "shear")
_LEFT_ALONE = {
    "function": "the function does not change",
    "equivariance": "the outputs follow when the inputs move",
    "cloud": "the distribution of the points does not change",
    "dynamics": "solutions go over into solutions",
}


def title(result: FieldAnswer) -> str:
    """The verdict in a few words."""
    if result.verdict == "no symmetry":
        return "No symmetry found"
    names = _names(result)
    if result.verdict == "undecided":
        return f"Undecided: {names} likely" if names else "Undecided"
    count = len(result.generators)
    return names[0].upper() + names[1:] if count == 1 else f"{count} symmetries: {names}"


def _names(result: FieldAnswer) -> str:
    algebra = result.algebra.get("name")
    if len(result.generators) > 1 and algebra not in _UNNAMED:
        return str(algebra)
    counted = Counter(spoken_name(g.generator.name) for g in result.generators)
    told = [name if n == 1 else f"{n} of {name}" if " " in name else f"{n} {name}s" for name, n in counted.items()]
    return ", ".join(told[:-1]) + " and " + told[-1] if len(told) > 1 else "".join(told)


def sentence(result: FieldAnswer) -> str:
    """What that means, in one sentence."""
    alone = _LEFT_ALONE[result.kind]
    count = len(result.generators)
    if result.verdict == "no symmetry":
        return f"There is no field of the basis {result.basis.name!r} along which {alone}."
    if result.verdict == "undecided":
        return f"Whether there are fields along which {alone} cannot be told from these data."
    fields = "one field" if count == 1 else f"{count} fields"
    near = "" if all(g.tier == "exact" for g in result.generators) else ", nearly"
    return f"There {'is' if count == 1 else 'are'} {fields} along which {alone}{near}."


def generator_words(result: FieldAnswer, index: int) -> str:
    """Defect, tier and uncertainty of a generator."""
    g = result.generators[index]
    sure = f"defect {error_size(g.defect)}, direction uncertain by {angle_bound(g.direction_error_deg)} degrees"
    if result.verdict != "symmetry":
        return f"not certified: {sure}"
    return f"{'exact as far as can be told' if g.tier == 'exact' else 'approximate'}: {sure}"


def evidence_words(result: FieldAnswer) -> list[str]:
    """What speaks for (or against) the verdict: sentences with numbers."""
    evidence = result.evidence
    words = [result.reason]
    spectrum = [float(d) for d in evidence["spectrum"]]
    count = len(result.generators)
    beyond = max(count, int(evidence["certified"]))
    if result.verdict == "symmetry" and beyond < len(spectrum):
        words.append(f"The next field has a defect of {number(spectrum[beyond], 2)}.")
    further = evidence["approximate"]
    if further:
        told = ", ".join(number(float(one["defect"]), 2) for one in further)
        many = "field is" if len(further) == 1 else "fields are"
        words.append(f"{len(further)} more {many} within the tolerance, but not exact (defect {told}).")
    open_ones = len(evidence["upper_bounds"]) - int(evidence["certified"])
    if result.verdict == "symmetry" and open_ones > 0:
        many = "field has a defect" if open_ones == 1 else "fields have defects"
        words.append(f"{open_ones} more {many} below the tolerance without being certified: more data would decide.")
    words += _module_words(result) + _data_words(result)
    return words + [str(note) for note in evidence.get("remarks", [])]


def _module_words(result: FieldAnswer) -> list[str]:
    rank, minimal, count = (
        int(n) for n in (result.evidence["rank"], result.evidence["minimal"], len(result.generators))
    )
    if not count or rank >= count:
        return []
    words = [f"At a point they go in {rank} independent direction{'s' * (rank > 1)}"]
    if minimal < count:
        first = "one makes" if minimal == 1 else f"{minimal} make"
        words.append(f"; the first {first} the others by multiplication with functions")
    return ["".join(words) + "."]


def _data_words(result: FieldAnswer) -> list[str]:
    evidence, words = result.evidence, []
    rank, ndim = evidence["support"]["rank"], evidence["support"]["ndim"]
    if rank < ndim:
        words.append(
            f"The points fill {rank} of {ndim} dimensions; fields are looked for there, nothing is said of elsewhere."
        )
    basis, moving = evidence["fields"]["basis"], evidence["fields"]["moving"]
    if rank == ndim and moving < basis and result.kind == "function":
        words.append(
            f"Of {basis} fields {basis - moving} move nothing that the function depends on, or are sums of others."
        )
    fit: dict[str, Any] = dict(result.fit)
    if fit.get("r2") is not None:
        words.append(
            f"What was learnt ({fit['model']}) explains {percent(max(float(fit['r2']), 0.0))} of what was held out."
        )
    return words


def algebra_sentences(result: FieldAnswer) -> str:
    """What the generators make together."""
    return algebra_words(result) if result.generators and result.algebra.get("description") else ""


def summary(result: FieldAnswer) -> str:
    """The answer in a few plain lines."""
    lines = [f"{title(result)}. {sentence(result)}"]
    for k, g in enumerate(result.generators[:12]):
        lines.append(f"  X = {g.equation}   ({generator_words(result, k)})")
    if len(result.generators) > 12:
        lines.append(f"  and {len(result.generators) - 12} more")
    lines.extend(f"  {line}" for line in evidence_words(result))
    return "\n".join(lines)


def result_html(result: FieldAnswer) -> str:
    """For a notebook: the verdict, the equations, the numbers that count."""
    told, meant = (html.escape(prose(text)) for text in (title(result), sentence(result)))
    head = f'<div style="font-size:1.25em;font-weight:600">{told}</div><div>{meant}</div>'
    rows = {f"X{k + 1}": f"{g.equation} ({generator_words(result, k)})" for k, g in enumerate(result.generators[:12])}
    rows["smallest defect"] = error_size(float(result.evidence["spectrum"][0]))
    rows["tolerance"] = number(float(result.evidence["tolerance"]))
    if name := result.algebra.get("name"):
        rows["Lie algebra"] = str(name)
    rows["points"] = f"{result.pairs:,}"
    return card(head + rows_html(rows))
