"""Imports go one way: every module from its own layer and those below it, and no two modules from each other."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = "liescope"
SOURCE = Path(__file__).parents[1] / "src" / PACKAGE

LAYERS = (
    "errors",
    "geometry",
    "algebra",
    "data",
    "inference",
    "nullspace",
    "engines",
    "answer",
    "report",
    "result",
    "handover",
    "detector",
    "kinds",
    "type2",
    "evaluation",
    "reproduce",
    "cli",
    "__main__",
)
RANK = {name: rank for rank, name in enumerate(LAYERS)}

# Engines stand side by side: each may use what they share, and only the registry knows them.
SHARED_BY_ENGINES = {"contract", "pair_set", "state", "workers", "devices", "overlap"}
REGISTRY = "registry"

# inference decides from numbers and knows no images.
NO_TORCH = ("errors", "data", "inference")


class Import(NamedTuple):
    """An import statement: the full name of what it brings."""

    name: str
    line: int


def imports(tree: ast.AST, module: str, *, is_package: bool) -> Iterator[Import]:
    """All imports of a module: at its top, inside functions, under ``if TYPE_CHECKING``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            parent = module.split(".")[: len(module.split(".")) - node.level + is_package] if node.level else []
            base = [*parent, *(node.module or "").split(".")]
            for alias in node.names:
                yield Import(".".join([*filter(None, base), alias.name]), node.lineno)


def violations(sources: Mapping[str, str], packages: frozenset[str] = frozenset()) -> list[str]:
    """What breaks the order.

    Parameters
    ----------
    sources : mapping
        From the full name of a module to its text.
    packages : frozenset of str
        The modules that are an ``__init__.py``.
    """
    found = []
    for module, text in sources.items():
        if module == PACKAGE:
            continue  # The facade: it may name anything, and nothing but its version may be taken from it.
        own, *inner = module.split(".")[1:]
        if own not in RANK:
            found.append(f"{module}: layer {own!r} has no place in the order")
            continue
        for name, line in imports(ast.parse(text), module, is_package=module in packages):
            parts = name.split(".")
            place = f"{module}:{line} imports {name}"
            if parts[0] == "torch" and own in NO_TORCH:
                found.append(f"{place}: {own} must not depend on torch")
            if parts[0] != PACKAGE or parts[1:] == ["__version__"]:
                continue
            if len(parts) == 1 or parts[1] not in RANK:
                found.append(f"{place}: not a layer")
                continue
            other = parts[1]
            if RANK[other] > RANK[own]:
                found.append(f"{place}: {other} is above {own}")
            elif own == other == "engines" and inner and inner[0] != REGISTRY:
                room = parts[2] if len(parts) > 2 else ""
                if room != inner[0] and room not in SHARED_BY_ENGINES:
                    found.append(f"{place}: engines stand side by side")
    return found


def arrows(sources: Mapping[str, str], packages: frozenset[str] = frozenset()) -> dict[str, set[str]]:
    """Which modules each module imports, every name traced to the module that it is taken from."""
    graph: dict[str, set[str]] = {module: set() for module in sources}
    for module, text in sources.items():
        for name, _ in imports(ast.parse(text), module, is_package=module in packages):
            parts = name.split(".")
            while parts and ".".join(parts) not in sources:
                parts.pop()
            target = ".".join(parts)
            if target not in ("", module, PACKAGE):
                graph[module].add(target)
    return graph


def circle(sources: Mapping[str, str], packages: frozenset[str] = frozenset()) -> list[str]:
    """Modules that import one another, directly or through others, in functions too; empty where none do."""
    try:
        graphlib.TopologicalSorter(arrows(sources, packages)).prepare()
    except graphlib.CycleError as error:
        return sorted(set(error.args[1]))
    return []


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_package() -> tuple[dict[str, str], frozenset[str]]:
    files = sorted(SOURCE.rglob("*.py"))
    sources = {module_name(path): path.read_text(encoding="utf-8") for path in files}
    return sources, frozenset(module_name(path) for path in files if path.name == "__init__.py")


def test_imports_go_one_way() -> None:
    sources, packages = read_package()
    assert f"{PACKAGE}.errors" in sources
    assert violations(sources, packages) == []


def test_no_modules_import_each_other() -> None:
    sources, packages = read_package()
    assert sum(map(len, arrows(sources, packages).values())) > 500
    assert circle(sources, packages) == []


def test_every_layer_is_there() -> None:
    sources, _ = read_package()
    assert {module.split(".")[1] for module in sources if module != PACKAGE} == set(LAYERS)


@pytest.mark.parametrize(
    ("module", "text", "fault"),
    [
        ("geometry.grid", "from liescope.algebra import Generator", "algebra is above geometry"),
        ("geometry.grid", "import liescope.algebra.gauge as g", "algebra is above geometry"),
        ("algebra.span", "from liescope import data", "data is above algebra"),
        ("algebra.span", "from ..report import words", "report is above algebra"),
        ("algebra.span", "def f():\n    if 1:\n        import liescope.cli", "cli is above algebra"),
        ("algebra.span", "if TYPE_CHECKING:\n    from liescope.result import x", "result is above algebra"),
        ("algebra.span", "try:\n    import liescope.cli\nexcept ImportError: ...", "cli is above algebra"),
        ("engines.registration.engine", "from liescope.engines.latent import model", "stand side by side"),
        ("engines.latent.engine", "import liescope.engines.registration", "stand side by side"),
        ("engines.latent.engine", "from liescope.engines import ENGINES", "stand side by side"),
        ("engines.contract", "def f():\n    from liescope.engines.latent import x", "stand side by side"),
        ("engines.contract", "from liescope.engines.registry import ENGINES", "stand side by side"),
        ("inference.count", "from liescope.engines.pair_set import PairSet", "engines is above inference"),
        ("inference.count", "import torch", "must not depend on torch"),
        ("data.pairs", "import torch.nn", "must not depend on torch"),
        ("data.pairs", "def f():\n    from torch import Tensor", "must not depend on torch"),
        ("answer.answer", "from liescope.report import words", "report is above answer"),
        ("answer.answer", "def f():\n    from liescope.report.page import write_page", "report is above answer"),
        ("report.page", "def f():\n    from liescope.result import load_result", "result is above report"),
        ("handover.libraries", "from liescope.detector import detect", "detector is above handover"),
        ("result.symmetry", "def f():\n    from liescope.handover import kornia", "handover is above result"),
        ("detector", "from liescope import detect", "not a layer"),
        ("detector", "import liescope", "not a layer"),
        ("helpers", "", "no place in the order"),
    ],
)
def test_a_planted_violation_is_found(module: str, text: str, fault: str) -> None:
    found = violations({f"{PACKAGE}.{module}": text})
    assert len(found) == 1
    assert fault in found[0]


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("errors", "import difflib"),
        ("engines.registration.engine", "from liescope.engines.registration.levels import Level\nfrom . import motion"),
        ("engines.registration", "from .levels import Level"),
        ("engines.registration.engine", "from liescope.engines.contract import Engine"),
        ("engines.registry", "from liescope.engines.latent import LatentEngine"),
        ("engines", "from liescope.engines.registry import ENGINES"),
        ("result.symmetry", "from liescope.report.page import write_page"),
        ("detector", "from liescope import __version__\nfrom liescope.inference import Count"),
        ("cli.application", "from liescope.report import words"),
    ],
)
def test_what_is_allowed_passes(module: str, text: str) -> None:
    name, (_, packages) = f"{PACKAGE}.{module}", read_package()
    assert violations({name: text}, frozenset({name}) & packages) == []


@pytest.mark.parametrize(
    "inside", ["from liescope.a.two import x", "def f():\n    from liescope.a import two", "import liescope.a.two"]
)
def test_a_planted_circle_is_found(inside: str) -> None:
    home = f"{PACKAGE}.a"
    sources = {home: "", f"{home}.one": inside, f"{home}.two": f"from {home}.three import y", f"{home}.three": ""}
    assert circle(sources) == []
    closed = sources | {f"{home}.three": f"from {home} import one"}
    assert circle(closed) == [f"{home}.one", f"{home}.three", f"{home}.two"]
