"""Parts of the page that compare with peers: limit points, the flow, the minimizer."""

from typing import Any

import numpy as np
import pandas as pd

from benchmark.comparison import OURS
from benchmark.parts.words import (
    Aim,
    Notes,
    cell_words,
    factor,
    markdown,
    power,
    settings,
    small,
    time_of,
)
from benchmark.ratios import (
    CELL,
    FLOW_REACHED,
    TEXTBOOK,
    TIMES_FASTER,
    fastest,
    fastest_peers,
    grouped,
)

# so many columns of times stand beside each other
WIDE = 7


# --- the limit point ---


def limit_part(table: pd.DataFrame) -> tuple[str, list]:
    notes = Notes()
    wide = []
    for cell, rows in grouped(table, [*CELL, "depth"]):
        wide.append(f"### {cell_words(cell)}")
        scales = sorted(rows["log10_alpha"].unique(), reverse=True)
        for first in range(0, len(scales), WIDE):
            wide.append(times_and_errors(rows, scales[first : first + WIDE], notes))
    ratios = fastest_peers(table)
    packaged = fastest_peers(table[table["contestant"] != TEXTBOOK])
    return (
        f"""## 1. The limit point at one scale

Who reaches which accuracy, and at what cost. `error` is the relative error of
‖x<sup>∞</sup>(α) − g\\*‖₁ against an enclosure of it; times are medians of a call with one thread
(fastest–slowest).

![Correct digits and times of all contestants against alpha](benchmark.png)

*The largest problem. The darker, the more digits of the error are right; slow: past the limit of
time; fails: says so, or gives no numbers.*

{settings(table)}

## 1a. The fastest peer for an accuracy, and its time over ours

The fastest peer whose measured error is at most that of the column, and its time over that of
ours: {" · ".join(ours_of(table))}. — : no peer reaches it. Bold: the peer is better. The aim is
×{TIMES_FASTER}.

All peers:

{reach_summary(ratios)}

All but {TEXTBOOK}, which is no package but written for this comparison:

{reach_summary(packaged)}

{better_peers(table, ratios)}

{reach_tables(ratios)}

## 1b. All times and errors

{chr(10).join(f"{text}{chr(10)}" for text in wide)}
{notes}""",
        [*reach_aims(ratios, "peers"), *reach_aims(packaged, "packages")],
    )


def ours_of(table: pd.DataFrame) -> list[str]:
    """The names of this project's contestants."""
    return [name.removeprefix(OURS) for name in table.loc[table["ours"], "contestant"].unique()]


def times_and_errors(rows: pd.DataFrame, scales: list, notes: Notes) -> str:
    """Contestants against scales: time, and below it the error or why there is none."""
    lines = []
    for contestant, own in rows.groupby("contestant", sort=False):
        line = {"contestant": contestant}
        for scale in scales:
            found = own[own["log10_alpha"] == scale]
            line[f"α = {power(scale)}"] = outcome(found.iloc[0], notes) if len(found) else ""
        lines.append(line)
    return markdown(lines)


def outcome(row: Any, notes: Notes) -> str:
    if pd.isna(row.error):
        return notes.status(row.status)
    return f"{time_of(row)}<br>{small(row.error)}"


def own_columns(ratios: pd.DataFrame) -> list[str]:
    return list(ratios.columns[ratios.columns.get_loc("peer") + 1 :])


def reach_summary(ratios: pd.DataFrame) -> str:
    """How often a peer reaches an accuracy, and how its times compare."""
    lines = []
    for error, rows in ratios.groupby("accuracy", sort=False):
        line = {"accuracy": small(error), "reached": f"{rows['peer'].notna().sum()} of {len(rows)}"}
        for name in own_columns(ratios):
            values = rows[name].dropna()
            both = (factor(values.min()), factor(values.median())) if len(values) else ()
            line[f"over {name}: least, median"] = ", ".join(both) or "—"
        lines.append(line)
    return markdown(lines)


def reach_tables(ratios: pd.DataFrame) -> str:
    texts = []
    for cell, rows in grouped(ratios, CELL):
        lines = []
        for where, group in grouped(rows, ["depth", "log10_alpha"]):
            line = {"D": f"{where['depth']:g}", "α": power(where["log10_alpha"])}
            for row in group.to_dict("records"):
                line[f"error ≤ {small(row['accuracy'])}"] = peer_words(row, own_columns(ratios))
            lines.append(line)
        texts.append(f"### {cell_words(cell)}\n\n{markdown(lines)}\n")
    return "\n".join(texts)


def peer_words(row: pd.Series, names: list[str]) -> str:
    if pd.isna(row["peer"]):
        return "—"
    values = ["ours does not" if pd.isna(row[name]) else factor(row[name]) for name in names]
    words = [
        f"**{text}**" if not row[name] >= 1.0 else text
        for name, text in zip(names, values, strict=True)
    ]
    return f"{row['peer']}<br>{' · '.join(words)}"


def better_peers(table: pd.DataFrame, ratios: pd.DataFrame) -> str:
    """Where a peer is better than ours, said plainly."""
    lines = []
    known = ratios[ratios["peer"].notna()]
    for cell, rows in grouped(known, [*CELL, "depth", "peer"]):
        # of several accuracies at a scale the strictest is last
        for name in own_columns(ratios):
            faster = rows[rows[name] < 1.0].drop_duplicates("log10_alpha", keep="last")
            if len(faster):
                scales = ", ".join(
                    f"{power(row['log10_alpha'])} (error ≤ {small(row['accuracy'])}, "
                    f"{factor(row[name])})"
                    for row in faster.to_dict("records")
                )
                lines.append(f"- {cell_words(cell)} is faster than {name} at α = {scales}.")
            missed = rows[rows[name].isna()]
            if len(missed):
                scales = ", ".join(
                    f"{power(row['log10_alpha'])} ({small(row['accuracy'])})"
                    for row in missed.to_dict("records")
                )
                lines.append(f"- {cell_words(cell)} reaches what {name} does not at α = {scales}.")
    if lines:
        text = "**Where a peer is better:**\n\n" + "\n".join(lines)
    else:
        text = "Nowhere does a peer reach one of these accuracies sooner than ours."
    keys = [*CELL, "depth", "log10_alpha"]
    errors = table.groupby([*keys, "ours"])["error"].min().unstack()
    more = errors[errors.get(False, np.nan) < errors[True]]
    if more.empty:
        return f"{text}\n\nNowhere is the error of a peer smaller than that of ours."
    return (
        f"{text}\n\nIn {len(more)} of {len(errors)} cells the error of some peer is smaller than "
        f"that of ours, which is at most {small(more[True].max())} there."
    )


def reach_aims(ratios: pd.DataFrame, who: str) -> list:
    aims = []
    for name in own_columns(ratios):
        values = ratios[name].dropna()
        if values.empty:
            continue
        count = (values >= TIMES_FASTER).sum()
        aims.append(
            Aim(
                "1",
                f"{who} take {factor(TIMES_FASTER)} the time of {name}, or do not get there",
                f"least {factor(values.min())}; in {count} of {len(values)} cases where one does",
                count == len(values),
            )
        )
    return aims


# --- the flow ---


def flow_part(table: pd.DataFrame) -> tuple[str, list]:
    # what is reached is reached on the way and at the end
    table = table.assign(
        end_error=table["error"], error=table[["error", "times_error"]].max(axis=1)
    )
    lines, notes = [], Notes()
    for cell, rows in grouped(table, [*CELL, "depth", "log10_alpha"]):
        ours = fastest(rows[rows["ours"]], FLOW_REACHED)
        for contestant, own in rows.groupby("contestant", sort=False):
            found = fastest(own, FLOW_REACHED)
            line = {
                "N, d, s": f"{cell['N']}, {cell['d']}, {cell['s']}",
                "η": f"{cell['eta']:g}",
                "D": f"{cell['depth']:g}",
                "α": power(cell["log10_alpha"]),
                "contestant": contestant,
            }
            reached = found is not None
            if not reached:
                own = own.dropna(subset="error").sort_values("error")
                found = own.iloc[0] if len(own) else None
            if found is None:
                status = rows.loc[rows["contestant"] == contestant, "status"].iloc[0]
                lines.append(line | {"time": notes.status(status)})
                continue
            over = "not reached"
            if ours is not None and reached:
                over = factor(found.seconds / ours.seconds)
            lines.append(
                line
                | {
                    "rtol": small(found.rtol),
                    "time": time_of(found),
                    "error at the end": small(found.end_error),
                    "on the way": "not enclosed"
                    if np.isnan(found.reference_error)
                    else small(found.times_error),
                    "over ours": over,
                }
            )
    return (
        f"""## 2. The flow

Of each contestant the fastest setting that reaches a measured error of {small(FLOW_REACHED)}, and
its time over the fastest of ours; where none does, the most accurate.  Where the trajectory is not
enclosed to that accuracy, what is measured is the error at the end.

{settings(table)}

{markdown(pd.DataFrame(lines).fillna(""))}

{notes}""",
        [],
    )


# --- minimizer and constant ---


def minimizer_part(table: pd.DataFrame) -> tuple[str, list]:
    lines, notes = [], Notes()
    inner = "over_programs" if "over_programs" in table else None
    for cell, rows in grouped(table, [*CELL, "problem"]):
        ours = rows[rows["ours"]].iloc[0].seconds
        for row in rows.itertuples():
            line = {
                "N, d, s": f"{cell['N']}, {cell['d']}, {cell['s']}",
                "η": f"{cell['eta']:g}",
                "problem": cell["problem"],
                "contestant": row.contestant,
            }
            if pd.isna(row.error):
                lines.append(line | {"time": notes.status(row.status)})
                continue
            lines.append(
                line
                | {
                    "time": time_of(row),
                    "distance": small(row.error),
                    "infeasibility": small(row.infeasibility),
                    "over ours": factor(row.seconds / ours),
                }
            )
            if inner and not pd.isna(getattr(row, inner)):
                lines[-1]["stage over its programs"] = factor(getattr(row, inner))
    return (
        f"""## 3. The l1 minimizer, and the constant ϱ

`distance` is ‖x − g\\*‖₁ or the distance to ϱ, against enclosures; times over the first of ours.

{settings(table)}

{markdown(pd.DataFrame(lines).fillna(""))}

{notes}""",
        [],
    )
