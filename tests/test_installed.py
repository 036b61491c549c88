"""The archives: built from the source, installed into an empty folder, used from another one. And the image."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from liescope import __version__

ROOT = Path(__file__).parents[1]
DOCKERFILE = ROOT / "Dockerfile"


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return content


def done(*words: str | Path, **options: Any) -> str:
    """What a command prints, where it succeeds."""
    run = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, **options)
    assert run.returncode == 0, run.stdout + run.stderr
    told: str = run.stdout
    return told


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The source archive, and the wheel that was built from what is in it."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed (extra 'test')")
    made = tmp_path_factory.mktemp("made")
    done(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", made, cwd=ROOT)
    (source,) = made.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(made, filter="data")
    unpacked = made / source.name.removesuffix(".tar.gz")
    done(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", made, cwd=unpacked)
    (wheel,) = made.glob("*.whl")
    return source, wheel


@pytest.mark.slow
def test_the_archives_hold_what_belongs_in_them(archives: tuple[Path, Path]) -> None:
    source, wheel = archives
    assert source.name == f"liescope-{__version__}.tar.gz"
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "Makefile", "constraints.txt", "lowest.txt", "Dockerfile"} <= names
    assert {"tests/conftest.py", "docs/start.md", "examples/quickstart.py"} <= names
    with zipfile.ZipFile(wheel) as zipped:
        inside = set(zipped.namelist())
        metadata = zipped.read(f"liescope-{__version__}.dist-info/METADATA").decode()
    package = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*") if path.is_file()}
    assert {name for name in package if "__pycache__" not in name} == {n for n in inside if ".dist-info/" not in n}
    assert "liescope/py.typed" in inside
    assert "Project-URL: Paper, https://doi.org/" in metadata


@pytest.mark.slow
def test_an_installed_wheel_detects_from_another_folder(archives: tuple[Path, Path], tmp_path: Path) -> None:
    place, elsewhere = tmp_path / "place", tmp_path / "elsewhere"
    elsewhere.mkdir()
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-index")
    done(*pip, "--no-compile", "--target", place, archives[1])
    # Before the site-packages of this interpreter, where the checkout may be installed.
    environment = {**os.environ, "PYTHONPATH": str(place)}
    where = done(sys.executable, "-c", "import liescope; print(liescope.__file__)", cwd=elsewhere, env=environment)
    assert Path(where.strip()).is_relative_to(place)
    liescope = (sys.executable, "-m", "liescope")
    assert "Commands:" in done(*liescope, "--help", cwd=elsewhere, env=environment)
    script = (
        "import numpy as np, scipy.ndimage\n"
        "rng = np.random.default_rng(0)\n"
        "x = scipy.ndimage.gaussian_filter(np.pad(rng.random((80, 10, 10)), ((0, 0), (5, 5), (5, 5))), (0, 1, 1))\n"
        "y = np.stack([scipy.ndimage.shift(a, (0, s), order=3) for a, s in zip(x, rng.uniform(-3, 3, 80))])\n"
        "np.savez('pairs.npz', source=x, target=y)\n"
        "from liescope.cli import main\n"
        "raise SystemExit(main(['detect', 'pairs.npz', '--out', 'found', '--generators', '1', '--quiet', '--json']))\n"
    )
    told = done(sys.executable, "-c", script, cwd=elsewhere, env=environment)
    assert '"translation-x"' in told
    assert (elsewhere / "found" / "report.html").is_file()


def test_addresses_are_whole_and_classifiers_are_those_that_exist(project: dict[str, Any]) -> None:
    assert all(re.fullmatch(r"https://\S+", address) for address in project["urls"].values())
    classifiers = project["classifiers"]
    assert sorted(classifiers) == classifiers
    known = pytest.importorskip("trove_classifiers").classifiers
    assert set(classifiers) <= known


def test_the_classifiers_begin_with_the_least_python(project: dict[str, Any]) -> None:
    named = re.findall(r"Python :: 3\.(\d+)", "\n".join(project["classifiers"]))
    assert [int(minor) for minor in named] == list(range(11, 11 + len(named)))
    assert project["requires-python"] == f">=3.{named[0]}"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_is_given_a_script_that_completes(shell: str) -> None:
    liescope = (sys.executable, "-m", "liescope")
    script = done(*liescope, env={**os.environ, "_LIESCOPE_COMPLETE": f"source_{shell}"})
    assert f"_LIESCOPE_COMPLETE=complete_{shell}" in script
    asked = {"_LIESCOPE_COMPLETE": "complete_bash", "COMP_WORDS": "liescope detect --bas", "COMP_CWORD": "2"}
    assert done(*liescope, env={**os.environ, **asked}).split() == ["--basis"]


# --- the image


def instructions() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile and what follows them."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], line.partition(" ")[2]) for line in text.splitlines() if line.strip()]


def test_the_image_is_made_of_files_that_are_there_and_runs_as_nobody_in_particular() -> None:
    steps = instructions()
    copied = [word for name, rest in steps if name == "COPY" and "--from" not in rest for word in rest.split()[:-1]]
    sent = [
        line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    ]
    assert sorted(copied) == sorted(sent)
    assert [name for name in copied if not (ROOT / name).exists()] == []
    last = max(number for number, (name, _) in enumerate(steps) if name == "FROM")
    users = [rest for name, rest in steps[last:] if name == "USER"]
    assert users
    assert users[-1] not in ("root", "0")
    assert ("ENTRYPOINT", '["liescope"]') in steps[last:]
    assert all("--constraint constraints.txt" in rest for _, rest in steps if '"."' in rest or '".[' in rest)


def test_the_extras_of_the_image_exist(project: dict[str, Any]) -> None:
    (extras,) = (rest for name, rest in instructions() if name == "ARG" and rest.startswith("EXTRAS="))
    named = re.findall(r"[a-z]+", extras.partition("=")[2])
    assert named
    assert set(named) <= set(project["optional-dependencies"])


@pytest.mark.slow
def test_the_image_is_built_and_answers() -> None:
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("docker is not installed")
    if subprocess.run([docker, "info"], capture_output=True, check=False, timeout=60).returncode != 0:
        pytest.skip("docker is installed, but its daemon does not run")
    done(docker, "build", "-t", "liescope-test", "--build-arg", "EXTRAS=digits", ROOT)
    assert done(docker, "run", "--rm", "liescope-test", "--version").strip() == f"liescope {__version__}"
