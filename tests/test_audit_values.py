"""What counts as proved of a table and of a figure."""

import pandas as pd
import pytest
from audit_values import figure_problems, table_problems
from tables import TABLES, digits_of
from test_figures import cell, curves, instances

from implicit_l1.status import CERTIFIED, NOT_UNIQUE, PROVED
from implicit_l1.storage import write_table

VALUES = cell(N=5, d=10, s=2, eta=0.1)


def certificates(quantities, repetitions, log10_alpha):
    """Rows of stage certificates: enclosures of no width."""
    rows = [
        {"repetition": r, "quantity": name, "log10_alpha": log10_alpha, "status": PROVED}
        | {"lower": value, "upper": value}
        for name, value in quantities.items()
        for r in range(repetitions)
    ]
    head = {**VALUES, "path": "alpha1e-12to1by2"}
    return pd.DataFrame([{**head, **row} for row in rows])


@pytest.mark.parametrize("proved", [True, False])
def test_floats_of_a_table_are_not_counted_as_proved(tmp_path, proved):
    data = tmp_path / "instances.parquet"
    write_table(data, instances(VALUES, [CERTIFIED, NOT_UNIQUE]))
    proofs = tmp_path / "certificates.parquet"
    names = ("margin", "rho", "rho_tilde_lower", "rho_tilde_upper", "kappa")
    table = certificates(dict.fromkeys(names, "0.5"), 1, float("nan"))
    write_table(proofs, table.assign(depth=float("nan")))
    files = [proofs] if proved else []
    frame = pd.read_parquet(data)
    text = digits_of(TABLES["cells"](frame, pd.read_parquet(proofs) if proved else None))
    found = table_problems("cells", text.astype(str), [data], files)
    assert found.problems == []
    assert found.shown == 6  # rho, its ends, rho~ from both sides, kappa
    assert found.proved == found.right == (6 if proved else 0)
    wrong = text.astype(str).assign(**{"rho" if proved else "rho_float": "0.7"})
    (problem,) = table_problems("cells", wrong, [data], files).problems
    assert ("is not in its enclosure" in problem) == proved


def test_points_of_a_figure_are_proved_where_they_are_drawn(tmp_path):
    """The medians at certified scales, at their place; no other point, and no band."""
    folder = tmp_path / "rates/problem/D2/alpha1e-12to1by2/reps2"
    proofs = tmp_path / "certificates/problem/D2/alpha1e-12to1by2/reps0-1.parquet"
    for path in (folder, proofs.parent):
        path.mkdir(parents=True)
    table = curves(VALUES, [CERTIFIED] * 2)
    write_table(folder / "curves.parquet", table)
    drawn = table[table["quantity"] == "error_1"]
    median = drawn.loc[drawn["log10_alpha"] == -4.0, "median"].item()
    write_table(proofs, certificates({"error_1": repr(median)}, 2, -4.0))
    made = {proofs.as_posix()}

    def found(artist, x, y):
        rows = {"artist": artist, "x": x, "y": y, "value": ""}
        data = [folder / "curves.parquet"]
        return figure_problems(pd.DataFrame(rows).astype(str), data, made)

    places = [f"{x:#.6g}" for x in drawn["alpha"]], [f"{y:#.6g}" for y in drawn["median"]]
    result = found("line 1", *places)
    assert (result.proved, result.shown, result.right) == (1, len(drawn), 1)
    assert found("band 1", *places).shown == 0
    assert found("line 1", ["0.5"], [f"{median:#.6g}"]).proved == 0
    assert found("line 2", [""], [f"{median:#.6g}"]).shown == 0  # across the panel
