"""What is stated of a trajectory, and what is not."""

import numpy as np

from implicit_l1 import trajectories
from implicit_l1.network.radau import IntegrationError
from implicit_l1.problems.problem import Problem

PROBLEM = Problem(np.array([[1.0, 0.5]]), np.full(2, np.nan), np.array([1.0]))


def stated(rtol, times=(0.5, 2.0), log10_alpha=-2):
    """The statements about times, of a problem of one equation at depth 2."""
    point, nu = np.array([1.0, 0.0]), np.array([1.0])
    margin, *others = trajectories.trajectory(
        PROBLEM, point, nu, 2, log10_alpha, rtol, times, 1e-12
    )
    assert margin.statement.proved
    assert [found.time for found in others] == [*times, times[-1]]
    return [found.statement for found in others]


def test_an_enclosure_is_of_the_norm_and_narrow():
    for statement in stated(1e-9)[:-1]:
        assert statement.proved and statement.log10_alpha == -2
        lower, upper = float(statement.lower), float(statement.upper)
        assert 0 < lower < upper < (1 + 1e-6) * lower


def test_a_norm_that_is_enclosed_widely_is_not_proved():
    last = stated(1e3)[1]
    assert last.status.startswith("not proved: ") and "is not known to 1%" in last.status
    assert (last.lower, last.upper) == ("", "")


def test_where_the_integrator_fails_nothing_is_proved(monkeypatch):
    """Whether it does, for a tolerance below rounding, is for the processor to say."""

    def fail(*_):
        raise IntegrationError("no step is small enough")
        yield

    monkeypatch.setattr(trajectories, "flow_steps", fail)
    for found in stated(1e-9):
        assert found.status == "not proved: the integrator fails: no step is small enough"
        assert (found.lower, found.upper) == ("", "")
