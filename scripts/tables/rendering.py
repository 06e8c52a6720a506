"""A table as texts: CSV (more digits), Markdown, LaTeX and HTML, and what is said under it."""

import re
from collections.abc import Collection

import pandas as pd

from implicit_l1.proof.intervals import Interval, float_text
from implicit_l1.status import (
    CERTIFIED,
    NOT_UNIQUE,
    PROVED,
    SELECTED,
    UNDECIDED,
    UNIQUE_IN_FLOATS,
)
from pipeline.words import readable
from tables.columns import COLUMNS, FLOAT, TEXT, Column

MARK = "†"
FLOAT_NOTE = "floating point, not proved"
EXACT_NOTE = "other numbers are exact"
PROVED_NOTE = "other numbers are exact or rounded from proved enclosures"
NO_ROWS = "No row: no instance has the numbers of this table"
# status of an l1 minimizer g* -> what it says
STATUS_NOTES = {
    CERTIFIED: "it is proved that g* is an ℓ¹ minimizer and the only one",
    NOT_UNIQUE: "it is proved that g* is an ℓ¹ minimizer and that another exists",
    UNDECIDED: "neither was proved within the stated limits",
    SELECTED: "g* is the one of several minimizers that the flow selects, not proved",
    UNIQUE_IN_FLOATS: "g* is the only minimizer, not proved",
}

# sign -> how LaTeX writes it; a longer one before its beginning
LATEX = {
    "ϱ~": r"$\tilde\varrho$",
    "ϱ": r"$\varrho$",
    "log₁₀ α": r"$\log_{10}\alpha$",
    "α": r"$\alpha$",
    "η": r"$\eta$",
    "κ": r"$\kappa$",
    "≥": r"$\ge$",
    "≤": r"$\le$",
    "x₀": "$x_0$",
    "ℓ¹": r"$\ell^1$",
    "g*": "$g^*$",
    "|S|": "$|S|$",
    "‖n off S‖₁": r"$\|n_{S^c}\|_1$",
    "‖n‖₁": r"$\|n\|_1$",
    f" {MARK}": r"$^\dagger$",
    MARK: r"$^\dagger$",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}
_SIGNS = re.compile(
    # a number with an exponent; a power, as words have it; a sign
    r"(?<![\w.])(?P<mantissa>-?\d[\d.]*)e(?P<exponent>[+-]?\d+)(?![\w.])"
    r"|(?P<base>10|alpha)\^(?P<power>-?[\d.]*\d)"
    rf"|(?P<sign>{'|'.join(map(re.escape, LATEX))})"
)
# a heading, or a part of it, that is a letter of the formulas
_LETTER = re.compile(r"\b[NDdmsy]\b")

WORDS_LEFT = [{"selector": "th, td", "props": "text-align: left"}]
# a cell of more letters holds a sentence, which may be broken over lines; a browser would set a
# word a line beside many columns
LONGEST = 40
SENTENCES = [{"selector": "td", "props": "min-width: 24em"}]
STYLES = [
    {"selector": "", "props": "font: 14px sans-serif; border-collapse: collapse"},
    {"selector": "th, td", "props": "padding: 0.2em 0.7em; vertical-align: top; text-align: right"},
    {"selector": "th", "props": "border-bottom: 1px solid; background: white"},
    {"selector": "th", "props": "position: sticky; top: 0"},
    {"selector": "td:first-child", "props": "white-space: nowrap"},  # what the row is of
    {"selector": "tbody tr:nth-child(even)", "props": "background: #f4f4f4"},
    {"selector": "caption", "props": "caption-side: bottom; text-align: left; padding: 1em 0.7em"},
]


def digits_of(table: pd.DataFrame) -> pd.DataFrame:
    """The table as texts with all the digits it publishes; columns of floats named so."""
    text = {}
    for name, values in table.items():
        column = COLUMNS[name]
        texts = [v if isinstance(v, str) else _cell(v, column, column.csv) for v in values]
        marked = column.source == FLOAT and not name.endswith("_float")
        text[f"{name}_float" if marked else name] = texts
    return pd.DataFrame(text)


def column_of(name: str) -> Column:
    """The column that a name in a CSV file, as :func:`digits_of` writes it, is of."""
    return COLUMNS[name] if name in COLUMNS else COLUMNS[name.removesuffix("_float")]


def filled(table: pd.DataFrame) -> list[str]:
    """Names of the columns that a reader is shown: those that are not empty.

    A table without rows shows them all.
    """
    if table.empty:
        return list(table)
    empty = [name for name in table if table[name].isna().all() or (table[name] == "").all()]
    # the caption says it once
    one = [name for name in table if name == "path" and table[name].nunique() == 1]
    return [name for name in table if name not in empty + one]


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The table as texts for a reader, empty columns left out, numbers in their form."""
    return pd.DataFrame(
        {
            heading_of(COLUMNS[name]): [
                _cell(value, COLUMNS[name], COLUMNS[name].form) for value in table[name]
            ]
            for name in filled(table)
        }
    )


def heading_of(column: Column) -> str:
    """Its name for a reader, marked if its numbers are floats."""
    return f"{column.heading} {MARK}" if column.source == FLOAT else column.heading


def _cell(value, column, form):
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, Interval):
        return value.text(form)
    if pd.isna(value):
        return ""
    if column.source == PROVED:
        raise TypeError(f"{value!r} has no enclosure")
    return format(int(value), "d") if form == "d" else float_text(value, form)


def notes(table: pd.DataFrame, over: Collection[str]) -> list[str]:
    """What is said under a table, in sentences: of the marks, columns and statuses that are in it.

    Args:
        table: as it was made.
        over: statuses of the repetitions that its numbers are over.
    """
    if table.empty:
        return [f"{NO_ROWS}."]
    sentences = []
    sources = {COLUMNS[name].source for name in filled(table)}
    if FLOAT in sources:
        others = PROVED_NOTE if PROVED in sources else EXACT_NOTE
        sentences.append(f"{MARK} {FLOAT_NOTE}; {others}.")
    meanings = filter(None, (COLUMNS[name].meaning for name in filled(table)))
    sentences += [f"{meaning}." for meaning in meanings]
    if "status" not in table:  # not of minimizers
        return sentences
    found = " ".join(table["status"])
    for status, words in STATUS_NOTES.items():
        if status == CERTIFIED or status in found:
            sentences.append(f"{status[0].upper()}{status[1:]}: {words}.")
    if any(status in found for status in (SELECTED, UNIQUE_IN_FLOATS)):
        # enclosures are of certified ones, whatever floats in their place are over
        beside = SELECTED in over and "unproved" not in table
        among = "these and the certified ones" if beside else "the certified ones alone"
        sentences.append(f"Numbers are over {among}.")
    return sentences


def _sides(table):
    """Shown column -> where its cells are aligned: words to the left, numbers to the right."""
    columns = (COLUMNS[name] for name in filled(table))
    return {heading_of(one): "left" if one.form == TEXT else "right" for one in columns}


def in_markdown(table: pd.DataFrame, note: str) -> str:
    """The table and a note in Markdown."""
    text = shown(table).rename(columns=_in_markdown).map(_in_markdown)
    sides = list(_sides(table).values())
    rows = text.to_markdown(index=False, disable_numparse=True, colalign=sides)
    return f"{rows}\n\n{_in_markdown(note)}\n"


def _in_markdown(text):
    return re.sub(r"([|*])", r"\\\1", text)


def from_markdown(text: str) -> tuple[pd.DataFrame, str]:
    """(the texts that a reader is shown, the note) of what :func:`in_markdown` has written."""
    lines, _, note = text.partition("\n\n")
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines.splitlines()]
    head, _, *rows = ([_out_of_markdown(cell) for cell in line] for line in cells)
    return pd.DataFrame(rows, columns=head, dtype=str), _out_of_markdown(note)


def _out_of_markdown(text):
    return re.sub(r"\\([|*])", r"\1", text.strip())


def in_latex(table: pd.DataFrame, note: str) -> str:
    """The table as an environment tabular, and a note."""
    text = shown(table)
    text.columns = [_LETTER.sub(r"$\g<0>$", latex(heading)) for heading in text.columns]
    sides = "".join(side[0] for side in _sides(table).values())
    rows = text.map(latex).to_latex(index=False, escape=False, column_format=sides)
    return f"{rows}\n{latex(note)}\n"


def latex(text: str) -> str:
    """A text as LaTeX writes it: signs and powers in formulas, its own signs escaped."""
    return _SIGNS.sub(_sign_in_latex, text)


def _sign_in_latex(found):
    if found["sign"]:
        return LATEX[found["sign"]]
    if found["base"]:
        return f"${found['base'].replace('alpha', LATEX['α'][1:-1])}^{{{found['power']}}}$"
    mantissa = "" if found["mantissa"] == "1" else rf"{found['mantissa']}\cdot "
    return f"${mantissa}10^{{{int(found['exponent'])}}}$"


def in_html(table: pd.DataFrame, note: str, name: str) -> str:
    """The table as a page, with a note under it.

    Args:
        name: of the table, to be the beginning of the identifiers in the page.
    """
    left = {heading: WORDS_LEFT for heading, side in _sides(table).items() if side == "left"}
    texts = shown(table)
    long = {heading: SENTENCES for heading in left if (texts[heading].map(len) > LONGEST).any()}
    page = (
        texts.style.hide(axis="index")
        .format(escape="html")
        .format_index(escape="html", axis="columns")
        .set_uuid(name)
        .set_table_styles(STYLES)
        .set_table_styles(left, overwrite=False)
        .set_table_styles(long, overwrite=False)
        .set_caption(note)
    )
    return page.to_html(doctype_html=True)
