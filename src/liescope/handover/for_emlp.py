"""What is found as a group of emlp; imported where emlp is."""

from __future__ import annotations

import numpy as np
from emlp.groups import Group

__all__ = ["FoundGroup"]


class FoundGroup(Group):  # type: ignore[misc]
    """The group that found generators span: see :func:`liescope.handover.emlp`."""

    def __init__(self, lie_algebra: np.ndarray) -> None:
        self.lie_algebra = np.array(lie_algebra)
        # emlp tells groups apart, and caches what it has solved for them, by these arguments.
        super().__init__(self.lie_algebra.tolist())
