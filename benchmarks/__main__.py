"""``python -m benchmarks [NAME ...] [--tiny] [--seeds ...] [--threads N] [--out DIR]``, ``render`` and ``quoted``."""

from __future__ import annotations

import sys

from benchmarks import command, quoted, render
from liescope.evaluation.benchmarks import BENCHMARKS

if __name__ == "__main__":
    if sys.argv[1:2] == ["render"]:
        render.main(sys.argv[2:])
    elif sys.argv[1:2] == ["quoted"]:
        sys.exit(quoted.main())
    else:
        command.main(BENCHMARKS)
