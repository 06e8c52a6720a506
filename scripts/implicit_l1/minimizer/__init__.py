"""The minimizer of the l1 norm: its support and certificate, null space constants, recovery."""
