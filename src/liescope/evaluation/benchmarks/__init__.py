"""One system of measurement: problems x methods x records x tables.

``liescope bench``, ``make bench`` and ``liescope reproduce`` share what is here. A *problem* makes pairs with a known
answer, a *method* answers, a *score* holds the answer beside the truth and beside what knowing nothing would score. A
*record* keeps what came out, from which commit and on what machine; *tables* show it, from the record alone. Every
module of ``suite`` is a benchmark: ``run(options)`` makes its record, ``layout(title)`` has the columns of its tables.
"""

from __future__ import annotations

from liescope.evaluation.benchmarks.options import Options, UnavailableError
from liescope.evaluation.benchmarks.record import Record
from liescope.evaluation.benchmarks.registry import BENCHMARKS, DEFAULTS, SHOWN, Benchmark

__all__ = ["BENCHMARKS", "DEFAULTS", "SHOWN", "Benchmark", "Options", "Record", "UnavailableError"]
