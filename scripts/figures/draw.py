"""Stage figures: figures as PDF, SVG or PNG, each with the numbers that it shows as CSV.

A kind of figure (:mod:`figures.registry`) makes of the tidy tables the frame that is plotted, which
is the CSV file, and draws this frame.  Every number stands in the tables; a figure selects rows,
and takes medians over repetitions.  All it adds are the curve of the weak threshold of l1 recovery,
and in figure reach an interpolation between the scales of a path, instance by instance.
"""

import argparse
import importlib
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from figures.frames import Options, Tables, as_csv
from figures.layout import break_titles, replace_words, settle, write_below
from figures.registry import KINDS
from figures.words import ALPHA, ALPHA_SHAPED, notes_of
from pipeline.command_line import run
from pipeline.origin import remember_code
from pipeline.storage import replacing, write_origin, write_text

STYLE = Path(__file__).with_name("house.mplstyle")
# without the dates that would make two runs differ
METADATA = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}, ".png": {}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", choices=KINDS, required=True)
    parser.add_argument("--data", nargs="+", required=True, help="Parquet tables, in any order")
    parser.add_argument(
        "--realistic-alpha", nargs=2, type=float, required=True, help="the range to be shaded"
    )
    parser.add_argument(
        "--reach", type=float, help="the value of ||x - x_0||_2^2 to be reached, for figure reach"
    )
    parser.add_argument("--output", nargs="+", required=True, help="files in .pdf, .svg or .png")
    parser.add_argument("--csv", required=True, help="the CSV file of the numbers that are drawn")
    parser.add_argument("--origin", required=True, help="the JSON file: how the figure was made")
    parser.add_argument(
        "--configuration", type=json.loads, required=True, help="what it shows of it, as JSON"
    )
    args = parser.parse_args()

    for path in args.output:
        if Path(path).suffix not in METADATA:
            parser.error(f"--output {path}: the ending must be one of {', '.join(METADATA)}")
    tables = Tables.read(args.data)
    use_style(STYLE)
    frame, figure = drawn(args.figure, tables, Options(tuple(args.realistic_alpha), args.reach))
    lay_out(figure, tables)
    for path in args.output:
        # saving would give the figure a layout engine again
        with replacing(path) as temporary, mpl.rc_context({"figure.constrained_layout.use": False}):
            figure.savefig(temporary, metadata=METADATA[Path(path).suffix])
    plt.close(figure)
    write_text(args.csv, as_csv(frame))
    write_origin(
        args.origin,
        [*args.output, args.csv],
        configuration=args.configuration,
    )


def use_style(path: Path) -> None:
    """Draw in this style alone, without settings of the user's own."""
    mpl.use("agg")
    mpl.rcdefaults()
    plt.style.use(path)
    remember_code(path)


def drawn(name: str, tables: Any, options: Any) -> tuple[pd.DataFrame, Figure]:
    """(frame that is plotted, figure) of a kind of figure."""
    # all of them, so that what is recorded of the code does not depend on what else was drawn
    kinds = {kind: importlib.import_module(f"figures.kinds.{kind}") for kind in KINDS}
    frame = kinds[name].plotted(tables, options)
    return frame, kinds[name].picture(frame, options)


def lay_out(figure: Figure, tables: Any) -> None:
    """Finish a figure: what its tables say of all of it, and where everything stands."""
    if tables.shaped:
        replace_words(figure, ALPHA, ALPHA_SHAPED)
    break_titles(figure)
    settle(figure)
    write_below(figure, notes_of(tables.instances))


if __name__ == "__main__":
    run(main)
