"""Files of stage problems that tests write."""

import numpy as np

from implicit_l1.problems.problem import Problem
from pipeline.records.problems import Problems


def write_problems(folder, matrix, signal, data, name="results/problems/mine/reps0-1.npz"):
    """A block of two repetitions: a good one, and the one given."""
    good = np.array([[1.0, 0.25]]) if matrix.shape == (1, 2) else None
    blocks = [matrix] if good is None else [good, matrix]
    problems = [Problem(block, signal, data) for block in blocks]
    Problems.of(np.arange(len(blocks)), problems).save(folder / name)
    return name
