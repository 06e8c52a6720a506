"""What can be proved of an l1 minimizer; every stage reads it, so it imports nothing."""

CERTIFIED = "certified unique"  # a strict dual certificate, and A_S injective
NOT_UNIQUE = "not unique"  # a kernel vector that leads to another minimizer
NOT_CERTIFIED = "not certified"  # neither
