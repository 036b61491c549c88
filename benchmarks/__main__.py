"""``python -m benchmarks [NAME ...] [--tiny] [--seeds ...] [--threads N] [--out DIR]``, and ``render``."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from benchmarks import (
    accuracy,
    corpora,
    decisions,
    kornia_registrator,
    latent,
    latent_step,
    laws,
    noise,
    quadratic,
    render,
    scaling,
)
from benchmarks.command import Benchmark, main
from liescope.evaluation.bench import BENCHMARKS as PUBLIC

BENCHMARKS: Mapping[str, Benchmark] = {
    **PUBLIC,
    "accuracy": accuracy.run,
    "laws": laws.run,
    "noise": noise.run,
    "quadratic": quadratic.run,
    "corpora": corpora.run,
    "scaling": scaling.run,
    "decisions": decisions.run,
    "latent": latent.run,
    "latent_step": latent_step.run,
    "kornia_registrator": kornia_registrator.run,
}

if __name__ == "__main__":
    if sys.argv[1:2] == ["render"]:
        render.main(sys.argv[2:])
    else:
        main(BENCHMARKS)
