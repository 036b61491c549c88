"""Pages made from the code itself: the command line and the API."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["PACKAGES", "api_pages", "command_line_page"]

FACADE = "liescope"
PACKAGES = (
    FACADE,
    "liescope.detector",
    "liescope.result",
    "liescope.data",
    "liescope.geometry",
    "liescope.algebra",
    "liescope.answer",
    "liescope.engines",
    "liescope.engines.registration",
    "liescope.engines.latent",
    "liescope.engines.distribution",
    "liescope.type2",
    "liescope.kinds",
    "liescope.nullspace",
    "liescope.inference",
    "liescope.evaluation",
    "liescope.report",
    "liescope.handover",
    "liescope.reproduce",
    "liescope.errors",
)
"""The public modules, in the order in which a reader meets them."""


def command_line_page() -> str:
    """One section for each command, from the texts that ``--help`` shows."""
    import typer

    from liescope.cli import app

    command: Any = typer.main.get_command(app)
    context = command.make_context("liescope", [], resilient_parsing=True)
    parts = [
        "# Command line",
        "Made from the command's own `--help` when this site was built.",
        *_command_section(command, context, "liescope"),
    ]
    for name, sub in command.commands.items():
        inner = sub.make_context(name, [], parent=context, resilient_parsing=True)
        parts += _command_section(sub, inner, f"liescope {name}")
    parts.append(
        'Exit codes: 0 done (the verdict "no symmetry" is an answer too), 1 failure, 2 bad input or usage: one line '
        "says what was expected, and nothing is written."
    )
    return "\n\n".join(parts) + "\n"


def _command_section(command: Any, context: Any, title: str) -> Iterator[str]:
    words, _, examples = inspect.cleandoc(command.help or "").partition("\b")
    yield f"## {title}"
    yield words.strip()
    yield f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```"
    rows = [record for parameter in command.get_params(context) if (record := parameter.get_help_record(context))]
    cells = ([f"`{left}`", _cell(right)] for left, right in rows)
    yield "\n".join(["| option | meaning |", "|---|---|", *(f"| {' | '.join(row)} |" for row in cells)])
    if examples.strip():
        lines = textwrap.dedent(examples.strip().removeprefix("Examples:")).strip("\n")
        yield f"```shell\n{textwrap.dedent(lines)}\n```"


def _cell(text: str) -> str:
    for symbol in ("|", "<", "*", "_"):
        text = text.replace(symbol, f"\\{symbol}")
    return re.sub(r"(?<!\w)--[a-z][a-z-]*", r"`\g<0>`", text)


def api_pages() -> dict[Path, str]:
    """One page for each public module, and their index."""
    pages = {Path("api", f"{name}.rst"): _module_page(importlib.import_module(name)) for name in PACKAGES}
    rows = [f"   {name}" for name in PACKAGES]
    intro = (
        "Every public name, with the shapes of its arrays and a link to its source. Shapes are written as in "
        'jaxtyping: ``Float[Tensor, "n 2"]`` is n rows of two numbers, ``*b`` any leading dimensions. They are '
        "checked while the tests run."
    )
    pages[Path("api", "index.rst")] = "\n".join(
        ["API", "===", "", intro, "", ".. toctree::", "   :maxdepth: 1", "", *rows, ""]
    )
    return pages


def _module_page(module: ModuleType) -> str:
    name = module.__name__
    names = [n for n in module.__all__ if n != "__version__"]
    kinds = {n: _kind(getattr(module, n)) for n in names}
    lines = [name, "=" * len(name), "", f".. py:module:: {name}", "", *_introduction(module), ""]
    lines += [".. list-table::", "   :widths: 30 70", ""]
    for member in names:
        # The facade's names are documented once, where they live: links would be ambiguous otherwise.
        home = _public_home(getattr(module, member)) if name == FACADE else name
        lines += [f"   * - :py:obj:`~{home}.{member}`", f"     - {_first_sentence(module, member, kinds[member])}"]
    lines += [""]
    for heading, wanted in (("Classes", "class"), ("Functions", "function"), ("Constants", "data")):
        members = [n for n in names if kinds[n] == wanted and name != FACADE]
        if members:
            lines += [heading, "-" * len(heading), ""]
        for member in members:
            lines += _data_entry(module, member) if wanted == "data" else _entry(module, member, wanted)
    return "\n".join(lines) + "\n"


def _first_sentence(module: ModuleType, name: str, kind: str) -> str:
    if kind == "data":
        lines = _text_below(module, name)
    else:
        lines = inspect.cleandoc(getattr(module, name).__doc__ or "").splitlines()
    paragraph = " ".join(itertools.takewhile(str.strip, lines))
    return re.split(r"(?<=[.:]) (?=[A-Z])", paragraph)[0]


def _public_home(value: Any) -> str:
    """The public package of a class or function: ``liescope.algebra`` of ``liescope.algebra.generator.Generator``."""
    return ".".join(value.__module__.split(".")[:2])


def _introduction(module: ModuleType) -> list[str]:
    return inspect.cleandoc(module.__doc__ or "").splitlines()


def _kind(value: Any) -> str:
    if inspect.isclass(value):
        return "class"
    return "function" if inspect.isroutine(value) else "data"


def _entry(module: ModuleType, name: str, kind: str) -> list[str]:
    options = ["   :members:"] if kind == "class" else []
    if kind == "class" and getattr(module, name).__bases__ != (object,):
        options.append("   :show-inheritance:")
    return [f".. auto{kind}:: {module.__name__}.{name}", *options, ""]


def _data_entry(module: ModuleType, name: str) -> list[str]:
    """A constant with the text that stands below it where it is defined."""
    lines = [f".. py:data:: {name}", ""]
    return [*lines, *(f"   {line}" for line in _text_below(module, name)), ""]


def _text_below(module: ModuleType, name: str) -> list[str]:
    from sphinx.pycode import ModuleAnalyzer

    home = _home(module, name)
    return ModuleAnalyzer.for_module(home).find_attr_docs().get(("", name), [])


def _home(module: ModuleType, name: str) -> str:
    """The module that defines an exported constant: followed through the imports of its package."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom) and node.module and any(alias.name == name for alias in node.names):
            return _home(importlib.import_module(node.module), name)
    return module.__name__
