"""``python -m benchmarks [NAME ...] [--tiny] [--seeds ...] [--threads N] [--out DIR]``."""

from __future__ import annotations

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
    scaling,
)
from benchmarks.command import Benchmark, main

BENCHMARKS: Mapping[str, Benchmark] = {
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
    main(BENCHMARKS)
