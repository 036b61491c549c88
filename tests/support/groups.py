"""Tests of a group run on one worker: what ``--dist loadgroup`` promises.

pytest-xdist writes groups into the ids of tests, where pytest 9.2 no longer looks (pytest-xdist issue 1386): tests were
dealt out as if they had none. Here the workers leave the groups in a file, and the scheduler looks there.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadGroupScheduling

KEY = "groups_of_tests"


def tell_groups(config: pytest.Config, groups: dict[str, str]) -> None:
    """On a worker: leave the groups, by id of the test, where the scheduler looks for them."""
    told: str | None = getattr(config, "workerinput", {}).get(KEY)
    if told is not None:
        # All workers find the same; a file is whole whoever is the last.
        own = Path(f"{told}.{os.getpid()}")
        own.write_text(json.dumps(groups), encoding="utf-8")
        own.replace(told)


class Scheduler(LoadGroupScheduling):  # type: ignore[misc]
    """Keeps together what workers told to be a group."""

    def __init__(self, config: pytest.Config, log: Any, told: Path) -> None:
        super().__init__(config, log)
        self._told = told

    @cached_property
    def groups(self) -> dict[str, str]:
        groups: dict[str, str] = json.loads(self._told.read_text(encoding="utf-8"))
        return groups

    def _split_scope(self, nodeid: str) -> str:
        return self.groups.get(nodeid) or super()._split_scope(nodeid)


class Plugin:
    """For the process that hands out tests, under ``--dist loadgroup``."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="groups-of-tests-"))

    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[KEY] = str(self._folder / "groups.json")

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Scheduler:
        return Scheduler(config, log, self._folder / "groups.json")

    def pytest_unconfigure(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
