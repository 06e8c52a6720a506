"""The words of the figures: of axes, panels and legends."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from implicit_l1.status import CERTIFIED, MEASURED, data_in_words
from pipeline.words import in_numbers, name_in_words, weakest

ALPHA = r"$\alpha$ (scale of the predictor, $u(0)=v(0)=\alpha^{1/D}\cdot\mathbf{1}$)"
ALPHA_SHAPED = r"$\alpha$ (scale of the predictor, $u(0)=\alpha^{1/D}w_u,\ v(0)=\alpha^{1/D}w_v$)"
ERROR = r"$\Vert x^{\infty}(\alpha)-g^{*}\Vert_1$"
ERROR_OFF = r"$\Vert x^{\infty}(\alpha)_{S^c}\Vert_1$"
# why nothing is drawn
EMPTY = "no certified instance"
NO_SIGNAL = "$x_0$ is not known"
NO_ERROR = "the error is 0"
NO_END = "no flow has come to its end"
NOT_KNOWN = "rate not known"
# of the repetitions of a panel
ALL_CERTIFIED = "all certified"

PARAMETERS = ["ensemble", "N", "d", "s", "eta", "m", "family_rho", "depth", "initialization"]
SYMBOLS = {
    "N": "N",
    "d": "d",
    "s": "s",
    "eta": r"\eta",
    "m": "m",
    "family_rho": r"\varrho",
    "depth": "D",
    "alpha": r"\alpha",
    "fraction": r"h/h_{\mathrm{stable}}",
}


def number(value: float) -> str:
    """A number in mathematics mode: 0.1, or 10^{-12}."""
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    power = f"10^{{{int(exponent)}}}"
    return power if mantissa == "1.0" else rf"{mantissa}\cdot {power}"


def equation(name: str, value: float) -> str:
    """A parameter and its value: D = 2."""
    return f"${SYMBOLS[name]}={number(value)}$"


def named(values: Mapping) -> str:
    """Parameters in words, without those that a cell does not have: rademacher, s = 8, η = 0.1."""
    words: dict[str, Callable[[Any], str]] = {"ensemble": str, "initialization": "from {}".format}
    return ", ".join(
        words[name](value) if name in words else equation(name, value)
        for name, value in values.items()
        if not pd.isna(value)
    )


def titled(values: Mapping, instances: str) -> str:
    """The title of a panel: its parameters, and how many of its instances are certified."""
    return named(values) + ("" if instances == ALL_CERTIFIED else f" ({instances})")


def counted(instances: pd.DataFrame, kinds: Sequence[str] = MEASURED) -> str:
    """How many repetitions are certified: ALL_CERTIFIED, or "17 of 20 certified".

    Those that are shown without a proof are counted apart.  Of a repetition that has several
    statuses, at several depths, the weakest counts.

    Args:
        kinds: the statuses of the instances that are shown.
    """
    axes = [name for name in PARAMETERS if name in instances and name != "depth"]
    statuses = instances.groupby([*axes, "repetition"], dropna=False)["status"].agg(weakest)
    return ALL_CERTIFIED if (statuses == CERTIFIED).all() else in_numbers(statuses, kinds)


def is_one_minus_rho(rows: Any) -> Any:
    """Whether the predicted rate of a row, or of each of several, is 1 - rho.

    So it is at D = 2, of minimizers that are the only ones: rho is 1 where there are others.  With
    nothing off the support the rate is 2.
    """
    rate = np.asarray(rows["predicted_rate"], dtype=float)
    return (np.asarray(rows["depth"]) == 2) & ~(rate > 1) & pd.isna(rows["selected"])


def rate_words(row: Any) -> str:
    """The predicted rate of a row: 1 - rho, and a number where it is another."""
    rate = row["predicted_rate"]
    if np.isnan(rate):
        return NOT_KNOWN
    if not is_one_minus_rho(row):
        return f"rate ${rate_number(rate)}$"
    words = number(float(f"{rate:.2g}")) if rate < 0.01 else f"{rate:.3f}"
    return rf"$1-\varrho={words}$"


def rate_number(rate: float) -> str:
    """A rate that is not 1 - rho, in mathematics mode."""
    return number(float(f"{rate:.3g}"))


def slope_words(rows: pd.DataFrame) -> str:
    """The rates that are predicted for some rows; nothing where one has no name."""
    two = rows["depth"] == 2
    others = rows["predicted_rate"][~two].dropna()
    if not (is_one_minus_rho(rows[two]).all() and (others == 1).all()):
        return ""
    words = [r"$1-\varrho$"] if two.any() else []
    words += ["$1$"] if rows["depth"].max() > 2 else []
    if len(words) == 1:
        return words[0]
    return r"$1-\varrho$ for $D=2$, $1$ for $D>2$"


def fit_words(frame: pd.DataFrame) -> str:
    """The name of the fitted rate, with the window of its fit."""
    low, high = frame[["window_smallest", "window_largest"]].dropna().iloc[0]
    return rf"fitted rate over ${number(low)}\leq\alpha\leq {number(high)}$"


def notes_of(instances: pd.DataFrame) -> list[str]:
    """What a reader must know of how data of one's own were taken, and kappa."""
    if not {"product", "noiseless_support", "kappa"} <= set(instances):
        return []
    return [
        f"{name_in_words(row.ensemble)}: y {told}{_of_minimizer(row)}"
        for row in instances.drop_duplicates("ensemble").itertuples()
        if (told := data_in_words(row.product, row.noiseless_support))
    ]


def _of_minimizer(row):
    """kappa of g*, where that is the only minimizer."""
    if row.status != CERTIFIED:
        return ""
    return rf"; $\kappa={number(float(f'{row.kappa:.3g}'))}$ of $g^{{*}}$"
