"""What the programs share: how they start, how they end, and options that several have."""

import argparse
import errno
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline import origin as origins
from pipeline.byte_code import StaleByteCodeError
from pipeline.calls import calls_of
from pipeline.storage import DamagedFileError

NO_MEMORY = "there is not enough memory"
# numbers of a cell -> what they are; of the axes a cell has those that are its own
AXES = {
    "N": "rows of A",
    "d": "columns of A",
    "s": "nonzero entries of x_0",
    "eta": "noise level",
    "m": "rows of A, of a kernel of dimension one",
    "family_rho": "rho of such a problem",
    "depth": "depth D >= 2",
}


def _hold(path):
    """A file, locked together with other jobs as long as this process lives; None without a lock.

    A run waits for those that still hold it, jobs of one that was killed.  Not every file system
    has locks; then there is nothing to wait for.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CREAT)
        fcntl.flock(file, fcntl.LOCK_SH)
    except OSError:
        return None
    return file


def _end(number, frame):
    """End this process as if it failed, so that what is unfinished is removed."""
    sys.exit(f"error: ended from outside ({signal.Signals(number).name})")


def _tell(kind, error, trace):
    """One line, where memory ends while modules are loaded; any other error as usual."""
    at_its_end = issubclass(kind, MemoryError) or "failed to map segment" in str(error)
    if at_its_end or getattr(error, "errno", None) == errno.ENOMEM:
        print(f"error: {NO_MEMORY}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


if "IMPLICIT_L1_JOBS" in os.environ:  # this is a job of the workflow
    sys.excepthook = _tell
    _HELD = _hold(os.environ["IMPLICIT_L1_JOBS"])
    signal.signal(signal.SIGTERM, _end)


class Failure(Exception):
    """An error with a message for the person who ran the program."""


@contextmanager
def repetition(output: str, index: int) -> Iterator[None]:
    """Name the cell and the repetition in any error of the library raised inside."""
    with part_of(output, f"repetition {index}"):
        yield


@contextmanager
def part_of(output: str, part: str) -> Iterator[None]:
    """Name the cell and a part of it in any error of the library raised inside."""
    try:
        yield
    except (ValueError, RuntimeError, ArithmeticError) as error:
        raise Failure(f"{cell_of(output)}, {part}: {error}") from error


def cell_of(output: str) -> str:
    """The cell that an output belongs to, read off its path: results/<stage>/<cell>/<file>."""
    path = Path(output)
    return "/".join(path.with_suffix("").parts[1:])


def run(main: Callable[[], None]) -> None:
    """Call main(), once or for each of several calls, and end the process.

    On a failure one line is printed, and the exit status is 1.  Of several calls (see
    :mod:`pipeline.calls`) one that fails does not keep the others from being made.

    Args:
        main: reads the command line and makes what it asks for.
    """
    if sys.flags.optimize > 1:
        sys.exit("error: Python runs without docstrings; unset PYTHONOPTIMIZE, leave out -OO")
    try:
        failures = list(_failures(main))
    except OSError as error:
        reason = error.strerror or error
        sys.exit(f"error: {reason if error.filename is None else f'{error.filename}: {reason}'}")
    except MemoryError as error:
        sys.exit(": ".join(filter(None, [f"error: {NO_MEMORY}", str(error)])))
    except KeyboardInterrupt:
        sys.exit("error: interrupted")
    if failures:
        sys.exit("\n".join(f"error: {failure}" for failure in failures))


def _failures(main):
    """Make the calls of this process; those of their failures that say what is wrong."""
    program, *words = sys.argv
    for call in calls_of(words):
        sys.argv = [program, *call]
        origins.forget()
        try:
            main()
        except (Failure, DamagedFileError, StaleByteCodeError) as failure:
            yield failure


def add_cell(parser: argparse.ArgumentParser, depth: bool = True) -> None:
    """Options for the parameters of a cell, which are columns of its tables.

    Args:
        parser: to add to.
        depth: whether it must be given.
    """
    parser.add_argument("--ensemble", required=True, help="the problem's, in words")
    for axis, words in AXES.items():
        option, required = f"--{axis.replace('_', '-')}", depth and axis == "depth"
        parser.add_argument(option, type=float, required=required, help=words)
    parser.add_argument("--initialization", help="the network's, in words; default: from ones")
    parser.add_argument("--path-name", help="that of the path of scales")


def parameters_of(args: argparse.Namespace) -> dict:
    """The parameters of :func:`add_cell`: name of the column -> value, None of other axes."""
    cell = {"ensemble": args.ensemble, **{axis: getattr(args, axis) for axis in AXES}}
    words = {"initialization": args.initialization, "path": args.path_name}
    return cell | {name: value for name, value in words.items() if value is not None}


def add_random_problem(
    parser: argparse.ArgumentParser,
    ensembles: Mapping[str, Any],
    laws: Mapping[str, Any],
    **of_s: Any,
) -> None:
    """Options that name a random problem, less its noise.

    Args:
        parser: to add to.
        ensembles: name -> ensemble, those of which one is chosen.
        laws: name -> law of the magnitudes of x_0.
        of_s: how s is given, where it is not one number.
    """
    parser.add_argument("--N", type=int, required=True, help="rows of A")
    parser.add_argument("--d", type=int, required=True, help="columns of A")
    parser.add_argument("--s", type=int, required=True, help="nonzero entries of x_0", **of_s)
    parser.add_argument("--seed", type=int, required=True, help="root of all streams")
    add_parameters(parser, "ensemble", ensembles)
    add_law(parser, "--law", "law of the magnitudes of x_0", "signal", laws, required=True)


def add_repetitions(parser: argparse.ArgumentParser) -> None:
    """The option of the repetitions of a block."""
    parser.add_argument(
        "--repetitions", nargs=2, type=int, required=True, metavar=("FIRST", "LAST")
    )


def add_planted(
    parser: argparse.ArgumentParser,
    ensembles: Mapping[str, Any],
    laws: Mapping[str, Any],
    **of_s: Any,
) -> None:
    """Options that name a block of planted signals without noise.

    Args:
        parser, ensembles, laws, of_s: as in :func:`add_random_problem`.
    """
    add_repetitions(parser)
    parser.add_argument("--ensemble", choices=ensembles, default="gaussian")
    add_random_problem(parser, ensembles, laws, **of_s)
    parser.add_argument("--label", help="the ensemble in words; default: its name")


def add_law(
    parser: argparse.ArgumentParser,
    option: str,
    words: str,
    kind: str,
    laws: Mapping[str, Any],
    **settings: Any,
) -> None:
    """An option that names a law, and one for each parameter that some law has."""
    known = ". ".join(f"{name}: {law.doc.rstrip('.')}" for name, law in laws.items())
    parser.add_argument(option, help=f"{words}. {known}".replace("%", "%%"), **settings)
    add_parameters(parser, kind, laws)


def add_parameters(parser: argparse.ArgumentParser, kind: str, entries: Mapping[str, Any]) -> None:
    """An option for each parameter that some entry of a registry has, None if not given.

    Whether the chosen entry has it, and whether its value is allowed, the library says.

    Args:
        parser: to add to.
        kind: distinguishes parameters of one name, see :func:`given`.
        entries: name -> entry.
    """
    owners: dict[str, list[str]] = {}
    for name, entry in entries.items():
        for parameter in entry.parameters:
            owners.setdefault(parameter, []).append(name)
    form: dict[str, Any]
    for parameter, names in owners.items():
        found = entries[names[0]].parameters[parameter]
        if isinstance(found.default, bool):  # a parameter that is on or off is a flag
            words, form = "off if not given", {"action": "store_true"}
        else:
            default = "required" if found.required else f"default {found.default}"
            words, form = f"{found.allowed}; {default}", {"type": float, "metavar": "NUMBER"}
        if len(names) < len(entries):
            words = f"with {', '.join(names)}: {words}"
        parser.add_argument(
            f"--{parameter.replace('_', '-')}",
            dest=f"{kind}.{parameter}",
            default=None,
            help=words.replace("%", "%%"),
            **form,
        )


def given(args: argparse.Namespace, kind: str) -> dict[str, float]:
    """The parameters of :func:`add_parameters` that were given: name -> value."""
    head = f"{kind}."
    return {
        name.removeprefix(head): value
        for name, value in vars(args).items()
        if name.startswith(head) and value is not None
    }


def random_problem_options(args: argparse.Namespace) -> dict:
    """Those options as arguments of implicit_l1.problems.problem.random_problem."""
    return {
        **{key: getattr(args, key) for key in ("ensemble", "N", "d", "s", "seed")},
        "parameters": given(args, "ensemble"),
        "signal": {"law": args.law, **given(args, "signal")},
    }


def add_solver(parser: argparse.ArgumentParser) -> None:
    """The option of basis pursuit."""
    parser.add_argument(
        "--solver",
        required=True,
        help="of the l1 problem, the first that is asked: HIGHS, SCIPY, CLARABEL or SCS (cvxpy's), "
        "interior_point (this project's) or auto (this by size, or HIGHS)",
    )


def add_nonunique(parser: argparse.ArgumentParser) -> None:
    """The option for problems with several minimizers."""
    parser.add_argument(
        "--nonunique",
        choices=["fail", "carry", "select"],
        required=True,
        help="what to do with a problem whose minimizer is proved not unique",
    )


def add_exact_up_to(parser: argparse.ArgumentParser) -> None:
    """The option of the null space constant of a support."""
    parser.add_argument(
        "--exact-up-to",
        type=int,
        required=True,
        help="largest support for which rho~ is computed exactly",
    )
