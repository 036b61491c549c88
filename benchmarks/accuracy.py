"""Generators and magnitudes of every affine transform, made with every interpolation.

``python -m benchmarks.accuracy``
"""

from __future__ import annotations

from benchmarks.cases import AFFINE, Setting, Target, case
from benchmarks.columns import EXACT_NOTE, HELD_NOTE, READING_NOTE, columns
from benchmarks.command import Options, main
from benchmarks.sweep import sweep, warm_up
from liescope.evaluation.bench.record import Record
from liescope.evaluation.bench.table import Table

TARGET = Target(cosine=0.9995, seconds=5.0, t_error=0.01)
ORDERS = (0, 1, 3)


def run(options: Options) -> Record:
    """9 transforms x 3 interpolation orders x 3 seeds, 5,000 pairs each."""
    count = 64 if options.tiny else 5000
    seeds = options.seeds or ((0,) if options.tiny else (0, 1, 2))
    if options.tiny:
        settings = [Setting(case("rotation"), 1), Setting(case("translation-x"), 0)]
    else:
        settings = [Setting(one, order) for one in AFFINE for order in ORDERS]
    warm_up(tiny=options.tiny)
    rows, runs = sweep(dict.fromkeys(settings, TARGET), seeds, count)
    table = Table(f"Affine basis, {count:,} pairs", columns(held=True), rows, (READING_NOTE, EXACT_NOTE, HELD_NOTE))
    used = {"pairs": count, "seeds": seeds, "tiny": options.tiny, "basis": "affine"}
    return Record("accuracy", "Accuracy", (table,), runs, used)


if __name__ == "__main__":
    main({"accuracy": run})
