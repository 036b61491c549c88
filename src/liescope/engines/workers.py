"""Chunks of pairs on several threads, one torch thread each.

Chunks are independent, so a pool of single-threaded workers keeps all cores busy without a barrier after every
operation. Those barriers are what makes torch's own threads crawl as soon as another process wants a core too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import torch

__all__ = ["map_chunks", "worker_pool"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_pool: ContextVar[ThreadPoolExecutor | None] = ContextVar("_pool", default=None)


@contextmanager
def worker_pool(device: torch.device) -> Iterator[None]:
    """Within it, :func:`map_chunks` uses as many workers as torch has threads; on a GPU it changes nothing.

    Torch's number of threads is set to one inside and put back at the end.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu" or threads == 1 or _pool.get() is not None:
        yield
        return
    torch.set_num_threads(1)
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    token = _pool.set(pool)
    try:
        yield
    finally:
        _pool.reset(token)
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)


def map_chunks(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """``map`` over chunks, in order. Inside a worker, where no pool is set, it is ``map`` itself."""
    pool = _pool.get()
    listed = list(items)
    if pool is None or len(listed) < 2:
        return map(function, listed)
    return pool.map(function, listed)
