"""What the tests of proofs have in common."""

import pytest
from flint import ctx


@pytest.fixture(autouse=True)
def precision():
    """Of balls, that of the pipeline's first attempt."""
    with ctx.workprec(128):
        yield
