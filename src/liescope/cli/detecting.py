"""``liescope detect`` and ``liescope train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from liescope.answer.folder import WORK_FOLDER, check_folder
from liescope.cli.arguments import generator_count, whole_numbers
from liescope.data.guard import check_place
from liescope.detector import detect, detect_sets
from liescope.errors import InputError, suggest

if TYPE_CHECKING:
    from liescope.cli.progress import ProgressDisplay

__all__ = ["run_detect"]

# What is known without loading the engines; of other words those are asked that they are for.
_ENGINES = ("auto", "registration", "distribution", "latent")
_BORDERS = ("auto", "unknown", "zero")
_BASES = ("translations", "affine", "quadratic", "conformal")


def run_detect(
    pairs: Path,
    out: Path,
    engine: str,
    basis: str,
    generators: str,
    seed: int,
    *,
    as_json: bool,
    quiet: bool,
    config: str | None = None,
    resume: bool = False,
    lags: str | None = None,
    nodata: float | None = None,
    border: str = "auto",
    targets: Path | None = None,
    kind: str = "images",
) -> None:
    """Check everything, detect, write the result folder, tell.

    ``pairs`` may be a film, with ``lags`` as "1,2,3", or sources whose ``targets`` lie apart; of the ``kind`` sets it
    holds two sets of images without pairs.

    With the latent engine the state of the training lies in the folder too until the result is there, so that a
    training that was cut short can be gone on with.
    """
    _check_words(engine, basis, border)
    count = generator_count(generators)
    if kind == "sets":
        _check_sets(engine, lags, nodata, border, targets)
    if seed < 0:
        raise InputError(f"expected a seed that is a whole number >= 0, got {seed}")
    steps = None if lags is None else whole_numbers(lags, "--lags")
    check_folder(out)
    work = out / WORK_FOLDER
    latent: dict[str, Any] = {}
    if engine == "latent":
        from liescope.engines.latent import get_config

        latent = {"config": get_config(config), "work_dir": work, "resume": resume}
        _check_unfinished(out, work, resume)
    check_place(pairs, "pairs or a film" if kind == "images" else "two sets")
    if targets is not None:
        check_place(targets, "two folders or two stacks")
    # Nothing heavy was imported so far: what is wrong was told at once.
    from liescope.cli.progress import ProgressDisplay
    from liescope.cli.table import print_json, print_result
    from liescope.engines.latent import CHECKPOINT_FILES

    with ProgressDisplay(quiet) as display:
        if kind == "sets":
            from liescope.data import load_sets

            sets = load_sets(pairs)
            result = detect_sets(
                sets.before,
                sets.after,
                sets.labels,
                basis=basis,
                n_generators=count,
                random_state=seed,
                progress=display,
            )
        else:
            result = detect(
                **_data(pairs, targets, steps, display),
                basis=basis,
                engine=cast(Any, engine),
                n_generators=count,
                random_state=seed,
                progress=display,
                nodata=nodata,
                border=border,
                **latent,
            )
        display("writing the result", 0.0)
        result.save(out)
        # The weights are in the result now; logs of other programs stay.
        for name in CHECKPOINT_FILES:
            (work / name).unlink(missing_ok=True)
        if work.is_dir() and not any(work.iterdir()):
            work.rmdir()
    if as_json:
        print_json(result.to_dict())
    elif not quiet:
        print_result(result, out, pairs)


def _check_words(engine: str, basis: str, border: str) -> None:
    """InputError for an engine, a basis or a border that there is not."""
    if engine in _ENGINES and border in _BORDERS and basis in _BASES:
        return
    from liescope.engines import engine_names
    from liescope.engines.contract import BORDERS
    from liescope.geometry import get_basis

    if engine not in engine_names():
        raise InputError(f"unknown engine {engine!r}.{suggest(engine, engine_names())}")
    if border not in BORDERS:
        raise InputError(f"unknown border {border!r}.{suggest(border, BORDERS)}")
    get_basis(basis)


def _check_sets(engine: str, lags: str | None, nodata: float | None, border: str, targets: Path | None) -> None:
    """InputError for options that two sets have no use for."""
    given = {"--lags": lags, "--nodata": nodata, "TARGETS": targets, "--border": None if border == "auto" else border}
    for name in (name for name, value in given.items() if value is not None):
        raise InputError(f"expected --kind sets without {name}, which is for pairs and films")
    if engine not in ("auto", "distribution"):
        raise InputError(f"expected engine auto or distribution with --kind sets, got {engine!r}")


def _data(path: Path, targets: Path | None, lags: list[int] | None, display: ProgressDisplay) -> dict[str, Any]:
    """What is looked at, by what the files are: sources and targets, a film, or pairs."""
    from liescope.data import holds_film

    if targets is not None:
        if lags is not None:
            raise InputError(f"expected a film with --lags, got sources '{path}' and targets '{targets}'")
        return {"X": path, "Y": targets}
    if not holds_film(path):
        if lags is not None:
            raise InputError(f"expected a film with --lags, got pairs in '{path}', try without --lags")
        return {"X": path}
    display("reading the film", 0.0)
    return {"frames": path, "lags": lags}


def _check_unfinished(out: Path, work: Path, resume: bool) -> None:
    """Neither throw an unfinished training away nor go on with one that is not there."""
    from liescope.engines.latent import CHECKPOINT_FILES

    unfinished = any((work / name).exists() for name in CHECKPOINT_FILES)
    if unfinished and not resume:
        again = "try liescope train with --resume, another folder,"
        raise InputError(f"'{out}' holds an unfinished training, {again} or remove '{work}'")
    if resume and not unfinished and (out / "result.json").exists():
        raise InputError(f"expected an unfinished training in '{out}', got a finished one, try without --resume")
