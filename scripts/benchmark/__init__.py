"""Time and accuracy beside other solvers, and how cost grows."""
