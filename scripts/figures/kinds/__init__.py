"""The kinds of figures, a module each.

Each has two functions: ``plotted`` makes of the tidy tables the frame that is plotted, which is
written as CSV, and ``picture`` draws this frame.
"""
