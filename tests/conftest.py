"""Real digits, and results built by hand: what the page and the command line are tested with.

Also the order of the suite. Workers (pytest-xdist) get one thread each, the longest tests first, and tests that share
something expensive stay together. ``durations.json`` holds what tests took when they were last measured.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Generator as Steps
from pathlib import Path
from typing import Any

# Before torch is loaded, and for the processes that tests start: a worker per core, and a thread per worker.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import checked_once

# Before liescope is loaded.
checked_once.install()

import numpy as np
import pytest
from groups import Plugin, tell_groups

from liescope.algebra import Generator
from liescope.cli import main
from liescope.data import load_corpus
from liescope.geometry import get_basis
from liescope.result import DetectedGenerator, Samples, SymmetryResult

DURATIONS = Path(__file__).with_name("durations.json")
"""Seconds of one core by test function: the longest of its cases, with what was set up for it."""

LONG = 0.5
"""Seconds from which a test is slow (``-m "not slow"`` leaves it out) and is in the table."""

SHARED = (
    "site",
    "pages",
    "fitted",
    "super_detector",
    "product",
    "brief",
    "rotated",
    "rotation",
    "unfinished",
    "tiny_run",
)
"""Fixtures that take long to make: the tests of a file that use one run on one worker, which makes it once."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-durations", action="store_true", help="write tests/durations.json after the run")


def function_of(node: str) -> str:
    """The function of a test, without the case: ``tests/test_a.py::test_b[c]`` or ``...[c]@group``."""
    return node.partition("[")[0].partition("@")[0]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest first, those that share a fixture together; what takes long is marked slow."""
    known: dict[str, float] = json.loads(DURATIONS.read_text(encoding="utf-8")) if DURATIONS.is_file() else {}
    groups: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        groups[shared_by(item) or item.nodeid].append(item)
    lasts = {}
    for group, members in groups.items():
        seconds = [known.get(function_of(item.nodeid), 0.0) for item in members]
        lasts[group] = sum(seconds)
        for item in members:
            if max(seconds) >= LONG:
                item.add_marker(pytest.mark.slow)
    tell_groups(config, {item.nodeid: shared for item in items if (shared := shared_by(item))})
    # What stays together stays so without workers too.
    items[:] = [item for group in sorted(groups, key=lambda name: -lasts[name]) for item in groups[group]]


def shared_by(item: pytest.Item) -> str | None:
    """What a test shares with others of its file, if anything."""
    shared = [name for name in SHARED if name in getattr(item, "fixturenames", ())]
    return f"{item.nodeid.partition('::')[0]}:{shared[0]}" if shared else None


def processor_seconds() -> float:
    """Of this process and those it waited for: unlike the clock, not what else runs on the machine."""
    return sum(os.times()[:4])


STARTED = pytest.StashKey[float]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[STARTED] = processor_seconds()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Steps[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "teardown" and STARTED in item.stash:
        report.user_properties.append(("processor_seconds", processor_seconds() - item.stash[STARTED]))
    return report


class _Durations:
    """Collects what tests take, on the process that hears of all of them."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = defaultdict(dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, seconds in report.user_properties:
            if name == "processor_seconds" and isinstance(seconds, float):
                self.seconds[function_of(report.nodeid)][report.nodeid] = seconds

    def pytest_sessionfinish(self) -> None:
        longest = {name: round(max(cases.values()), 1) for name, cases in self.seconds.items()}
        table = {name: longest[name] for name in sorted(longest) if longest[name] >= LONG}
        DURATIONS.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("dist") == "loadgroup" and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Plugin())
    if config.getoption("--write-durations") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Durations())


FIELDS = {
    "rotation": [0, 0, -1, 0, 1, 0],
    "off-centre": [0.25, 0, -1, -0.25, 1, 0],
    "scale": [0, 1, 0, 0, 0, 1],
    "translation-x": [1, 0, 0, 0, 0, 0],
    "translation-y": [0, 0, 0, 1, 0, 0],
    "shear-x": [0, 0, 1, 0, 0, 0],
    "hyperbolic": [0, 1, 0, 0, 0, -1],
    "general": [0.1, 1, 0.3, -0.7, -0.2, 0.4],
}


def build_result(
    *fields: Any,
    basis: Any = "affine",
    shape: tuple[int, int, int] = (1, 12, 12),
    pairs: int = 60,
    t: np.ndarray | None = None,
    samples: bool = True,
    **changes: Any,
) -> SymmetryResult:
    """A result with the given generators (names of FIELDS or coefficients), every tenth pair not accepted."""
    resolved = get_basis(basis)
    rng = np.random.default_rng(0)
    found = []
    for field in fields:
        generator = Generator(np.array(FIELDS[field] if isinstance(field, str) else field, float), resolved, shape[1:])
        interval = generator.coefficients[:, None] + np.array([-0.01, 0.02])
        found.append(DetectedGenerator(generator, 0.4, interval))
    accepted = np.arange(pairs) % 10 != 9 if fields else np.zeros(pairs, bool)
    index = np.arange(min(16, pairs))
    images = [rng.random((len(index), *shape), dtype=np.float32) for _ in range(3)]
    content: dict[str, Any] = {
        "engine": "registration",
        "verdict": "symmetry" if fields else "no symmetry",
        "reason": "held-out pairs say so",
        "pairs": pairs,
        "shape": shape,
        "basis": resolved,
        "generators": tuple(found),
        "algebra": {"dimension": len(fields), "name": "so(2)", "closed": True, "closure_residual": 0.0},
        "evidence": {
            "heldout_error": 0.01,
            "identity_error": 0.1,
            "permuted_error": 0.09,
            "p_value": 0.002,
        },
        "t": rng.uniform(-1, 1, (pairs, len(fields))) if t is None else t,
        "residual": np.linspace(0, 1, pairs),
        "accepted": accepted,
        "seconds": 1.25,
        "seed": 3,
        "settings": {"generators": "auto"},
        "version": "0.0.test",
        "samples": Samples(index, *images) if samples else None,
    }
    return SymmetryResult(**(content | changes))


@pytest.fixture
def make_result() -> Callable[..., SymmetryResult]:
    """:func:`build_result`."""
    return build_result


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command line that must be refused, in the current folder; answers its one line."""

    def run(*words: str, code: int = 2) -> str:
        before = sorted(Path(".").rglob("*"))
        assert main(list(words)) == code
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        assert captured.err.startswith("liescope: error: ")
        assert sorted(Path(".").rglob("*")) == before
        return captured.err

    return run


@pytest.fixture(scope="session")
def digits() -> np.ndarray:
    """500 real digits, the ten classes in turn: read-only uint8, shape (500, 28, 28)."""
    images = np.asarray(load_corpus("mnist-5k").images)
    # The corpus is ordered by class, 500 of each; here any first N are digits of all classes.
    mixed = images.reshape(10, 500, 28, 28)[:, :50].swapaxes(0, 1).reshape(500, 28, 28).copy()
    mixed.flags.writeable = False
    return mixed
