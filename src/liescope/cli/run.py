"""Running the command: exit codes, and every failure as one line."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import traceback
from collections.abc import Sequence

import typer

from liescope.cli.application import app
from liescope.cli.logs import hide_log
from liescope.cli.quiet import quiet_libraries
from liescope.errors import ComputationError, InputError, one_line

__all__ = ["main"]

DONE, FAILURE, USAGE, INTERRUPTED = 0, 1, 2, 130

_REFUSED = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR,
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT,
)  # fmt: skip
"""What the system says of a name or a place that the user gave."""

# typer has carried its own copy of click since 0.25 or so; its base class is reached the same way in both.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default ``sys.argv[1:]``.

    Returns
    -------
    int
        0 done (also for the verdict "no symmetry"), 2 bad input or usage (one line on stderr, nothing
        written), 1 failure (one line; ``--debug`` or ``LIESCOPE_DEBUG=1`` adds the traceback), 130 stopped.
    """
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    debug = "--debug" in words or os.environ.get("LIESCOPE_DEBUG", "") not in ("", "0")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the terminal cannot show is no reason to fail when the work is done.
        sys.stdout.reconfigure(errors="replace")
    with contextlib.nullcontext() if debug else quiet_libraries():
        return _run(words, debug)


def _run(words: list[str], debug: bool) -> int:
    try:
        code = app(words, prog_name="liescope", standalone_mode=False)
        sys.stdout.flush()
        if code == INTERRUPTED:  # typer's own answer to Ctrl-C says nothing
            return _fail("interrupted", INTERRUPTED, debug=False)
        return code if isinstance(code, int) else DONE
    except InputError as error:
        return _fail(str(error), USAGE, debug)
    except ComputationError as error:
        return _fail(str(error), FAILURE, debug)
    except _UsageError as error:
        return _fail(_usage_message(error), USAGE, debug)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", INTERRUPTED, debug=False)
    except BrokenPipeError:
        # The reader (head, less) has left. Python would complain again when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except MemoryError:
        return _fail("out of memory, try fewer pairs or smaller images", FAILURE, debug)
    except OSError as error:
        if error.errno not in _REFUSED:
            return _fail(f"unexpected {type(error).__name__}: {error} (see the traceback with --debug)", FAILURE, debug)
        if error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT):
            # Python would try again, and complain again, when it closes stdout.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        place = "the output" if error.filename is None else repr(error.filename)
        return _fail(f"expected a place that can be read or written, got {place} ({error.strerror})", USAGE, debug)
    except Exception as error:
        message = f"unexpected {type(error).__name__}: {error} (see the traceback with --debug)"
        return _fail(message, FAILURE, debug)
    finally:
        hide_log()


def _fail(message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"liescope: error: {one_line(' '.join(message.split()))}", file=sys.stderr)
    return code


def _usage_message(error: Exception) -> str:
    """The parser's message, with did-you-mean in the same words as everywhere."""
    possibilities = getattr(error, "possibilities", None)
    message = str(getattr(error, "message", error))
    if possibilities:
        return f"{message}. Did you mean {sorted(possibilities)[0]!r}?"
    complete = getattr(error, "format_message", None)
    return str(complete()) if callable(complete) else message
