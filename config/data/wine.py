"""Makes wine.csv, the problem of config/wine.yaml: `python config/data/wine.py`.

The data of Aeberhard and Forina, *Wine* (UCI Machine Learning Repository 1992,
doi:10.24432/C5PC7J, CC BY 4.0), as scikit-learn carries them: 13 measurements of 178 wines from
three cultivars.  The measurements and their products, two at a time, squares among them, are
the 104 columns of A as they are, between 0.02 and 3 million: nothing is standardized.  y is
the number of the cultivar, 0, 1 or 2, of 60 wines chosen at random.  (Products, number of wines
and scaling are choices of this project.)
"""

import csv
from pathlib import Path

import numpy as np
from sklearn.datasets import load_wine
from sklearn.preprocessing import PolynomialFeatures

WINES, SEED = 60, 1


def main() -> None:
    data = load_wine()
    features = PolynomialFeatures(2, include_bias=False)
    columns = features.fit_transform(data.data)
    names = features.get_feature_names_out(data.feature_names)
    chosen = np.sort(np.random.default_rng(SEED).choice(len(columns), WINES, replace=False))
    with Path(__file__).with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*names, "y"])
        for row, cultivar in zip(columns[chosen], data.target[chosen], strict=True):
            # ten digits: the measurements have five at most
            writer.writerow([*(f"{value:.10g}" for value in row), cultivar])


if __name__ == "__main__":
    main()
