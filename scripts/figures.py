"""Stage figures: one figure as PDF, SVG or PNG, drawn from tidy tables.

Every number that is drawn stands in the tables; a figure selects rows.  What it adds are
reference lines: y = c x^rate through a point of a curve, and medians over instances of
the predicted rate.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from command_line import Failure, run
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter
from scipy.optimize import isotonic_regression

from implicit_l1.l1 import CERTIFIED
from implicit_l1.storage import read_table, replacing

# widths in inches at which the figures are printed
COLUMN = 3.35
PAGE = 6.9

ALPHA = r"$\alpha$ (scale of the predictor, $u(0)=v(0)=\alpha^{1/D}\,\mathbf{1}$)"
ERROR = r"$\Vert x^\infty(\alpha)-g^*\Vert_1$"
EMPTY = "no certified instance"

# what tells the kinds of tables apart
KINDS = {"curves": "quantity", "instances": "fitted_rate", "trajectories": "time"}
PARAMETERS = ["ensemble", "N", "d", "s", "eta", "m", "family_rho", "depth"]
SYMBOLS = {
    "N": "$N$",
    "d": "$d$",
    "s": "$s$",
    "eta": r"$\eta$",
    "m": "$m$",
    "family_rho": r"$\varrho$",
    "depth": "$D$",
    "alpha": r"$\alpha$",
}
STATISTICS = ["lower_quartile", "median", "upper_quartile"]

# without the dates that would make two runs differ
METADATA = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}, ".png": {}}
