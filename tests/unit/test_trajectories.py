"""What is stated of a trajectory, and what is not."""

import numpy as np
import pytest

from implicit_l1.problems.problem import Problem
from implicit_l1.trajectories import trajectory

PROBLEM = Problem(np.array([[1.0, 0.5]]), np.full(2, np.nan), np.array([1.0]))


def stated(rtol, times=(0.5, 2.0), log10_alpha=-2):
    """The statements about times, of a problem of one equation at depth 2."""
    point, nu = np.array([1.0, 0.0]), np.array([1.0])
    margin, *others = trajectory(PROBLEM, point, nu, 2, log10_alpha, rtol, times, 1e-12)
    assert margin.statement.proved
    assert [found.time for found in others] == [*times, times[-1]]
    return [found.statement for found in others]


def test_an_enclosure_is_of_the_norm_and_narrow():
    for statement in stated(1e-9)[:-1]:
        assert statement.proved and statement.log10_alpha == -2
        lower, upper = float(statement.lower), float(statement.upper)
        assert 0 < lower < upper < (1 + 1e-6) * lower


WRONG = [(1e3, "is not known to 1%"), (1e-17, "integrator fails")]


@pytest.mark.parametrize(("rtol", "words"), WRONG)
def test_what_is_not_proved_says_why(rtol, words):
    """Of an enclosure that says nothing of a norm, and of steps that are not found."""
    last = stated(rtol)[1]
    assert last.status.startswith("not proved: ") and words in last.status
    assert (last.lower, last.upper) == ("", "")
