"""``liescope learn``."""

from __future__ import annotations

from pathlib import Path

from liescope.answer.folder import check_folder
from liescope.cli.arguments import labelled_images, whole_number
from liescope.data.guard import quoted
from liescope.errors import InputError

__all__ = ["run_learn"]


def run_learn(labelled: Path, out: Path, basis: str, generators: str, seed: int, *, as_json: bool, quiet: bool) -> None:
    """Check everything, learn a generator from labels, write the result folder, tell."""
    count = generators if generators == "auto" else whole_number(generators)
    if count not in ("auto", 1, 2):
        raise InputError(f"expected --generators auto, 1 or 2, got {quoted(generators)}")
    if seed < 0:
        raise InputError(f"expected a seed that is a whole number >= 0, got {seed}")
    check_folder(out)
    if not labelled.exists():
        raise InputError(f"expected labelled images, got no such file '{labelled}'")
    # Nothing heavy was imported so far: what is wrong was told at once.
    from liescope.cli.progress import ProgressDisplay
    from liescope.cli.table import print_json, print_result
    from liescope.geometry import get_basis
    from liescope.type2 import learn_scheme

    fields = get_basis(basis)
    corpus = labelled_images(labelled)
    with ProgressDisplay(quiet) as display:
        result = learn_scheme(
            corpus.images, corpus.labels, basis=fields, n_generators=count, random_state=seed, progress=display
        )
        display("writing the result", 1.0)
        result.save(out)
    if as_json:
        print_json(result.to_dict())
    elif not quiet:
        print_result(result, out, labelled)
