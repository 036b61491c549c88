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


def side_by_side(
    function: Callable[[Task], Outcome], tasks: Sequence[Task], count: int | None = None
) -> Iterator[Outcome]:
    """Outcomes of the tasks in their order.

    Parameters
    ----------
    function, tasks
        What processes can send to each other.
    count : int, optional
        Number of processes; default as many as cores. One, or a single task, is this one, with all threads.
    """
    count = processes() if count is None else count
    if count == 1 or len(tasks) == 1:
        yield from map(function, tasks)
        return
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        yield from pool.map(function, tasks)
