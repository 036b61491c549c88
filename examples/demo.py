"""The main job on real digits: which symmetry relates the pairs, how large, how sure.

Makes 5,000 pairs of MNIST digits, each target its source rotated by an angle uniform in +-60 degrees, tells
the detector nothing about it, and prints what it finds beside the truth. The page is ``demo/report.html``.

Run it with ``python examples/demo.py`` (``--tiny``: a few hundred pairs; ``--out DIR``: another folder).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from liescope import SymmetryResult, detect
from liescope.answer.numbers import angle_bound, number, percent
from liescope.cli.progress import ProgressDisplay
from liescope.data import Pairs, make_pairs
from liescope.evaluation import field_cosine
from liescope.report import words
from liescope.report.evidence import explained

HALF_RANGE = 60.0


def compared(pairs: Pairs, result: SymmetryResult) -> list[tuple[str, str, str]]:
    """Rows (what, truth, found)."""
    if not result.generators or pairs.natural_magnitude is None:
        return [("verdict", "symmetry", result.verdict)]
    found = result.generators[0]
    truth = np.asarray(pairs.meta["generators"][0])
    cosine = field_cosine(truth, found.generator.coefficients, basis="affine", shape=result.shape[1:])
    true_angle = pairs.natural_magnitude[:, 0]
    # The truth and the finding each fix the sign of their generator: counter-clockwise is positive in both.
    error = np.abs(result.natural[:, 0] - true_angle)[result.accepted]
    columns, rows = result.shape[2], result.shape[1]
    column, row = found.generator.centre_px or (np.nan, np.nan)
    low, high = words.ends(result, 0)
    return [
        ("what", pairs.meta["transform"], found.generator.name),
        ("equation", "-y d/dx + x d/dy", found.generator.equation),
        ("centre (pixels)", f"({(columns - 1) / 2:g}, {(rows - 1) / 2:g})", f"({column:.2f}, {row:.2f})"),
        ("angles (degrees)", f"{true_angle.min():.1f} to {true_angle.max():.1f}", f"{low} to {high}"),
        ("cosine of the fields", "1", f"{cosine:.6f}"),
        ("median error of the angle", "0", f"{number(float(np.median(error)), 2)} degrees"),
        ("direction uncertain by", "", f"{angle_bound(found.direction_error_deg)} degrees"),
        ("difference explained", "", percent(explained(result))),
        ("pairs that follow it", "", percent(result.accepted_fraction)),
        ("seconds to detect", "", number(result.seconds, 2)),
    ]


def main(out: Path, tiny: bool = False) -> SymmetryResult:
    """Make, detect, print, save."""
    with ProgressDisplay() as display:
        pairs = make_pairs(
            "symnist",
            transform="rotation",
            range=HALF_RANGE,
            law="uniform",
            # Cubic splines: the engine resamples linearly, so the pairs are not made the way they are taken apart.
            order=3,
            pairs=300 if tiny else 5000,
            seed=0,
            progress=lambda done, total: display("making pairs", done / total),
        )
        result: SymmetryResult = detect(pairs.source, pairs.target, basis="affine", random_state=0, progress=display)
        display("writing the page", 1.0)
        result.save(out)
    table = Table("", "truth", "found")
    for row in compared(pairs, result):
        table.add_row(*row)
    console = Console(highlight=False)
    console.print(words.sentence(result))
    console.print(table)
    console.print(f"page: {out / 'report.html'}", markup=False)
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Find a rotation in pairs of real digits.")
    parser.add_argument("--tiny", action="store_true", help="a few hundred pairs")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder of the result (default: demo)")
    arguments = parser.parse_args()
    main(arguments.out, arguments.tiny)
