"""Streams are named, and the names' draws never change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from implicit_l1.problems.seeds import generator

AXES = {"seed": 1, "ensemble": "gaussian", "N": 100, "d": 400, "repetition": 0}


def first(**axes):
    """The first word of a stream."""
    return int(generator(**axes).bit_generator.random_raw())


def test_published_draws():
    """Changing any of these numbers changes every number of every published table."""
    assert first(stream="matrix", **AXES) == 13840618374633400410
    support = [235, 187, 194, 259, 321, 149, 244, 191]
    assert generator(stream="signal", s=8, **AXES).choice(400, 8, replace=False).tolist() == support
    assert generator(stream="noise", s=8, **AXES).standard_normal() == 3.040203741394805


def test_order_of_the_axes_is_irrelevant():
    reversed_axes = dict(reversed(AXES.items()))
    assert first(**AXES) == first(**reversed_axes)


def test_whole_floats_name_the_same_stream_as_integers():
    assert first(eta=1, s=8) == first(eta=1.0, s=8.0)
    assert first(eta=0) == first(eta=0.0)
    assert first(eta=0.1) != first(eta=0)


@pytest.mark.parametrize("name", AXES)
def test_every_axis_matters(name):
    other = "rademacher" if name == "ensemble" else AXES[name] + 1
    assert first(**AXES) != first(**{**AXES, name: other})


def test_names_matter_and_not_only_values():
    assert first(N=1, d=2) != first(N=2, d=1)
    assert first(N=1) != first(d=1)
    assert first(N=1) != first(N="1")


@given(st.integers(0, 10**9))
def test_a_generator_starts_anew(repetition):
    draws = [generator(repetition=repetition).standard_normal(5) for _ in range(2)]
    assert np.array_equal(*draws)


def test_neighbouring_streams_are_unrelated():
    draws = np.array([generator(repetition=r).standard_normal(2000) for r in range(8)])
    correlation = np.corrcoef(draws) - np.eye(8)
    assert np.abs(correlation).max() < 0.1
