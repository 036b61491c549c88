"""Annotations are checked for every kind of call: what does not fit is refused whatever was seen before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple

import beartype
import jaxtyping
import numpy as np
import pytest
import torch
from checked_once import ITEMS, LETTERS, checked_once, jaxtyped_once, kind_of
from jaxtyping import Float, TypeCheckError
from torch import Tensor

import liescope.geometry

TYPECHECKER = beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))


class Checks:
    """jaxtyping's decorator, and how often what it decorated was called."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, function: Any, typechecker: Any) -> Any:
        checked = jaxtyping._decorator.jaxtyped(function, typechecker=typechecker)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            return checked(*args, **kwargs)

        return counted


@pytest.fixture(autouse=True)
def _hook(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--jaxtyping-packages"):
        pytest.skip("annotations are not checked in this run")


@pytest.fixture
def checks() -> Checks:
    return Checks()


@pytest.fixture
def once(checks: Checks) -> Callable[[Any], Any]:
    return lambda function: checked_once(function, TYPECHECKER, checks)


def doubled(points: Float[Tensor, "n d"], weights: Float[Tensor, " n"] | None = None) -> Float[Tensor, "n d"]:
    return 2 * points if weights is None else points * weights[:, None]


def test_the_suite_checks_liescope_so() -> None:
    assert jaxtyping.jaxtyped is jaxtyped_once
    assert liescope.geometry.flow.__code__.co_filename.endswith("checked_once.py")
    with pytest.raises(TypeCheckError):
        liescope.geometry.flow("affine", torch.zeros(6), torch.zeros(3, 2))  # type: ignore[arg-type]


def test_calls_alike_are_checked_once(once: Any, checks: Checks) -> None:
    function = once(doubled)
    for _ in range(5):
        assert float(function(torch.ones(3, 2)).sum()) == 12
    # The first call, and its answer when it came again.
    assert checks.calls == 2
    function(torch.ones(4, 2))
    assert checks.calls == 3


@pytest.mark.parametrize(
    "wrong",
    [
        (torch.ones(3),),
        (torch.ones(3, 2, dtype=torch.int64),),
        (np.ones((3, 2)),),
        (torch.ones(3, 2), torch.ones(2)),
        (torch.ones(3, 2), [1.0, 1.0, 1.0]),
        (None,),
    ],
)
def test_what_does_not_fit_is_refused_after_what_fitted(once: Any, wrong: tuple[Any, ...]) -> None:
    function = once(doubled)
    for _ in range(3):
        function(torch.ones(3, 2))
        function(torch.ones(3, 2), torch.ones(3))
    for _ in range(2):
        with pytest.raises(TypeCheckError, match="parameters of"):
            function(*wrong)
    with pytest.raises(TypeCheckError):
        function(torch.ones(3, 2), weights=torch.ones(2))


def test_an_answer_of_another_kind_is_refused(once: Any) -> None:
    answers: list[Any] = [torch.ones(3, 2)] * 4 + [torch.ones(2, 3), torch.ones(3, 2), 1.0]

    @once  # type: ignore[untyped-decorator]
    def next_one(points: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        return answers.pop(0)  # type: ignore[no-any-return]

    for _ in range(4):
        next_one(torch.ones(3, 2))
    with pytest.raises(TypeCheckError, match="return value"):
        next_one(torch.ones(3, 2))
    next_one(torch.ones(3, 2))
    with pytest.raises(TypeCheckError, match="return value"):
        next_one(torch.ones(3, 2))


def test_a_refused_answer_is_refused_again(once: Any) -> None:
    @once  # type: ignore[untyped-decorator]
    def wrong(count: int) -> str:
        return count  # type: ignore[return-value]

    for _ in range(3):
        with pytest.raises(TypeCheckError):
            wrong(1)


def test_words_count_by_what_they_say(once: Any) -> None:
    @once  # type: ignore[untyped-decorator]
    def named(name: Literal["a", "b"]) -> str:
        return name

    assert [named("a"), named("b"), named("a")] == ["a", "b", "a"]
    for wrong in ("c", "c" * (LETTERS + 1), 1):
        with pytest.raises(TypeCheckError):
            named(wrong)


def test_items_are_looked_at(once: Any) -> None:
    @once  # type: ignore[untyped-decorator]
    def total(values: list[Float[Tensor, " n"]]) -> float:
        return float(torch.stack(values).sum())

    right = [torch.ones(2), torch.ones(2)]
    assert total(right) == total(right) == 4
    for wrong in ([torch.ones(2, 2)], [1], (torch.ones(2),)):
        with pytest.raises(TypeCheckError):
            total(wrong)


def test_what_has_no_kind_is_checked_every_time(once: Any, checks: Checks) -> None:
    @once  # type: ignore[untyped-decorator]
    def size(values: list[int]) -> int:
        return len(values)

    for _ in range(3):
        assert size([1] * (ITEMS + 1)) == ITEMS + 1
    assert checks.calls == 3
    with pytest.raises(TypeCheckError):
        size(["a"] * (ITEMS + 1))
    with pytest.raises(TypeError):
        kind_of(SimpleNamespace(a=1))


class Point(NamedTuple):
    x: Any
    y: Any


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 2),
        (1, 1.0),
        ("a", "b"),
        (torch.ones(2), torch.ones(3)),
        (torch.ones(2), torch.ones(2).double()),
        (torch.ones(2), torch.nn.Parameter(torch.ones(2))),
        (np.ones(2), torch.ones(2)),
        (np.ones(2), np.ones(2, np.float32)),
        ((1, 2), [1, 2]),
        (Point(1, 2), (1, 2)),
        (Point(1, None), Point(1, 2)),
        ({"a": np.ones(1)}, {"a": np.ones(2)}),
        ({"a": 1.0}, {"b": 1.0}),
        (int, str),
        (np, torch),
        (None, 0),
    ],
)
def test_kinds_differ(one: Any, other: Any) -> None:
    assert kind_of(one) != kind_of(other)
    assert kind_of(one) == kind_of(one)


def test_mistakes_of_the_call_and_of_the_function_come_through(once: Any) -> None:
    @once  # type: ignore[untyped-decorator]
    def inverse(value: float) -> float:
        return 1 / value

    assert inverse(2.0) == 0.5
    with pytest.raises(ZeroDivisionError):
        inverse(0.0)
    with pytest.raises(TypeError, match="missing a required argument"):
        inverse()


def test_methods_generators_and_classes_keep_what_they_are() -> None:
    @jaxtyped_once(typechecker=TYPECHECKER)  # type: ignore[untyped-decorator]
    def steps(count: int) -> Iterator[int]:
        yield from range(count)

    assert list(steps(3)) == [0, 1, 2]

    @jaxtyped_once(typechecker=TYPECHECKER)
    class Thing:
        @jaxtyped_once(typechecker=TYPECHECKER)  # type: ignore[untyped-decorator]
        def plus(self, other: int) -> int:
            """A sum."""
            return 1 + other

    assert isinstance(Thing, type)
    assert [Thing().plus(k) for k in (1, 1, 2)] == [2, 2, 3]
    assert Thing.plus.__doc__ == "A sum."
    with pytest.raises(TypeCheckError):
        Thing().plus("1")


def test_threads_do_not_mix_their_answers(once: Any) -> None:
    @once  # type: ignore[untyped-decorator]
    def same(value: int | str, size: int) -> Any:
        return value if size else None

    wrong: list[Any] = []

    def ask(value: Any) -> None:
        wrong.extend(value for size in range(200) if same(value, size + 1) != value)

    threads = [threading.Thread(target=ask, args=(value,)) for value in (1, "a", 2, "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
