"""The figure of target benchmark: who reaches which accuracy, and at what cost."""

from itertools import product
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmark.parts.words import duration

PAGE_WIDTH = 6.9
# inches of the figure: of a row of a panel, and of what is above and below the rows
ROW, FRAME = 0.135, 0.5
DIGITS = 16


def drawing(table: pd.DataFrame) -> Figure:
    """Digits by colour, and times in words: contestants against alpha, a panel a D and η."""
    largest = max(table[["N", "d", "s"]].itertuples(index=False, name=None))
    table = table[(table[["N", "d", "s"]] == list(largest)).all(axis=1)]
    depths, noises = (sorted(table[key].unique()) for key in ("depth", "eta"))
    contestants = list(table["contestant"].unique())
    scales = sorted(table["log10_alpha"].unique(), reverse=True)
    height = len(depths) * (ROW * len(contestants) + FRAME) + FRAME
    figure, axes = plt.subplots(
        len(depths),
        len(noises),
        figsize=(PAGE_WIDTH, height),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    colors = mpl.colormaps["YlGnBu"].with_extremes(bad="0.93")
    for (depth, eta), ax in zip(product(depths, noises), axes.flat, strict=True):
        own = table[(table["depth"] == depth) & (table["eta"] == eta)]
        own = own.set_index(["contestant", "log10_alpha"])
        digits = digits_of(own["error"]).unstack().reindex(index=contestants, columns=scales)
        mesh = ax.imshow(digits, cmap=colors, vmin=0, vmax=DIGITS, aspect="auto")
        for (contestant, scale), row in own.iterrows():
            value = digits.loc[contestant, scale]
            ax.text(
                scales.index(scale),
                contestants.index(contestant),
                short_outcome(row),
                ha="center",
                va="center_baseline",
                fontsize=5.5,
                color="white" if value > 0.6 * DIGITS else "black" if value >= 0 else "0.45",
            )
        ours = len(own[own["ours"]].groupby(level=0))
        ax.axhline(ours - 0.5, color="black", linewidth=0.8)
        ax.set_title(f"D = {depth:g}, η = {eta:g}")
        ax.set_xticks(range(len(scales)), [rf"$10^{{{scale:g}}}$" for scale in scales])
        ax.set_yticks(range(len(contestants)), contestants)
        ax.tick_params(length=0, labelsize=6.5)
        ax.grid(False)
        ax.spines[:].set_visible(False)
    for ax in axes[-1]:
        ax.set_xlabel(r"$\alpha$")
    bar = figure.colorbar(mesh, ax=axes, location="bottom", aspect=60, shrink=0.8, pad=0.02)
    bar.set_label("correct digits of the error, and time; N = {}, d = {}, s = {}".format(*largest))
    return figure


def digits_of(error: pd.Series) -> pd.Series:
    """Correct decimal digits of what has this relative error."""
    return -np.log10(error.clip(10.0**-DIGITS, 1.0))


def short_outcome(row: Any) -> str:
    """The time of a run, or why there is none, in very few letters."""
    if not pd.isna(row.error):
        return duration(row.seconds, digits=2)
    if row.status.startswith(("past", "not tried")):
        return "slow"
    return "absent" if row.status == "not installed" else "fails"
