"""Progress of long work: bars with the time left on a terminal, plain lines in a log."""

from __future__ import annotations

import math
import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TaskProgressColumn, TextColumn
from rich.table import Column
from rich.text import Text

from liescope.cli.logs import log_is_shown

__all__ = ["ProgressDisplay", "duration"]

SECONDS_BETWEEN_LINES = 10.0

_BAR_WIDTH, _LEAST_BAR_WIDTH = 40, 8
_BESIDE_THE_BAR = 52
"""Columns that stage, share and time take."""


def duration(seconds: float) -> str:
    """A time as people say it: 12 s, 4 min, 2 h 10 min."""
    if seconds < 99.5:
        return f"{math.ceil(seconds)} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


class ProgressDisplay:
    """A context that is called with (stage, fraction done between 0 and 1) and shows it on stderr.

    Every stage counts from 0 to 1 by itself: how long the later ones take is not known before they begin. The time
    left is that of the stage, at the pace of the stage so far.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._stage = ""
        self._begun = (0.0, 0.0)
        self._last_line = 0.0

    def __enter__(self) -> ProgressDisplay:
        console = Console(stderr=True)
        plain = self._quiet or console.is_dumb_terminal or log_is_shown()
        if console.is_terminal and not plain:
            width = min(_BAR_WIDTH, max(_LEAST_BAR_WIDTH, console.width - _BESIDE_THE_BAR))
            columns = (
                TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", min_width=12)),
                BarColumn(width),
                TaskProgressColumn(),
                _TimeColumn(),
            )
            self._bars = Progress(*columns, console=console, transient=True)
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, stage: str, fraction: float) -> None:
        if self._bars is not None:
            self._update(self._bars, stage, fraction)
        elif not self._quiet:
            self._line(stage, fraction)

    def _update(self, bars: Progress, stage: str, fraction: float) -> None:
        if stage != self._stage:
            if self._stage:
                bars.update(self._tasks[self._stage], completed=1.0)
            if stage not in self._tasks:
                self._tasks[stage] = bars.add_task(stage, total=1.0)
            self._stage = stage
        bars.update(self._tasks[stage], completed=fraction)

    def _line(self, stage: str, fraction: float) -> None:
        now = time.monotonic()
        if stage != self._stage:
            self._begun = now, fraction
        elif now - self._last_line < SECONDS_BETWEEN_LINES:
            return
        self._stage, self._last_line = stage, now
        text = f" {100 * fraction:.0f} %" if 0 < fraction < 1 else ""
        began, at_first = self._begun
        if at_first < fraction < 1:
            left = (1 - fraction) * (now - began) / (fraction - at_first)
            text += f", about {duration(left)} left"
        print(f"liescope: {stage}{text}", file=sys.stderr, flush=True)


class _TimeColumn(ProgressColumn):
    """Time left of what is going on, as soon as there is a pace to tell it from; time taken of what is done."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        if task.finished:
            return Text(duration(task.finished_time or 0.0), style="progress.elapsed")
        if task.time_remaining is None:
            return Text("")
        return Text(f"about {duration(task.time_remaining)} left", style="progress.remaining")
