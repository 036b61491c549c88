"""How far the site is: a line for every example and every step, with the seconds so far."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["say", "say_example", "setup"]

_BEGAN = time.monotonic()


def say(text: str) -> None:
    """A line on stdout, at once."""
    print(f"site [{time.monotonic() - _BEGAN:.0f} s] {text}", file=sys.__stdout__, flush=True)


def say_example(gallery_conf: dict[str, Any], name: str) -> None:
    """Which example begins; sphinx-gallery calls it where it sets Matplotlib back."""
    examples = sorted(path.stem for path in Path(gallery_conf["src_dir"]).parent.glob("examples/plot_*.py"))
    if Path(name).stem in examples:
        say(f"example {examples.index(Path(name).stem) + 1} of {len(examples)}: {Path(name).stem}")


def setup(app: Any) -> dict[str, Any]:
    """Say the steps between the examples and the end."""
    app.connect("env-before-read-docs", lambda app, env, names: say(f"reading {len(names)} pages"))
    app.connect("env-check-consistency", lambda app, env: say(f"writing {len(env.found_docs)} pages"))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
