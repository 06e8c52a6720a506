"""The linear programs over the kernel's unit ball, which differ in their objective only.

``max <c, k>`` subject to ``C k = 0``, ``||k||_1 <= 1`` (or = 1), for many c: HiGHS keeps
the last basis, so each starts where the one before ended.  By duality the value is
``min_b ||c + C^T b||_inf``.
"""

import numpy as np


class LinearProgramError(RuntimeError):
    """A linear program was not solved."""


def kernel_ball(free_map, smallest, tolerance=None):
    """The program without an objective, k in its positive and negative parts.

    Args:
        free_map: C, shape (r, n); r may be 0.
        smallest: lower bound of the sum of the parts, at most 1.
        tolerance: feasibility tolerance of the solver; its own default if None.
    Returns:
        (a HiGHS instance, the matrix of the constraints, shape (r + 1, 2 n)).
    """
    import highspy

    size, count = free_map.shape
    ones = np.ones(count)
    matrix = np.hstack([np.vstack([free_map, ones]), np.vstack([-free_map, ones])])
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = 2 * count, size + 1
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = np.zeros(2 * count)
    model.col_lower_, model.col_upper_ = np.zeros(2 * count), np.full(2 * count, np.inf)
    model.row_lower_ = np.append(np.zeros(size), smallest)
    model.row_upper_ = np.append(np.zeros(size), 1.0)
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = np.arange(2 * count + 1, dtype=np.int32) * np.int32(size + 1)
    model.a_matrix_.index_ = np.tile(np.arange(size + 1, dtype=np.int32), 2 * count)
    model.a_matrix_.value_ = matrix.T.ravel()
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("parallel", "off")
    highs.setOptionValue("simplex_strategy", 4)  # primal: only the objective changes
    if tolerance is not None:
        highs.setOptionValue("dual_feasibility_tolerance", tolerance)
        highs.setOptionValue("primal_feasibility_tolerance", tolerance)
    highs.passModel(model)
    return highs, matrix


def maximize(highs, cost, name):
    """Solve for the objective c, given as (c, -c), from the last basis.

    Raises:
        LinearProgramError: naming the program, if HiGHS does not call its solution optimal.
    """
    highs.changeColsCost(cost.size, np.arange(cost.size, dtype=np.int32), cost)
    highs.run()
    status = highs.modelStatusToString(highs.getModelStatus())
    if status != "Optimal":
        raise LinearProgramError(f"the linear program {name} ended as: {status}")
