"""Tests that share something expensive run on one worker, and the others do not have to."""

from __future__ import annotations

from collections import defaultdict

import pytest

pytest_plugins = ["pytester"]

CONFTEST = """
import sys
sys.path.insert(0, {support!r})
from groups import Plugin, tell_groups

def pytest_configure(config):
    if config.getoption("dist") == "loadgroup" and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Plugin())

def pytest_collection_modifyitems(config, items):
    tell_groups(config, {{item.nodeid: "costly" for item in items if "costly" in item.fixturenames}})
"""

TESTS = """
import os, pathlib, pytest

@pytest.fixture
def costly():
    return 1

def tell(kind):
    with open("told.txt", "a") as file:
        file.write(f"{kind} {os.environ['PYTEST_XDIST_WORKER']}\\n")

@pytest.mark.parametrize("case", range(6))
def test_costly(costly, case):
    tell("costly")

@pytest.mark.parametrize("case", range(6))
def test_cheap(case):
    tell("cheap")
"""


@pytest.mark.parametrize("distribution", ["loadgroup", "load"])
def test_a_group_runs_on_one_worker(
    pytester: pytest.Pytester, request: pytest.FixtureRequest, distribution: str
) -> None:
    pytester.makeconftest(CONFTEST.format(support=str(request.config.rootpath / "tests" / "support")))
    pytester.makepyfile(TESTS)
    run = pytester.runpytest_subprocess("-n", "2", "--dist", distribution, "--jaxtyping-packages=")
    run.assert_outcomes(passed=12)
    workers = defaultdict(set)
    for line in (pytester.path / "told.txt").read_text(encoding="utf-8").splitlines():
        kind, worker = line.split()
        workers[kind].add(worker)
    assert len(workers["costly"]) == (1 if distribution == "loadgroup" else 2)
    assert len(workers["costly"] | workers["cheap"]) == 2
