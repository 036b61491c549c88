"""The public names are these and no others, each with a docstring, and importing them is quiet and light."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import liescope
from liescope.detector.fitting import fitted_pairs

PUBLIC = {
    "liescope": [
        "Generator",
        "InputError",
        "SymmetryDetector",
        "SymmetryResult",
        "__version__",
        "detect",
        "detect_dynamics",
        "detect_equivariance",
        "detect_invariance",
        "detect_points",
        "detect_sets",
        "load_result",
    ],
    "liescope.errors": [
        "ComputationError",
        "InputError",
        "one_line",
        "quoted",
        "require_memory",
        "require_packages",
        "shortened",
        "suggest",
    ],
    "liescope.geometry": [
        "BASES",
        "Basis",
        "Box",
        "CallableBasis",
        "Cloud",
        "Domain",
        "FieldOperators",
        "Grid",
        "KERNELS",
        "Orbit",
        "PolynomialBasis",
        "affine",
        "as_domain",
        "conformal",
        "derivative_matrix",
        "exponential_action",
        "field_basis",
        "flow",
        "flow_error",
        "get_basis",
        "polynomial",
        "quadratic",
        "sample",
        "transport_images",
    ],
    "liescope.algebra": [
        "ALGEBRA_WORDS",
        "AlgebraDescription",
        "CANONICAL_FIELDS",
        "CONVENTIONS",
        "flow_matrix",
        "CleanGenerators",
        "Factors",
        "GeneratedAlgebra",
        "Invariants",
        "NAMED_ALGEBRAS",
        "Snapping",
        "StructureConstants",
        "algebra_invariants",
        "clean_generators",
        "generated_algebra",
        "jacobi_residual",
        "killing_form",
        "product_magnitudes",
        "orthonormal_generators",
        "structure_constants",
        "Generator",
        "Recognition",
        "bracket_coefficients",
        "canonical_coefficients",
        "basis_contains",
        "check_basis",
        "describe_algebra",
        "equation",
        "field_gram",
        "find_factors",
        "fix_gauge",
        "readable_generators",
        "recognise",
        "span_angles",
        "structure_tensor",
    ],
    "liescope.data": [
        "CORPORA",
        "Corpus",
        "Frame",
        "ImageStack",
        "LAWS",
        "META_KEYS",
        "MIN_PAIRS",
        "MIN_SIDE",
        "Pairs",
        "Sets",
        "TASKS",
        "TRANSFORMS",
        "Transform",
        "canonical_transform",
        "film_pairs",
        "holds_film",
        "load_corpus",
        "load_pairs",
        "load_sets",
        "make_pairs",
        "pairs_from",
        "pairs_from_paths",
        "pairs_from_sequence",
        "parse_law",
        "parse_transforms",
        "preview_sheet",
        "read_film",
        "resize_images",
        "save_pairs",
        "user_transform",
        "validate_images",
        "validate_sets",
        "write_film",
    ],
    "liescope.inference": [
        "CoefficientUncertainty",
        "Count",
        "DIFFERENT_ROOTS",
        "Evidence",
        "FrameMagnitudes",
        "GainTest",
        "LEVEL",
        "SpanTrials",
        "TwoSampleTest",
        "bracket_share",
        "coefficient_uncertainty",
        "count_generators",
        "energy_distance",
        "find_modes",
        "frame_magnitudes",
        "gain_test",
        "identifiable",
        "two_sample_test",
        "unwrapped",
    ],
    "liescope.engines": [
        "AUTO",
        "ENGINES",
        "Engine",
        "Fit",
        "Fitted",
        "GreyScale",
        "Measured",
        "PairSet",
        "Progress",
        "Settings",
        "SpanEstimate",
        "Start",
        "choose_engine",
        "engine_names",
        "restore",
    ],
    "liescope.engines.registration": [
        "Aligner",
        "Contrast",
        "Registration",
        "RegistrationEngine",
        "Search",
        "SpanTrials",
        "contrast_generator",
        "free_coordinates",
        "magnitudes_along",
        "register_all",
    ],
    "liescope.engines.distribution": ["DistributionEngine"],
    "liescope.engines.latent": [
        "CHECKPOINT_FILES",
        "LatentConfig",
        "LatentEngine",
        "LatentFit",
        "LatentModel",
        "LatentOutput",
        "LossConfig",
        "ModelConfig",
        "PRESETS",
        "PatchAction",
        "PixelAction",
        "SCHEMA",
        "TERMS",
        "TrainedLatent",
        "TrainingConfig",
        "VectorAction",
        "WarmStart",
        "fit_latent",
        "get_config",
        "held_out_split",
        "load_latent",
        "loss_terms",
    ],
    "liescope.answer": [
        "LABELS",
        "Answer",
        "FieldAnswer",
        "OWN_FILES",
        "read_answer",
        "write_files",
    ],
    "liescope.result": [
        "RESULT_FILES",
        "SCHEMA",
        "WORK_FOLDER",
        "DetectedGenerator",
        "FieldResult",
        "Samples",
        "SymmetryResult",
        "atomic_folder",
        "check_folder",
        "load_result",
    ],
    "liescope.handover": [
        "LIBRARIES",
        "Transformation",
        "albumentations",
        "emlp",
        "escnn",
        "kornia",
        "lie_algebra",
        "sklearn",
        "torchvision",
    ],
    "liescope.detector": [
        "Progress",
        "SymmetryDetector",
        "detect",
        "detect_sets",
    ],
    "liescope.kinds": [
        "EquivarianceDetector",
        "InvarianceDetector",
        "detect_dynamics",
        "detect_equivariance",
        "detect_invariance",
        "detect_points",
    ],
    "liescope.nullspace": [
        "IRRELEVANT",
        "Decision",
        "Dictionary",
        "Forms",
        "Frame",
        "Spectrum",
        "Uncertainty",
        "decide",
        "defect_intervals",
        "drawn_forms",
        "frame_of",
        "full_degree",
        "gradient_terms",
        "mean_squares",
        "minimal_generators",
        "noise_defects",
        "pointwise_rank",
        "resampled_forms",
        "sparse_generators",
        "spectrum",
        "uncertainty",
    ],
    "liescope.type2": [
        "CANDIDATES",
        "Canonicaliser",
        "Evidence",
        "FAMILIES",
        "OrbitConv",
        "OrbitLift",
        "OrbitNetwork",
        "OrbitPool",
        "PooledProcess",
        "PowerSeries",
        "Scheme",
        "SchemeChoice",
        "SymmetryAugment",
        "Type2Classifier",
        "Type2Regressor",
        "Weighed",
        "learn_scheme",
        "orbit_copies",
        "select_scheme",
        "train",
        "try_schemes",
        "write_choice",
    ],
    "liescope.evaluation": [
        "CoefficientErrors",
        "MagnitudeCorrelation",
        "NullLevel",
        "NullLevels",
        "ReconstructionError",
        "classify_linear_part",
        "coefficient_errors",
        "field_cosine",
        "grassmann_distance",
        "image_support",
        "magnitude_correlation",
        "magnitude_error",
        "mode_count",
        "null_levels",
        "principal_angles",
        "reconstruction_error",
        "wasserstein",
        "wasserstein_standardised",
    ],
    "liescope.report": [
        "plot_field",
        "plot_frames",
        "plot_magnitudes",
        "plot_orbit",
        "plot_pairs",
        "render_comparison",
        "render_page",
        "write_comparison",
        "write_folder",
        "write_page",
    ],
    "liescope.reproduce": [
        "FIGURES",
        "Finding",
        "Reproduction",
        "Request",
        "figure_names",
        "reproduce",
    ],
    "liescope.cli": [
        "app",
        "main",
    ],
}

# Extras and heavy packages: imported where they are used, never by importing liescope.
ON_DEMAND = (
    "albumentations",
    "emlp",
    "escnn",
    "h5py",
    "kornia",
    "lightning",
    "ot",
    "plotly",
    "pooch",
    "requests",
    "skimage",
    "torchvision",
)


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_the_inventory(module: str) -> None:
    assert sorted(importlib.import_module(module).__all__) == sorted(PUBLIC[module])


def test_every_package_is_in_the_inventory() -> None:
    found = {
        f"liescope.{module.name}"
        for module in pkgutil.iter_modules(liescope.__path__)
        if not module.name.startswith("_")
    }
    found |= {f"liescope.engines.{name}" for name in ("registration", "latent", "distribution")}
    assert found | {"liescope"} == set(PUBLIC)


@pytest.mark.parametrize(("module", "name"), [(m, n) for m in PUBLIC for n in PUBLIC[m] if n != "__version__"])
def test_every_public_name_has_a_docstring(module: str, name: str) -> None:
    value = getattr(importlib.import_module(module), name)
    if inspect.isclass(value) or inspect.isroutine(value):
        text = value.__doc__ or ""
        assert text.strip(), f"{name} has no docstring"
        # What NamedTuple and dataclass write when nobody does.
        assert not text.startswith(f"{name}("), f"{name} has a generated docstring"
    else:
        assert documented_constant(module, name), f"{name}: expected a string literal below its assignment"


def documented_constant(module: str, name: str) -> bool:
    """Whether, where the name is assigned, the next statement is a string: the docstring of a constant."""
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    for statement in ast.walk(tree):  # those under TYPE_CHECKING too
        if isinstance(statement, ast.ImportFrom) and statement.module:
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return documented_constant(statement.module, alias.name)
    for statement, following in zip(tree.body, tree.body[1:], strict=False):
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return isinstance(following, ast.Expr) and isinstance(getattr(following.value, "value", None), str)
    return False


def test_public_names_of_the_package_are_reached_without_loading_it_whole() -> None:
    assert sorted(dir(liescope)) == sorted(liescope.__all__)
    assert liescope.detect is importlib.import_module("liescope.detector").detect
    with pytest.raises(AttributeError, match="no attribute 'detekt'"):
        getattr(liescope, "detekt")  # noqa: B009


def modules() -> list[pkgutil.ModuleInfo]:
    return list(pkgutil.walk_packages(liescope.__path__, "liescope."))


# Runs in a process of its own: imports what it is told to and prints what that loaded and whom it called.
PROBE = """
import importlib, json, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

calls = []
REFUSED, wanted, names = json.loads(sys.argv[1])
sys.meta_path.insert(0, Refuse())
sys.addaudithook(lambda event, arguments: calls.append(event) if event.startswith("socket.") else None)
for module in wanted:
    importlib.import_module(module)
for name in names:
    getattr(sys.modules["liescope"], name)
print(json.dumps([sorted(sys.modules), calls]))
"""


def probe(*wanted: str, refused: tuple[str, ...] = (), names: tuple[str, ...] = ()) -> tuple[set[str], list[str]]:
    """Modules loaded by imports in a fresh interpreter, and its network events."""
    source = str(Path(liescope.__file__).parents[1])
    request = json.dumps([refused, wanted, names])
    # -c puts the working directory first in the path: an installed copy is never what is tested.
    run = subprocess.run(
        [sys.executable, "-c", PROBE, request], cwd=source, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    loaded, calls = json.loads(run.stdout)
    return set(loaded), calls


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded, calls = probe("liescope")
    assert not loaded & {*ON_DEMAND, "torch", "matplotlib", "sklearn", "scipy", "numpy"}
    assert calls == []


def test_the_function_loads_nothing_heavy_before_it_is_called() -> None:
    loaded, _ = probe("liescope", names=("InputError", "detect"))
    assert not loaded & {*ON_DEMAND, "torch", "matplotlib", "sklearn", "scipy", "numpy", "pandas", "pydantic"}
    assert liescope.detect.__module__ in loaded


def test_what_detects_loads_neither_scikit_learn_nor_statistics_before_they_are_needed() -> None:
    loaded, _ = probe(fitted_pairs.__module__)
    assert "torch" in loaded
    assert not loaded & {*ON_DEMAND, "matplotlib", "pandas", "sklearn", "scipy.stats", "scipy.signal"}


def test_the_command_line_starts_without_torch() -> None:
    loaded, calls = probe("liescope.cli.detecting")
    assert not loaded & {*ON_DEMAND, "torch", "matplotlib", "numpy", "rich"}
    assert calls == []


def test_the_data_package_needs_no_torch() -> None:
    assert "torch" not in probe("liescope.data")[0]


def test_the_public_names_load_no_plots_and_no_extras_and_open_no_connection() -> None:
    loaded, calls = probe("liescope", names=tuple(PUBLIC["liescope"]))
    assert "torch" in loaded
    assert not loaded & {*ON_DEMAND, "matplotlib"}
    assert calls == []


def test_every_module_can_be_imported_without_the_extras() -> None:
    # The modules that train are what Lightning is for; they are imported when something is trained. Those that make
    # another library's objects are imported when one is made.
    home = "liescope.engines.latent"
    lightning = (f"{home}.search", f"{home}.trainer", f"{home}.training")
    handed = tuple(f"liescope.handover.for_{name}" for name in ("torchvision", "kornia", "albumentations", "emlp"))
    apart = ("liescope.__main__", *lightning, *handed)
    probe(*(module.name for module in modules() if module.name not in apart), refused=ON_DEMAND)
