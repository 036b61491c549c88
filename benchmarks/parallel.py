"""Independent runs side by side: as many processes as cores, one thread each."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import torch

__all__ = ["processes", "side_by_side"]

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


def processes() -> int:
    """How many runs go side by side."""
    return os.cpu_count() or 1


def side_by_side(function: Callable[[Task], Outcome], tasks: Sequence[Task]) -> Iterator[Outcome]:
    """Outcomes of the tasks in their order; a single task runs here, with all threads."""
    if len(tasks) == 1:
        yield function(tasks[0])
        return
    with ProcessPoolExecutor(processes(), multiprocessing.get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        yield from pool.map(function, tasks)
