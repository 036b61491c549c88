"""The law of the magnitudes: its distance from the truth and the number of its modes.

``python -m benchmarks.laws``
"""

from __future__ import annotations

from benchmarks.cases import LAW_MODES, Setting, Target, case
from benchmarks.columns import EXACT_NOTE, LAW, MODES, READING_NOTE, columns
from benchmarks.command import Options, main
from benchmarks.sweep import sweep, warm_up
from liescope.evaluation.bench.record import Record
from liescope.evaluation.bench.table import Table

CASES = ("rotation", "scale", "translation-x")


def run(options: Options) -> Record:
    """5 laws x 3 transforms x 3 seeds, 5,000 pairs each."""
    count = 200 if options.tiny else 5000
    seeds = options.seeds or ((0,) if options.tiny else (0, 1, 2))
    cases, laws = (CASES[:1], ["two-modal"]) if options.tiny else (CASES, list(LAW_MODES))
    plan = {
        Setting(case(name), order=3, law=law): Target(0.9995, 5.0, w1=0.01, modes=LAW_MODES[law])
        for name in cases
        for law in laws
    }
    warm_up(tiny=options.tiny)
    rows, runs = sweep(plan, seeds, count)
    table = Table(f"Laws of t, affine basis, {count:,} pairs", columns(LAW, MODES), rows, (READING_NOTE, EXACT_NOTE))
    used = {"pairs": count, "seeds": seeds, "tiny": options.tiny, "basis": "affine"}
    return Record("laws", "Laws of the magnitudes", (table,), runs, used)


if __name__ == "__main__":
    main({"laws": run})
