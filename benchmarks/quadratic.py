"""The quadratic basis: affine and special conformal transforms, with twice the freedom to go wrong.

``python -m benchmarks.quadratic``; with ``--seeds 0 1 2`` all of it runs with three seeds.
"""

from __future__ import annotations

from benchmarks.cases import AFFINE, SPECIAL_CONFORMAL, Setting, Target, case
from benchmarks.columns import EXACT_NOTE, HELD_NOTE, NOISE, READING_NOTE, columns
from benchmarks.command import Options, main
from benchmarks.sweep import sweep, warm_up
from liescope.evaluation.bench.record import Record
from liescope.evaluation.bench.table import Table

BASIS = "quadratic"
TARGET = Target(cosine=0.999, seconds=20.0)
LEVELS = (0.1, 0.2)


def run(options: Options) -> Record:
    """11 transforms, 5,000 pairs each; linear interpolation with 3 seeds, the other orders and noise with one."""
    count = 64 if options.tiny else 5000
    if options.tiny:
        seeds = other_seeds = options.seeds or (0,)
        clean, other, noisy = [Setting(case("sct-x"), basis=BASIS)], [], []
    else:
        seeds, other_seeds = options.seeds or (0, 1, 2), options.seeds or (0,)
        cases = (*AFFINE, *SPECIAL_CONFORMAL)
        clean = [Setting(one, 1, basis=BASIS) for one in cases]
        other = [Setting(one, order, basis=BASIS) for order in (0, 3) for one in cases]
        noisy = [Setting(one, noise=level, basis=BASIS) for level in LEVELS for one in AFFINE]
    warm_up("affine" if options.tiny else BASIS, options.tiny)
    tables, runs = [], []
    for title, settings, chosen in (
        ("linear interpolation", clean, seeds),
        ("other interpolations", other, other_seeds),
        ("noise", noisy, other_seeds),
    ):
        if not settings:
            continue
        rows, own = sweep(dict.fromkeys(settings, TARGET), chosen, count)
        runs += own
        shown = columns(NOISE) if settings is noisy else columns(held=settings is other)
        notes = (READING_NOTE, EXACT_NOTE, HELD_NOTE) if settings is other else (READING_NOTE, EXACT_NOTE)
        tables.append(Table(f"Quadratic basis, {title}, {count:,} pairs", shown, rows, notes))
    used = {
        "pairs": count,
        "seeds": seeds,
        "seeds_of_other_orders_and_noise": other_seeds,
        "tiny": options.tiny,
        "basis": BASIS,
    }
    return Record("quadratic", "Quadratic basis", tables, runs, used)


if __name__ == "__main__":
    main({"quadratic": run})
