"""Of the minimizers without zeros on a support, the one that the flow selects, in many bits.

What it minimizes is in :mod:`implicit_l1.network.selection`.
"""

from collections.abc import Sequence

import numpy as np
from flint import arb, arb_mat, ctx

from implicit_l1.linear.exact import RationalMatrix
from implicit_l1.network.initialization import Initialization
from implicit_l1.proof.balls import column, scaled

# Of Newton's method: its most steps, and the bits of the relative size of one after which nearly
# twice as many are known, and twice as many after the next: at most a part of those carried.
_STEPS, _CONVERGED, _PART = 500, 199, 0.4


class SelectionError(RuntimeError):
    """The minimizer that the flow selects could not be found."""


def selected_on_face(
    kernel: list,
    inside: Sequence[arb],
    sigma: np.ndarray,
    initialization: Initialization,
    support: np.ndarray,
    depth: float,
) -> list[arb]:
    """The minimizer without zeros on S that is selected, k balls, by Newton's method.

    Entries may differ by many decades, so that doubles would lose the small ones.  It is good to
    half the present precision or more.

    Args:
        kernel: a basis of the kernel of A~_S, k rows; inside: where to start, k balls.
        sigma: signs, shape (k,); initialization: of the network; support: S; depth: D.
    Raises:
        SelectionError: if Newton's method does not converge.
    """
    basis = arb_mat(kernel)
    power = arb(0) if depth == 2 else 1 - 2 / arb(depth)  # 1/p
    signs = [int(side) for side in sigma]
    scale = [arb(value) for value in initialization.scale[support]]
    offset = [arb(value) for value in initialization.offset[support]]
    tilt = [arb(value) for value in initialization.tilt[support]]

    def derivatives(x):
        gradient, curvature = [], []
        for value, side, s, o, t in zip(x, signs, scale, offset, tilt, strict=True):
            size = abs(value)
            if depth == 2:
                gradient.append(side * (size / s).log() - o)
                curvature.append(1 / size)
            else:
                # less its part that does not move along the face (A^T nu + tilt = sigma)
                bend = (s / size) ** power
                gradient.append((side - t - side * bend) / power)
                curvature.append(bend / size)
        return gradient, curvature

    values, known = [value.mid() for value in inside], 0
    converged = min(_CONVERGED, int(_PART * ctx.prec))
    for _ in range(_STEPS):
        gradient, curvature = derivatives(values)
        slope = basis.transpose() * column(gradient)
        bowl = scaled(basis, curvature, None).transpose() * basis
        move = bowl.mid().solve(-slope.mid(), algorithm="approx")
        step = [value.mid() for value in (basis * move).entries()]
        ratios = [float(-s * h / abs(x)) for s, h, x in zip(signs, step, values, strict=True)]
        if not np.all(np.isfinite(ratios)):
            break
        if np.max(np.abs(ratios)) < 2.0**-converged:
            values = [(x + h).mid() for x, h in zip(values, step, strict=True)]
            known = max(2 * known, 2 * converged - 8)
            if known >= 0.75 * ctx.prec:
                return values
            continue
        reach = max(ratios)  # 1: the step ends at a zero
        length = min(1.0, 0.9 / reach) if reach > 0 else 1.0
        before = abs(sum((g * h for g, h in zip(gradient, step, strict=True)), arb(0)))
        while True:
            trial = [(x + length * h).mid() for x, h in zip(values, step, strict=True)]
            after = sum((g * h for g, h in zip(derivatives(trial)[0], step, strict=True)), arb(0))
            # of a convex function: the slope along the step must not turn by more than this
            if length < 1e-8 or not after > before / 2:
                break
            length *= 0.5
        values = trial
    raise SelectionError("Newton's method on the face of minimizers did not converge")


def kernel_of(on: np.ndarray) -> list[list[int]]:
    """A basis of the kernel of A_S, exactly: k rows of integers, empty if there is none."""
    exact = RationalMatrix(on)
    basis, nullity = exact.whole.nullspace()
    return [[int(basis[row, place]) for place in range(nullity)] for row in range(on.shape[1])]
