"""Torch in forked children: the threads of its parallel operations do not come along, and waiting for them never ends.

Children that ``fork`` makes (multiprocessing on Linux, workers of a DataLoader) therefore work with one thread.
"""

from __future__ import annotations

import os
from functools import partial

import torch

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))
