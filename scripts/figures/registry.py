"""The kinds of figures: what each reads, feeds and allows.

A new kind is an entry here, a module scripts/figures/kinds/<kind>.py and a caption
workflow/report/figure_<kind>.rst.  The configuration's schema, the plan of the workflow and the
program that draws ask this registry; it imports nothing that takes long.
"""

from dataclasses import dataclass

# forms of the scales alpha of an experiment: a log-spaced path, a path along which log(1/alpha) is
# log-spaced, a list, or none, where problems are all there is (over N, d and s/N, without noise)
PATH, DECADES, LIST, NONE = "path", "decades", "list", "none"
# what problems an experiment is of: drawn at random, of the explicit family, one's own
RANDOM, KERNEL, FILE = "random", "one_dimensional_kernel", "file"

# tidy table that figures read -> the stage that writes it
STAGE_OF = {
    "curves": "rates",
    "instances": "rates",
    "points": "rates",
    "bounds": "bounds",
    "trajectories": "flow",
    "agreement": "agreement",
    "descent": "descent",
    "lasso_paths": "lasso_path",
    "phase": "phase",
    "orders": "orders",
}
# what figures of the error against alpha read: points of the flow are drawn beside the curves
CURVES = ("curves", "instances", "agreement")
# keys of experiments with a path of scales: where the flow itself is integrated, too
OF_FLOWS = ("flow_alpha", "flow_repetitions")
# tables for the reader that every path of scales fills
OF_RATES = ("cells", "rates", "constants", "newton", "errors")


@dataclass(frozen=True)
class Kind:
    """A kind of figure.

    Attributes:
        reads: the tidy tables that it is drawn from.
        feeds: the tables for the reader that the cells of its experiment fill.
        alpha: the form of its scales.
        problems: what its experiment may be of.
        initialization: whether u(0), v(0) may have other shapes than ones.
        keys: of its experiment, beside those that every experiment, or every one with a path, has.
        whole_depth: whether depths have to be integers; below_one: whether scales are below 1.
    """

    reads: tuple[str, ...]
    feeds: tuple[str, ...]
    alpha: str
    problems: tuple[str, ...] = (RANDOM, FILE)
    initialization: bool = False
    keys: tuple[str, ...] = ()
    whole_depth: bool = False
    below_one: bool = False

    @property
    def all_keys(self) -> tuple[str, ...]:
        """Its keys, with those of every path."""
        return (*self.keys, *OF_FLOWS) if self.alpha == PATH else self.keys

    @property
    def shares(self) -> bool:
        """Whether other kinds that share can be drawn from the same experiment."""
        return self.alpha == PATH and self.problems != (KERNEL,)


KINDS = {
    "noise": Kind(CURVES, OF_RATES, PATH, initialization=True),
    "depth": Kind(CURVES, OF_RATES, PATH, initialization=True),
    "generalization": Kind(
        ("curves", "instances"), (*OF_RATES, "deeper"), PATH, initialization=True
    ),
    "prediction": Kind(("instances",), OF_RATES, PATH, initialization=True),
    "tight": Kind(("curves", "instances"), OF_RATES, PATH, problems=(KERNEL,)),
    "flow": Kind(
        ("trajectories", "agreement"),
        ("agreement",),
        LIST,
        initialization=True,
        keys=("plain_alpha", "proved_alpha"),
    ),
    "far": Kind(("curves", "instances"), ("far", "constants", "errors"), DECADES),
    "bounds": Kind(("bounds",), (*OF_RATES, "tightness"), PATH),
    "tightness": Kind(("bounds",), ("tightness",), DECADES, problems=(KERNEL,)),
    "phase": Kind(("phase",), ("phase",), NONE, problems=(RANDOM,), keys=("sparsity",)),
    "approach": Kind(("phase",), ("phase",), NONE, problems=(RANDOM,), keys=("sparsity", "delta")),
    "orders": Kind(
        ("orders",), ("orders",), NONE, problems=(RANDOM,), keys=("sparsity", "order_repetitions")
    ),
    "descent": Kind(
        ("descent",), ("descent",), LIST, keys=("fractions", "iterations"), whole_depth=True
    ),
    "norms": Kind(("curves", "instances"), OF_RATES, PATH, initialization=True),
    "reach": Kind(
        ("points",), OF_RATES, PATH, problems=(RANDOM,), initialization=True, keys=("reach",)
    ),
    "lasso_path": Kind(("lasso_paths",), (), LIST, below_one=True),
}


def kinds_where(**values: object) -> tuple[str, ...]:
    """The kinds whose attributes have these values."""
    return tuple(
        name
        for name, kind in KINDS.items()
        if all(getattr(kind, attribute) == value for attribute, value in values.items())
    )


def kinds_reading(table: str) -> tuple[str, ...]:
    """The kinds that read a tidy table."""
    return tuple(name for name, kind in KINDS.items() if table in kind.reads)
