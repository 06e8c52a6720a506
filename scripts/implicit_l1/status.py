"""The words of the tables; every stage reads them, so nothing is imported here."""

# what is proved of an l1 minimizer
CERTIFIED = "certified unique"  # a strict dual certificate, and A_S injective
NOT_UNIQUE = "not unique"  # a kernel vector that leads to another minimizer
NOT_CERTIFIED = "not certified"  # neither
SELECTED = "selected"  # one of several, that which the flow selects
# those from which an error is measured
MEASURED = (CERTIFIED, SELECTED)

# what is proved of a number, in ball arithmetic; anything else is the reason why not
PROVED = "proved"

# how a run of gradient descent ended (remedies: implicit_l1.descent)
CONVERGED, STALLED = "converged", "stalled"
ITERATION_LIMIT, DIVERGED = "iteration limit", "diverged"
