"""Makes digits.csv, the problem of config/digits.yaml: `python config/data/digits.py`.

The data of Alpaydin and Kaynak, *Optical Recognition of Handwritten Digits* (UCI Machine
Learning Repository 1998, doi:10.24432/C50P49, CC BY 4.0), as scikit-learn carries the part for
testing: 8 x 8 images whose pixels are integers from 0 to 16.  The pixels are the 64 columns of A
as they are, also the 16 that are 0 in every image; y is 1 for an eight and -1 for a three, of
40 images chosen at random among them.  (Digits, number of images and signs are choices of this
project.)
"""

import csv
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

THREE, EIGHT, IMAGES, SEED = 3, 8, 40, 1


def main() -> None:
    data = load_digits()
    candidates = np.flatnonzero(np.isin(data.target, (THREE, EIGHT)))
    chosen = np.sort(np.random.default_rng(SEED).choice(candidates, IMAGES, replace=False))
    with Path(__file__).with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*data.feature_names, "y"])
        for pixels, digit in zip(data.data[chosen], data.target[chosen], strict=True):
            writer.writerow([*(f"{value:.0f}" for value in pixels), 1 if digit == EIGHT else -1])


if __name__ == "__main__":
    main()
