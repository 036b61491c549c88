"""Progress of long work: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

__all__ = ["ProgressDisplay"]

SECONDS_BETWEEN_LINES = 10.0


class ProgressDisplay:
    """A context that is called with (stage, fraction done between 0 and 1) and shows it on stderr.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar: Progress | None = None
        self._stage = ""
        self._last_line = 0.0

    def __enter__(self) -> ProgressDisplay:
        console = Console(stderr=True)
        if console.is_terminal and not self._quiet:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TimeElapsedColumn(),
            )
            self._bar = Progress(*columns, console=console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task("", total=1.0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, stage: str, fraction: float) -> None:
        if self._bar is not None:
            self._bar.update(self._task, description=stage, completed=fraction)
        elif not self._quiet:
            self._line(stage, fraction)

    def _line(self, stage: str, fraction: float) -> None:
        now = time.monotonic()
        if stage == self._stage and now - self._last_line < SECONDS_BETWEEN_LINES:
            return
        self._stage, self._last_line = stage, now
        done = f" {100 * fraction:.0f} %" if 0 < fraction < 1 else ""
        print(f"liescope: {stage}{done}", file=sys.stderr, flush=True)
