"""Makes diabetes.csv, the problem of config/diabetes.yaml: `python config/data/diabetes.py`.

The data of Efron, Hastie, Johnstone and Tibshirani, *Least Angle Regression* (Ann. Statist.
2004), as scikit-learn carries them: 10 measurements of 442 patients and the progression of
their diabetes a year later.  All monomials of degree 1 to 3 of the standardized
measurements, standardized in turn, are the columns of A, for 100 patients chosen at random;
without those of sex^2 and sex^3: sex has two values, so they repeat other columns, and the l1
minimizer would not be unique.  That leaves 274.  (Degree, number of patients and scaling are
choices of this project.)
"""

import csv
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

PATIENTS, DEGREE, SEED = 100, 3, 1


def main() -> None:
    data = load_diabetes()
    features = PolynomialFeatures(DEGREE, include_bias=False)
    columns = features.fit_transform(StandardScaler().fit_transform(data.data))
    names = features.get_feature_names_out(data.feature_names)
    kept = features.powers_[:, data.feature_names.index("sex")] < 2
    columns = StandardScaler().fit_transform(columns[:, kept]) / np.sqrt(PATIENTS)
    progression = (data.target - data.target.mean()) / data.target.std() / np.sqrt(PATIENTS)
    chosen = np.sort(np.random.default_rng(SEED).choice(len(columns), PATIENTS, replace=False))
    with Path(__file__).with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*names[kept], "y"])
        for row, y in zip(columns[chosen], progression[chosen], strict=True):
            writer.writerow([f"{value:.6f}" for value in (*row, y)])


if __name__ == "__main__":
    main()
