"""Write one table for the reader, as CSV (more digits), Markdown, LaTeX and HTML."""

import argparse
import json

from pipeline.command_line import run
from pipeline.storage import write_origin, write_text
from pipeline.tidy import read_tables
from tables.making import make_table
from tables.registry import TABLES
from tables.rendering import digits_of, in_html, in_latex, in_markdown, notes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", choices=TABLES, required=True)
    parser.add_argument("--input", nargs="+", required=True, help="Parquet tables of its stage")
    parser.add_argument(
        "--certificates", nargs="*", default=[], help="Parquet tables of stage certificates"
    )
    parser.add_argument("--csv", required=True)
    parser.add_argument("--markdown", required=True)
    parser.add_argument("--latex", required=True)
    parser.add_argument("--html", required=True)
    parser.add_argument("--origin", required=True, help="the JSON file: how the table was made")
    parser.add_argument(
        "--configuration", type=json.loads, required=True, help="what it shows of it, as JSON"
    )
    args = parser.parse_args()

    table = make_table(args.table, read_tables(args.input), read_tables(args.certificates))
    note = " ".join(notes(table, TABLES[args.table].over))
    write_text(args.csv, digits_of(table).to_csv(index=False, lineterminator="\n"))
    write_text(args.markdown, in_markdown(table, note))
    write_text(args.latex, in_latex(table, note))
    write_text(args.html, in_html(table, note, args.table))
    write_origin(
        args.origin,
        [args.csv, args.markdown, args.latex, args.html],
        configuration=args.configuration,
    )


if __name__ == "__main__":
    run(main)
