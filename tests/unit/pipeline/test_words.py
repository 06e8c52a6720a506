"""Words for what is counted."""

import pytest

from implicit_l1.status import CERTIFIED, MEASURED, NOT_UNIQUE, SELECTED, UNIQUE_IN_FLOATS
from pipeline.words import weakest


@pytest.mark.parametrize(
    ("statuses", "least"),
    [
        ([CERTIFIED, CERTIFIED], CERTIFIED),
        ([SELECTED, CERTIFIED], max(SELECTED, CERTIFIED, key=MEASURED.index)),
        ([UNIQUE_IN_FLOATS, CERTIFIED, CERTIFIED], UNIQUE_IN_FLOATS),
        # what is not measured at some depth is not measured
        ([CERTIFIED, NOT_UNIQUE, UNIQUE_IN_FLOATS], NOT_UNIQUE),
    ],
)
def test_the_weakest_status_is_that_of_an_instance(statuses, least):
    assert weakest(statuses) == weakest(statuses[::-1]) == least
