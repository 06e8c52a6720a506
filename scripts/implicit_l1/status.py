"""The words of the tables; every stage reads them, so nothing is imported here.

Proved and floating point have different words.
"""

# What is proved of an l1 minimizer, in ball or rational arithmetic.
CERTIFIED = "certified unique"  # its support, signs and values, and that it is the only one
NOT_UNIQUE = "not unique"  # that it is one and another exists
UNDECIDED = "undecided"  # neither within the stated limits; the status goes on with the reason

# What floating point alone says.
SELECTED = "selected in floating point"  # one of several, that which the flow selects
UNIQUE_IN_FLOATS = "unique in floating point"  # of a network with an initialization of its own

# those from which an error is measured
MEASURED = (CERTIFIED, SELECTED, UNIQUE_IN_FLOATS)

# of the first order of an error that is 0 at every alpha
NO_ERROR = "x(alpha) = g* for every alpha"

# what is proved of a number, in ball arithmetic; anything else is the reason why not
PROVED = "proved"

# how a run of gradient descent ended (remedies: implicit_l1.network.descent)
CONVERGED, STALLED = "converged", "stalled"
ITERATION_LIMIT, DIVERGED = "iteration limit", "diverged"

# how an integrated flow ended: converged, or
AT_MINIMIZER = "at the minimizer"  # its limit point is g* itself, as far as doubles tell
NOT_FOLLOWED = "not followed"  # to its end; the outcome goes on with the reason

# of a run, or a flow, of an instance without a minimizer to measure from
NOT_RUN = "not run"


def data_in_words(product: bool, noiseless_support: int) -> str:
    """What a reader must know of the data of a problem; empty if they are what was stored.

    Args:
        product, noiseless_support: as stage problems stores them, see
            :class:`implicit_l1.problems.problem.Problem`.
    """
    if product:
        return f"taken as A x exactly, x with {noiseless_support} nonzero entries"
    if noiseless_support > 0:
        return (
            f"as stored; a solution with {noiseless_support} nonzero entries explains them to "
            "rounding (noiseless: true takes them so)"
        )
    if noiseless_support < 0:
        return "as stored; whether few entries explain them to rounding is not known"
    return ""
