"""Checks the annotations of liescope for every kind of call, and not again for calls of the same kind.

jaxtyping's import hook (``--jaxtyping-packages``) has each function bind its arguments and run two generated functions
whenever it is called, and generates them while modules are imported: a fifth of the suite's time and more, most of it
for calls like others before. Whether values fit their annotations follows from types, dtypes, shapes, whole numbers and
words: the *kind* of a value. A function is checked in full whenever the kinds of its arguments, or of its answer to
them, are new to it. Values whose kind cannot be told are checked whenever they come.
"""

from __future__ import annotations

import functools
import inspect
import threading
import types
from collections.abc import Callable
from typing import Any

import jaxtyping
import numpy as np
import scipy.sparse
import torch

Function = Callable[..., Any]

ITEMS = 64
"""Containers of more items have no kind: to look at each item takes longer than the check, which looks at one."""

LETTERS = 64
"""Longer words are all of one kind: no ``Literal`` is as long."""


class NoKindError(TypeError):
    """A value must be looked at by the type checker itself."""


def kind_of(value: Any) -> Any:
    """What decides whether a value fits an annotation, as something that can be looked up."""
    cls = value.__class__
    try:
        how = _HOW[cls]
    except KeyError:
        how = _HOW[cls] = next((how for base, how in _BASES if issubclass(cls, base)), _by_class)
    return how(value)


def _by_class(value: Any) -> Any:
    return value.__class__


def _by_value(value: Any) -> Any:
    return value.__class__, value


def _by_word(value: str) -> Any:
    return str, value if len(value) <= LETTERS else None


def _by_shape(value: Any) -> Any:
    return value.__class__, value.dtype, value.shape


def _by_items(value: Any) -> Any:
    if len(value) > ITEMS:
        raise NoKindError
    return value.__class__, tuple(map(kind_of, value))


def _by_keys_and_values(value: dict[Any, Any]) -> Any:
    return _by_items(value), tuple(map(kind_of, value.values()))


def _never(value: Any) -> Any:
    raise NoKindError


_BASES: list[tuple[Any, Function]] = [
    # One kind of sparse arrays is a dictionary, whose items are sparse arrays.
    ((scipy.sparse.sparray, scipy.sparse.spmatrix), _by_class),
    ((np.ndarray, torch.Tensor), _by_shape),
    (int, _by_value),
    (str, _by_word),
    ((tuple, list, set, frozenset), _by_items),
    (dict, _by_keys_and_values),
    # An annotation may be about a class or a module itself.
    ((type, types.ModuleType, types.GenericAlias), _by_value),
    # What these have is not that of their class.
    (types.SimpleNamespace, _never),
]
_HOW: dict[type, Function] = {}


def checked_once(function: types.FunctionType, typechecker: Function, check: Function = jaxtyping.jaxtyped) -> Function:
    """The function, checked by ``check`` (jaxtyping's decorator) for every kind of call that is new to it."""
    known: dict[Any, set[Any]] = {}
    given = threading.local()

    def same_answer(*_: Any, **__: Any) -> Any:
        return given.answer

    @functools.cache
    def in_full() -> Any:
        return check(function, typechecker=typechecker)

    @functools.cache
    def in_its_answer() -> Any:
        # The names in annotations are those of the function's module.
        twin = types.FunctionType(same_answer.__code__, function.__globals__, closure=same_answer.__closure__)
        return check(functools.wraps(function)(twin), typechecker=typechecker)

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        try:
            call = (*map(kind_of, args), *kwargs, *map(kind_of, kwargs.values()))
            answers = known.get(call)
        except TypeError:
            return in_full()(*args, **kwargs)
        if answers is None:
            answer = in_full()(*args, **kwargs)
            known.setdefault(call, set())
            return answer
        answer = function(*args, **kwargs)
        try:
            kind = kind_of(answer)
            if kind in answers:
                return answer
        except TypeError:
            kind = None
        given.answer = answer
        in_its_answer()(*args, **kwargs)
        del given.answer
        if kind is not None:
            answers.add(kind)
        return answer

    return wrapped


_jaxtyped = jaxtyping.jaxtyped


def jaxtyped_once(decorated: Any = None, *, typechecker: Any = None) -> Any:
    """In the place of :func:`jaxtyping.jaxtyped`; other things than functions are left to it."""
    if decorated is None:
        return functools.partial(jaxtyped_once, typechecker=typechecker)
    plain = isinstance(decorated, types.FunctionType)
    if not plain or inspect.isgeneratorfunction(decorated) or inspect.iscoroutinefunction(decorated):
        return _jaxtyped(decorated, typechecker=typechecker)
    return checked_once(decorated, typechecker, _jaxtyped)


def install() -> None:
    """Modules that are imported from now on are checked so: the hook asks jaxtyping for its decorator by name."""
    vars(jaxtyping)["jaxtyped"] = jaxtyped_once
