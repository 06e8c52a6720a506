"""Parts of the page that say where time goes: Newton steps, growth, a whole grid."""

import numpy as np
import pandas as pd

from benchmark.parts.words import Aim, cell_words, duration, markdown, time_of
from benchmark.ratios import CELL, STEP_RATIO, grouped

# what is aimed at
EXPONENT_SLACK = 0.1
GRID, GRID_CORES, GRID_SECONDS, ARITHMETIC_SHARE = "config/config.yaml", 2, 90, 0.5


def newton_part(table: pd.DataFrame, profile: pd.DataFrame) -> tuple[str, list]:
    lines = [
        {
            "N, d, s": f"{row.N}, {row.d}, {row.s}",
            "η": f"{row.eta:g}",
            "D": f"{row.depth:g}",
            "steps": row.steps,
            "factorizations": row.factorizations,
            "path": time_of(row),
            "product": duration(row.product_seconds),
            "Cholesky": duration(row.cholesky_seconds),
            "other BLAS": duration(row.other_blas_seconds),
            "BLAS share": f"{row.blas_share:.0%}",
            "ratio": f"{row.ratio:.2f}",
            f"≤ {STEP_RATIO:g}": "yes" if row.ratio <= STEP_RATIO else "no",
        }
        for row in table.itertuples()
    ]
    heaviest = "not measured"
    if profile is not None:
        heaviest = markdown(
            [
                {
                    "path": cell_words(cell),
                    "functions": ", ".join(
                        f"{r.function} {r.share:.0%}" for r in rows.itertuples()
                    ),
                }
                for cell, rows in grouped(profile, [*CELL, "depth"])
            ]
        )
    return (
        f"""## 4. A path of limit points: linear algebra and the rest

`ratio` is the time of the path for each of its Newton steps over that of one product and one
Cholesky factorization, which are timed alone on the same operands. With many rows not every step
has a factorization of its own: the ratio may be below 1.

{markdown(lines)}

The functions with most time of their own, as shares of a path (profiled, so that functions called
often seem longer):

{heaviest}
""",
        [
            Aim(
                "4",
                f"a Newton step takes at most {STEP_RATIO:g} of a product and a factorization",
                f"{table['ratio'].min():.2f} to {table['ratio'].max():.2f}",
                table["ratio"].max() <= STEP_RATIO,
            )
        ],
    )


def growth_part(table: pd.DataFrame, exponents: pd.DataFrame) -> tuple[str, list]:
    fits, aims = "No run was long enough for a fit.", []
    if exponents is not None and len(exponents):
        within = exponents["exponent"] <= exponents["expected"] + EXPONENT_SLACK
        words = (
            exponents.astype(object)
            .fillna("")
            .assign(
                exponent=exponents["exponent"].map("{:.2f}".format),
                expected=exponents["expected"].map("{:g}".format),
                within=np.where(within, "yes", "no"),
            )
        )
        fits = markdown(words)
        aims = [
            Aim(
                "5",
                f"exponents are at most those of the flops, + {EXPONENT_SLACK:g}",
                f"{within.sum()} of {len(within)}",
                within.all(),
            )
        ]
    times = table.assign(size=[f"{row.N} × {row.d}" for row in table.itertuples()])
    words = [f"{row.seconds:.2f} s, {row.memory_mb:.0f} MB" for row in table.itertuples()]
    wide = times.assign(words=words).pivot_table(
        index="stage", columns="size", values="words", aggfunc="first", sort=False
    )
    return (
        f"""## 5. Growth

CPU seconds of a stage without what an empty run takes, and its peak of memory.

{markdown(wide.fillna("").reset_index())}

{fits}
""",
        aims,
    )


def pipeline_part(table: pd.DataFrame, summary: pd.DataFrame) -> tuple[str, list]:
    row = summary.iloc[0]
    aims = []
    if row.configuration == GRID and row.cores == GRID_CORES:
        aims = [
            Aim(
                "6",
                f"the default grid takes at most {GRID_SECONDS} s on {GRID_CORES} cores",
                f"{row.seconds:.0f} s",
                row.seconds <= GRID_SECONDS,
            ),
            Aim(
                "6",
                f"at least {ARITHMETIC_SHARE:.0%} of its CPU time is arithmetic",
                f"{row.arithmetic_share:.0%}",
                row.arithmetic_share >= ARITHMETIC_SHARE,
            ),
        ]
    stages = "not measured"
    if table is not None:
        numbers = table.select_dtypes("float").columns
        stages = markdown(
            table.assign(**{name: table[name].map("{:.2f}".format) for name in numbers}).fillna("")
        )
    parts = [
        {
            "part": words,
            "CPU seconds": f"{row[f'{part}_seconds']:.1f}",
            "share": f"{row[f'{part}_share']:.0%}",
        }
        for part, words in (
            ("snakemake", "Snakemake itself"),
            ("imports", "starting interpreters and importing packages"),
            ("arithmetic", "arithmetic: the rest"),
        )
    ]
    return (
        f"""## 6. A grid from clean

`{row.configuration}` on {row.cores} cores: {time_of(row)} by the clock, {row.jobs} jobs,
{row.processes} interpreters, {row.cpu_seconds:.1f} s of CPU time:

{markdown(parts)}

Stage by stage, seconds of its jobs by the clock, and the packages whose import takes longest:

{stages}
""",
        aims,
    )
