"""What the repository as a whole promises: nothing of one machine in it, and its own files agree."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liescope import Generator, __version__
from liescope.algebra import CANONICAL_FIELDS
from liescope.geometry import Grid, get_basis

ROOT = Path(__file__).parents[1]
MADE = {".venv", ".venv-lowest", ".hypothesis", "demo", "build", "dist", "__pycache__", "node_modules"}

# Put together here, so that this file does not contain what it forbids.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("download", "pytorch", "org"),
        ("anaconda", "org"),
        ("registry", "npmjs", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("rubygems", "org"),
    )
)
MACHINE_FOLDERS = ("work", "opt", "root", "home", "Users")
FORBIDDEN = re.compile(
    rf"{'|'.join(map(re.escape, REGISTRIES))}|(?<![\w.~}}-])/(?:{'|'.join(MACHINE_FOLDERS)})/".encode()
)


def repository_files() -> list[Path]:
    """Files that belong to the repository, committed or about to be."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout.decode()
        paths = [ROOT / name for name in listing.split("\0") if name]
    else:
        paths = list(unversioned_files(ROOT))
    return [path for path in paths if path.is_file()]


def unversioned_files(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name in MADE or entry.name.endswith(("_cache", ".egg-info")):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from unversioned_files(entry)
        else:
            yield entry


def forbidden(content: bytes) -> list[str]:
    """Registry hosts and machine paths in a file's content."""
    return [match.group().decode() for match in FORBIDDEN.finditer(content)]


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    files = repository_files()
    assert ROOT / "pyproject.toml" in files
    found = {str(p.relative_to(ROOT)): forbidden(p.read_bytes()) for p in files}
    assert {name: strings for name, strings in found.items() if strings} == {}


@pytest.mark.parametrize("host", REGISTRIES)
def test_a_registry_host_is_found(host: str) -> None:
    assert forbidden(f"--index-url https://{host}/simple".encode())


@pytest.mark.parametrize("folder", MACHINE_FOLDERS)
def test_a_machine_path_is_found_and_a_harmless_one_is_not(folder: str) -> None:
    assert forbidden(f'path = "/{folder}/main/file"'.encode())
    assert forbidden(f"/{folder}/main".encode())
    assert not forbidden(f"https://example.com/{folder}/page".encode())
    assert not forbidden(f"a/{folder}/b ./{folder}/b ~/{folder}/b $HOME/{folder}/b ${{x}}/{folder}/b".encode())


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """The table ``project`` of pyproject.toml."""
    content: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return content


def normalised(requirement: str) -> str:
    """The name of a distribution in a requirement, as package indexes compare names."""
    name = re.match(r"[\w.-]+", requirement)
    assert name
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def declared(project: dict[str, Any]) -> set[str]:
    dependencies, extras = project["dependencies"], project["optional-dependencies"]
    assert isinstance(dependencies, list)
    assert isinstance(extras, dict)
    names = {normalised(text) for texts in (dependencies, *extras.values()) for text in texts}
    return names - {"liescope"}


# What results are handed to is never installed for it: who uses these has them.
HANDED_TO = {"albumentations", "emlp", "torchvision"}


def third_party_imports() -> set[str]:
    names = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"liescope"} - HANDED_TO


def test_every_imported_distribution_is_declared(project: dict[str, Any]) -> None:
    owners = importlib.metadata.packages_distributions()
    known = declared(project)
    for name in third_party_imports():
        distributions = {normalised(owner) for owner in owners.get(name, [name])}
        assert distributions & known, f"import {name}: not in pyproject.toml"


def test_every_declared_distribution_is_pinned(project: dict[str, Any]) -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    assert "torch==2.13.0" in pins
    assert declared(project) <= {normalised(pin) for pin in pins}


TESTED_EXTRAS = ("digits", "data", "latent", "suite")
"""What ``make test-lowest`` installs beside the package itself."""


def release(version: str) -> tuple[int, ...]:
    """Of a version its numbers, as many as matter."""
    numbers = [int(part) for part in version.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def test_the_lower_bounds_are_those_that_are_tested(project: dict[str, Any]) -> None:
    extras = project["optional-dependencies"]
    texts = [*project["dependencies"], *(text for name in TESTED_EXTRAS for text in extras[name])]
    bounds = {normalised(text): text.partition(">=")[2] for text in texts if not text.startswith("liescope[")}
    assert all(re.fullmatch(r"[\d.]+", bound) for bound in bounds.values()), (
        "a requirement is NAME>=VERSION and no more"
    )
    lines = (ROOT / "lowest.txt").read_text(encoding="utf-8").splitlines()
    pins = {normalised(line): line.partition("==")[2] for line in lines if line and not line.startswith("#")}
    assert set(bounds) <= set(pins)
    # The test tools need only be some that work; torch's bound is the one that lowest.txt says is not tested.
    tools = {normalised(text) for text in extras["suite"]}
    apart = {name: (bound, pins[name]) for name, bound in bounds.items() if name not in {*tools, "torch"}}
    assert {name: both for name, both in apart.items() if release(both[0]) != release(both[1])} == {}
    assert all(release(bounds[name]) <= release(pins[name]) for name in bounds)


# Years ago by now: who has these or newer keeps them.
OLD = {"numpy": "1.26", "scipy": "1.13", "scikit-learn": "1.5", "pydantic": "2.7", "matplotlib": "3.8", "torch": "2.4"}


def test_what_people_have_is_left_alone(project: dict[str, Any]) -> None:
    bounds = {normalised(text): text.partition(">=")[2] for text in project["dependencies"]}
    assert {name: bounds[name] for name in OLD if release(bounds[name]) > release(OLD[name])} == {}


def test_the_version_is_the_same_everywhere() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(rf'^version: "?{re.escape(__version__)}"?$', citation, re.MULTILINE)
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[?(\d[^\]\s]*)", changelog, re.MULTILINE)
    assert newest
    assert newest.group(1) == __version__


@pytest.mark.parametrize(
    "page", [path for path in repository_files() if path.suffix == ".md"], ids=lambda path: path.name
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    local = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in local if link and not (page.parent / link).exists()] == []


def test_the_commands_of_the_readme_exist() -> None:
    makefile, readme = ((ROOT / name).read_text(encoding="utf-8") for name in ("Makefile", "README.md"))
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    wanted = set(re.findall(r"\bmake (demo|test|lint|docs|bench|clean|format)\b", readme))
    assert {"demo", "test"} <= wanted <= targets


def test_the_table_of_canonical_fields_is_what_the_code_does() -> None:
    text = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
    section = text.partition("## Canonical fields")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines()]
    table = {row[0]: row[1:] for row in rows if row[0] in CANONICAL_FIELDS}
    assert list(table) == list(CANONICAL_FIELDS)
    shape = (20, 28)
    for name, (_, product, _, unit, per_t) in table.items():
        factor, _, numbers = product.partition(" x ")
        coefficients = float(factor) * np.array([float(n) for n in numbers.strip("[]").split(",")])
        basis = get_basis("affine" if len(coefficients) == 6 else "quadratic")
        # Minus the field: the gauge must bring back the sign of the table.
        generator = Generator(-coefficients, basis, shape)
        np.testing.assert_allclose(generator.coefficients, coefficients, atol=1e-5)
        assert (generator.name, generator.unit) == (name, unit)
        expected = Grid.of(*shape).pixels_per_unit if per_t == "s" else float(per_t)
        assert generator.unit_per_t == pytest.approx(expected, rel=1e-4)


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_the_entry_of_continuous_integration_can_be_run() -> None:
    path = ROOT / ".ci" / "run"
    assert os.access(path, os.X_OK)
    assert "make test" in path.read_text(encoding="utf-8")
