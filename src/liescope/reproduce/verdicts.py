"""From measured numbers to a verdict on a claim."""

from __future__ import annotations

from liescope.reproduce.study import Verdict

__all__ = ["on_failure", "on_success"]


def on_success(holds: bool) -> Verdict:
    """On a claim that something works."""
    return "confirmed" if holds else "not confirmed"


def on_failure(ours: bool, published: bool | None = None) -> Verdict:
    """On a claim that something fails.

    Parameters
    ----------
    ours : bool
        Whether our default shows the failure.
    published : bool, optional
        Whether the published settings do, run on the same pairs; None where they were not run.

    Returns
    -------
    Verdict
        ``confirmed`` where ours shows it; ``improved`` where the published settings show it, or are only said to, and
        ours does not; ``not confirmed`` where neither does: then nothing was there to improve.
    """
    if ours:
        return "confirmed"
    return "not confirmed" if published is False else "improved"
