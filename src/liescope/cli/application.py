"""Commands and options. What they do lies in the other modules, imported only when a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from liescope import __version__
from liescope.cli.logs import show_log

__all__ = ["app"]

app = typer.Typer(
    name="liescope",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
"""The command line: make, detect, choose, learn, train, apply, export, report, reproduce, bench."""


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"liescope {__version__}")
        raise typer.Exit


# main() looks for the word itself: a command line that cannot be parsed may need it too.
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.", expose_value=False)]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Say on stderr what is done and why.", callback=show_log, expose_value=False),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
_FORMATS = "Images: .png, .tif, .jpg, .bmp, .gif, .pgm, .ppm, .webp; 8 or 16 bits, or floats."
PairsFile = Annotated[
    Path,
    typer.Argument(
        metavar="PAIRS",
        help="Pairs: .npz or .h5 with source and target, or a folder with source/ and target/ (or before/ and after/). "
        "Or a film, as of detect.",
    ),
]
PairsOrFilm = Annotated[
    Path,
    typer.Argument(
        metavar="PAIRS",
        help="Pairs: .npz or .h5 with source and target, or a folder with source/ and target/ (or before/ and after/) "
        f"that hold images of the same names. {_FORMATS} Or a film: .npz or .h5 with frames, a .tif stack, a FITS "
        "cube, a folder of numbered frames, .avi, .mp4, ... Or the sources alone, with TARGETS.",
    ),
]
TargetsApart = Annotated[
    Path | None,
    typer.Argument(
        metavar="TARGETS",
        help="Where sources and targets lie apart: a folder with images of the same names as in the first, or a stack "
        "(.tif, .npy, ...) of as many.",
        show_default=False,
    ),
]
Lags = Annotated[
    str | None,
    typer.Option(metavar="L1,L2,...", help="For films: frames from the first to the second of a pair. Default: 1."),
]
NoData = Annotated[float | None, typer.Option(metavar="VALUE", help="The value of pixels that were not measured.")]
OutsideOf = Annotated[
    str, typer.Option(help="What lies outside of images: zero (their background), unknown, or auto: by their borders.")
]
ResultFolder = Annotated[Path, typer.Option(help="Folder to write; an earlier result there is replaced.")]
BasisName = Annotated[str, typer.Option(help="Vector fields to look among: affine, quadratic, conformal, ...")]
GeneratorCount = Annotated[str, typer.Option(help="Number of generators, or auto.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print result.json instead of the table.")]
Seed = Annotated[int, typer.Option(help="The only source of randomness.")]


@app.callback()
def liescope(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True, expose_value=False
        ),
    ] = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Find the continuous symmetries that relate data, from the data alone.

    \b
    Examples:
      liescope make symnist --transform rotation --range 60 --out pairs.npz
      liescope detect pairs.npz --out found
      liescope apply found images.npz --t 0.3 --out moved.npz
      liescope report found
    """


@app.command()
def make(
    task: Annotated[str, typer.Argument(metavar="TASK", help="symnist, supersymnist, galaxsym or supergalaxsym.")],
    out: Annotated[Path, typer.Option(help="File to write, .npz or .h5.")],
    transform: Annotated[
        str,
        typer.Option(
            help="rotation, scale, scale-x, scale-y, translation-x, translation-y, shear-x, shear-y, hyperbolic, "
            "spiral, sct-x, sct-y, euclidean, similarity, generator:C1,C2,... (6 affine or 12 quadratic "
            "coefficients), or several joined by + (applied left to right)."
        ),
    ] = "rotation",
    range_: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            metavar="R,...",
            help="Half-width of the magnitudes in natural units (degrees, log-factor, pixels, plain): one "
            "for each transform, repeated or separated by commas. Default: a moderate one.",
        ),
    ] = None,
    law: Annotated[
        str,
        typer.Option(help="uniform, normal, categorical, five-modal, uniform:-10,80, ...; joined by + for several."),
    ] = "uniform",
    modes: Annotated[int | None, typer.Option(help="Short for --law N-modal: N equally spaced magnitudes.")] = None,
    pairs: Annotated[int, typer.Option(help="Number of pairs.")] = 5000,
    order: Annotated[str, typer.Option(help="Interpolation: 0 nearest, 1 linear, 3 cubic.")] = "1",
    corpus: Annotated[
        str | None,
        typer.Option(help="mnist-5k, digits8, ..., an .npz with images or a folder of them. Default: the task's own."),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Part of the corpus: train, test or all.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where corpora that must be fetched are kept.")] = None,
    centre: Annotated[
        str | None,
        typer.Option(metavar="COLUMN,ROW", help="Fixed point in pixels. Default: the image centre."),
    ] = None,
    noise: Annotated[
        float, typer.Option(help="Standard deviation of added noise, as a share of the grey range.")
    ] = 0.0,
    border: Annotated[str, typer.Option(help="What lies beyond the image: zero, edge or periodic.")] = "zero",
    canvas: Annotated[
        str | None, typer.Option(metavar="SIDE", help="Put images on a larger canvas first: SIDE or ROWS,COLUMNS.")
    ] = None,
    crop: Annotated[
        str | None,
        typer.Option(metavar="SIDE", help="Keep the middle after the transform, so that no border enters."),
    ] = None,
    size: Annotated[str | None, typer.Option(metavar="SIDE", help="Resize to this, last.")] = None,
    preview: Annotated[
        Path | None,
        typer.Option(metavar="SHEET", help="Also draw (.png, .pdf or .svg) a contact sheet of pairs with their t."),
    ] = None,
    seed: Seed = 0,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Make pairs of images that are related by a known transform.

    \b
    Examples:
      liescope make symnist --out pairs.npz
      liescope make symnist --transform rotation --range 60 --law five-modal --out pairs.npz
      liescope make symnist --transform rotation+scale --range 30,0.2 --out pairs.npz
      liescope make symnist --transform rotation --centre 18,9 --noise 0.1 --out pairs.npz
      liescope make supersymnist --transform scale --range 0.3 --preview sheet.png --out pairs.npz
      liescope make galaxsym --corpus galaxies.npz --transform rotation --range 90 --order 3 --out pairs.h5
      liescope make symnist --canvas 40 --transform translation-x --range 12 --out pairs.npz
    """
    from liescope.cli.making import MakeRequest, run_make

    request = MakeRequest(
        task,
        out,
        transform,
        range_ or [],
        law,
        modes,
        pairs,
        order,
        corpus,
        split,
        data_dir,
        centre,
        noise,
        border,
        canvas,
        crop,
        size,
        preview,
        seed,
    )
    run_make(request, quiet)


@app.command()
def detect(
    pairs: PairsOrFilm,
    out: ResultFolder,
    targets: TargetsApart = None,
    lags: Lags = None,
    engine: Annotated[str, typer.Option(help="auto, registration, distribution or latent.")] = "auto",
    basis: BasisName = "affine",
    generators: GeneratorCount = "auto",
    nodata: NoData = None,
    border: OutsideOf = "auto",
    kind: Annotated[
        str,
        typer.Option(
            help="What the file holds: images (pairs or a film), or an .npz with before, after (sets), X, y "
            "(invariance), X (cloud), runs, t or x, derivatives (dynamics)."
        ),
    ] = "images",
    tolerance: Annotated[float, typer.Option(help="Largest defect of a symmetry, for kinds without pairs.")] = 0.05,
    time_scaling: Annotated[
        bool, typer.Option("--time-scaling", help="For dynamics: let time run faster or slower.")
    ] = False,
    seed: Seed = 0,
    json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Find which symmetry relates the pairs, how large it is for each, and how sure that is.

    \b
    Examples:
      liescope detect pairs.npz --out found
      liescope detect pairs.npz --out found --basis quadratic
      liescope detect pairs.npz --out found --generators 2 --json
      liescope detect pairs.npz --out found --engine latent
      liescope detect before after --out found
      liescope detect film.tif --lags 1,2,3 --out found
      liescope detect radar.npz --nodata 65535 --out found
      liescope detect labelled_points.npz --kind invariance --out found
      liescope detect runs.npz --kind dynamics --time-scaling --out found
      liescope detect two_sets.npz --kind sets --out found
    """
    if kind not in ("images", "sets"):
        from liescope.cli.detecting_kinds import run_detect_kind

        run_detect_kind(
            kind,
            pairs,
            out,
            basis,
            generators,
            seed,
            tolerance,
            time_scaling=time_scaling,
            as_json=json,
            quiet=quiet,
        )
        return
    from liescope.cli.detecting import run_detect

    run_detect(
        pairs,
        out,
        engine,
        basis,
        generators,
        seed,
        as_json=json,
        quiet=quiet,
        lags=lags,
        nodata=nodata,
        border=border,
        targets=targets,
        kind=kind,
    )


@app.command()
def choose(
    labelled: Annotated[Path, typer.Argument(metavar="LABELLED", help="An .npz or .h5 with images and labels.")],
    out: Annotated[Path, typer.Option(help="Folder to write: choice.json and report.html.")],
    schemes: Annotated[
        str | None,
        typer.Option(
            metavar="S,...",
            help="none, rotation, scale, translation, shear, ..., products with +, folders of results. Default: eight.",
        ),
    ] = None,
    test: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Other images and labels: train a network along every scheme, and test it."),
    ] = None,
    seed: Seed = 0,
    json: Annotated[bool, typer.Option("--json", help="Print choice.json instead of the table.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Choose along which symmetry a network for labelled images should share its weights.

    \b
    Examples:
      liescope choose labelled.npz --out choice
      liescope choose labelled.npz --schemes none,rotation,scale,found --out choice
      liescope choose labelled.npz --test others.npz --out choice
    """
    from liescope.cli.choosing import run_choose

    run_choose(labelled, out, schemes, seed, as_json=json, quiet=quiet, test=test)


@app.command()
def learn(
    labelled: Annotated[Path, typer.Argument(metavar="LABELLED", help="An .npz or .h5 with images and labels.")],
    out: ResultFolder,
    basis: BasisName = "affine",
    generators: Annotated[str, typer.Option(help="Number of generators, 1 or 2, or auto.")] = "auto",
    seed: Seed = 0,
    json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Learn from labels alone along which flow labels stay the same: no pairs, no candidates.

    \b
    Examples:
      liescope learn labelled.npz --out found
      liescope choose labelled.npz --schemes none,rotation,found --out choice
    """
    from liescope.cli.learning import run_learn

    run_learn(labelled, out, basis, generators, seed, as_json=json, quiet=quiet)


@app.command()
def train(
    pairs: PairsFile,
    out: ResultFolder,
    config: Annotated[
        str, typer.Option(metavar="F", help="Settings: a .toml or .json file, or a preset (default, paper).")
    ] = "default",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training that was cut short.")] = False,
    basis: BasisName = "affine",
    generators: GeneratorCount = "auto",
    seed: Seed = 0,
    json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Train the latent engine with settings of your own: encoder, t-network, generators, decoder.

    \b
    Examples:
      liescope train pairs.npz --out found
      liescope train pairs.npz --config paper --out found
      liescope train pairs.npz --config mine.toml --out found --resume
    """
    from liescope.cli.detecting import run_detect

    run_detect(pairs, out, "latent", basis, generators, seed, as_json=json, quiet=quiet, config=config, resume=resume)


@app.command()
def apply(
    result: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a result.")],
    images: Annotated[
        Path,
        typer.Argument(
            metavar="IMAGES|FILM",
            help="A folder of images, one image or a .tif stack (8 or 16 bits, or floats), .npz with images (or "
            "source), or .npy; with --steady the film of the result.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="What to write: a new folder for a folder (same names, kinds and depths), a file of the same kind for "
            "an image or a stack, .npz with images for arrays; with --steady .npz with frames, .tif or .mp4."
        ),
    ],
    t: Annotated[
        str | None,
        typer.Option(
            "--t",
            metavar="T",
            help="Magnitude in units of the unit-norm generator; T1,T2,... for several generators.",
        ),
    ] = None,
    steady: Annotated[
        bool, typer.Option("--steady", help="Move every frame of the film back by what was found: nothing moves.")
    ] = False,
    in_units: Annotated[
        bool, typer.Option("--in-units", help="T is in natural units: degrees, pixels, log-factor, plain.")
    ] = False,
    interpolation: Annotated[str, typer.Option(help="linear or cubic.")] = "linear",
    border: Annotated[str, typer.Option(help="What lies beyond the image: zero, edge or periodic.")] = "zero",
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Transform new images with a symmetry that was found, or steady the film that it was found in.

    With several generators the images are moved by exp(t1 X1 + t2 X2 + ...), all at once. Files keep their kind and
    depth: integers are rounded and held within their range. Masks of one bit, palettes and alpha are refused.

    \b
    Examples:
      liescope apply found images.npz --t 0.3 --out moved.npz
      liescope apply found images.npz --t 30 --in-units --out moved.npz
      liescope apply found images.npy --t 0.3,-0.1 --out moved.npz
      liescope apply found before --t 30 --in-units --out moved
      liescope apply found film.tif --steady --out steadied.tif
    """
    from liescope.answer.folder import check_result
    from liescope.cli.arguments import check_sampling
    from liescope.errors import InputError

    # All of this before anything heavy is imported.
    if steady and (t is not None or in_units):
        raise InputError("expected --steady or --t, got both: the film's own magnitudes are known")
    if not steady and t is None:
        raise InputError("expected how far to move the images, got neither --t nor --steady, try --t 0.3")
    check_sampling(interpolation, border)
    check_result(result)
    from liescope.cli.applying import run_apply
    from liescope.cli.steadying import run_steady

    if t is None:
        run_steady(result, images, out, interpolation, border, quiet)
    else:
        run_apply(result, images, t, out, in_units, interpolation, border, quiet)


@app.command()
def export(
    result: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a result.")],
    to: Annotated[
        str,
        typer.Option(
            metavar="LIBRARY",
            help="torchvision, kornia, albumentations or sklearn: a transform that draws t as it was found; emlp: its "
            "group; escnn: its space, of a rotation about the centre.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="File to write, .py; for emlp also .npy or .npz, matrices.")],
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Hand a symmetry that was found to another library: one file that needs that library and liescope only.

    The file is a module with the coefficients in it and one function that makes the library's object.

    \b
    Examples:
      liescope export found --to torchvision --out turning.py
      liescope export found --to kornia --out turning.py
      liescope export found --to emlp --out algebra.npy
    """
    from liescope.cli.exporting import run_export

    run_export(result, to, out, quiet)


@app.command()
def report(
    results: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folder of a result, or of several.")],
    out: Annotated[
        Path | None,
        typer.Option(help="File to write, .html. Default: DIR/report.html; compare.html here for several results."),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Rebuild the page of a result, or put several results side by side.

    \b
    Examples:
      liescope report found
      liescope report found again other --out compare.html
    """
    from liescope.answer.folder import check_result

    for folder in results:
        check_result(folder)
    from liescope.cli.reporting import run_report

    run_report(results, out, quiet)


@app.command()
def reproduce(
    figure: Annotated[
        str,
        typer.Argument(
            metavar="FIGURE|all",
            help="fig3, fig4, fig5, fig6, fig7, complexity, latent2d, wasserstein, ablation, or all of them.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for pictures (.png, .pdf), numbers (.csv) and findings (.json).")],
    scale: Annotated[
        str, typer.Option(help="quick (a few minutes a figure on two cores) or full (the paper's sizes).")
    ] = "quick",
    galaxies: Annotated[
        str | None,
        typer.Option(metavar="CORPUS", help="Galaxies for fig6: a corpus, an .npz with images, or a folder of them."),
    ] = None,
    tiny: Annotated[
        bool, typer.Option("--tiny", help="Seconds of work, to see that it runs: the numbers mean nothing.")
    ] = False,
    seed: Seed = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON instead of sentences.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Make the paper's figures and tables again, and test its claims.

    Stopped, and started again with the same --out, a figure goes on with the training that it ended in.

    \b
    Examples:
      liescope reproduce fig4 --out figures
      liescope reproduce all --out figures
      liescope reproduce all --scale full --galaxies galaxies.npz --out figures
    """
    from liescope.cli.reproducing import run_reproduce

    run_reproduce(figure, out, scale, seed, galaxies, tiny=tiny, as_json=json, quiet=quiet)


@app.command()
def bench(
    out: Annotated[Path, typer.Option(help="Folder for NAME.json, NAME.md (tables) and NAME.csv (runs).")],
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="headline (8 transforms x 3 laws x 5 seeds), methods (engines, least squares, pair by pair), lconv "
            "(rotated noise), symnist2023; pictures (real ones), type2 (weight "
            "sharing), accuracy, laws, noise, quadratic, corpora, scaling, "
            "decisions, latent, latent_step, kornia_registrator. Default: the first four, without the methods that "
            "train networks.",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(metavar="S1,S2,...", help="Seeds of every row. Default: as each table says.")
    ] = None,
    corpus: Annotated[
        str | None,
        typer.Option(help="Other images: a corpus, an .npz with images, or a folder of them. Default: mnist-5k."),
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            metavar="M1,M2,...",
            help="For methods: registration, least-squares, kornia-pairs, latent, latent-cold, latent-paper. For "
            "pictures: liescope, phase, ecc, sift, stackreg. For type2: dense, lift, lift-conv, cnn, cnn-lift, ...",
        ),
    ] = None,
    transforms: Annotated[
        str | None, typer.Option(metavar="T1,T2,...", help="Only these transforms, where there is a choice.")
    ] = None,
    laws: Annotated[
        str | None,
        typer.Option(
            metavar="L1,L2,...", help="For methods: uniform, normal, five-modal. Default: all for latent, else uniform."
        ),
    ] = None,
    kinds: Annotated[
        str | None,
        typer.Option(
            metavar="K1,K2,...",
            help="For pictures: clean, exposure, film-turn, ..., and alarms. For type2: few-100, few-300, "
            "few-1000, choice, shuffled, learn, pairs, invariance, ... Default: all.",
        ),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(
            metavar="I1,I2,...",
            help="For pictures: tuning, confirming, further, or photographs by name. Default: confirming.",
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="For methods: at most so many epochs of a training.")] = None,
    processes: Annotated[
        int | None, typer.Option(help="Runs side by side, one thread each. Default: as many as cores.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", "--tiny", help="Seconds of work, to see that it runs: the numbers mean little.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print NAME.json instead of the tables.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Measure speed and accuracy on data with a known answer, each number beside what knowing nothing would score.

    Stopped, and started again with the same --out, it goes on where it ended; but headline, whose time counts, anew.

    \b
    Examples:
      liescope bench --out bench --quick
      liescope bench headline --out bench
      liescope bench methods --methods registration,latent --transforms rotation --seeds 0 --out bench
      liescope bench pictures --kinds exposure,film-turn,alarms --out bench
    """
    from liescope.cli.benching import BenchRequest, run_bench

    request = BenchRequest(name, out, seeds, corpus, methods, transforms, laws, kinds, images, epochs, processes, quick)
    run_bench(request, as_json=json, quiet=quiet)
