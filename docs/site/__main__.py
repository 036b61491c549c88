"""Build the site: ``python -m docs.site`` (``--tiny``: examples on few pairs; ``--out DIR``: another folder)."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import typing
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build(out: Path, tiny: bool) -> int:
    """Stage the sources in ``out/source``, write the site to ``out/html``; Sphinx's exit code, 0 without a warning."""
    from sphinx.cmd.build import build_main

    from docs.site.progress import say
    from docs.site.staging import stage

    say("gathering sources")
    stage(ROOT, out / "source")
    # The examples are staged beside the sources: Sphinx would take them for pages otherwise.
    examples = out / "examples"
    shutil.rmtree(examples, ignore_errors=True)
    shutil.copytree(ROOT / "examples" / "gallery", examples, ignore=shutil.ignore_patterns("__pycache__"))
    os.environ["LIESCOPE_TINY"] = "1" if tiny else ""
    return build_main(["-W", "--keep-going", "-q", "-b", "html", str(out / "source"), str(out / "html")])


if __name__ == "__main__":
    # Before torch is loaded: on a machine that does other things too, threads wait for one another most of the time.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # Asks jaxtyping to call its annotations Float[...], not jaxtyping.Float[...]; before it is imported.
    typing.GENERATING_DOCUMENTATION = "liescope"  # type: ignore[attr-defined]
    parser = argparse.ArgumentParser(description="Build the documentation site.")
    parser.add_argument("--tiny", action="store_true", help="run the examples on few pairs")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "_build", help="folder (default: docs/_build)")
    arguments = parser.parse_args()
    code = build(arguments.out.resolve(), arguments.tiny)
    if code == 0:
        print(f"site: {os.path.relpath(arguments.out / 'html' / 'index.html')}")
    sys.exit(code)
