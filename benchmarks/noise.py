"""Generators from noisy images.

``python -m benchmarks.noise``
"""

from __future__ import annotations

from benchmarks.cases import AFFINE, Setting, Target, case
from benchmarks.columns import NOISE, READING_NOTE, columns
from benchmarks.command import Options, main
from benchmarks.sweep import sweep, warm_up
from liescope.evaluation.bench.record import Record
from liescope.evaluation.bench.table import Table

COSINES = {0.1: 0.999, 0.2: 0.99}
"""Least cosine by the standard deviation of the noise, a share of the grey range."""


def run(options: Options) -> Record:
    """9 transforms x 2 levels of noise x 3 seeds, 5,000 pairs each."""
    count = 200 if options.tiny else 5000
    seeds = options.seeds or ((0,) if options.tiny else (0, 1, 2))
    cases = [case("rotation")] if options.tiny else AFFINE
    levels = [0.1] if options.tiny else list(COSINES)
    plan = {Setting(one, noise=level): Target(COSINES[level], 5.0) for level in levels for one in cases}
    warm_up(tiny=options.tiny)
    rows, runs = sweep(plan, seeds, count)
    table = Table(f"Noise, affine basis, {count:,} pairs", columns(NOISE), rows, (READING_NOTE,))
    used = {"pairs": count, "seeds": seeds, "tiny": options.tiny, "basis": "affine"}
    return Record("noise", "Noise", (table,), runs, used)


if __name__ == "__main__":
    main({"noise": run})
