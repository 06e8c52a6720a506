"""What stages hand to one another as arrays, as the library takes it."""

import numpy as np

from implicit_l1.network.initialization import MirrorCoordinates, identity_coordinates
from implicit_l1.network.scales import place_of
from pipeline.command_line import Failure, cell_of

# what stage problems says of the data, for the tables
OF_DATA = ("product", "noiseless_support")


def coordinates_of(l1, place):
    """The coordinates of an instance's initialization: what stage selection says, else ones."""
    if "unit" not in l1:
        return identity_coordinates(l1["point"].shape[1])
    return MirrorCoordinates(*(l1[name][place] for name in ("unit", "scale", "tilt", "offset")))


def minimizer_row(problem, minimizer, interpolator):
    """What files of stages l1 and selection hold of one instance.

    Args:
        problem: A, y and x_0.
        minimizer: of the l1 norm, with what is proved of it.
        interpolator: of least Euclidean norm.
    """
    dual, signal = minimizer.certificate, problem.signal
    absent = np.full(signal.shape, np.nan)
    return {
        "status": minimizer.status,
        "point": minimizer.point,
        "point_low": minimizer.point_low,
        "nu": np.full(problem.data.shape, np.nan) if dual is None else dual.nu,
        "direction": absent if dual is None else dual.direction,
        "margins": absent if dual is None else dual.margin,
        "margin": minimizer.margin,
        "support_size": minimizer.support.size,
        "duality_gap": minimizer.duality_gap,
        "residual": minimizer.residual,
        "kappa": minimizer.kappa,
        "estimation_error": np.linalg.norm(minimizer.point - signal),
        "interpolator": interpolator,
        "interpolator_estimation_error": np.linalg.norm(interpolator - signal),
    }


def scale_of(limit, log10_alpha, output):
    """The place of a scale in the path of a block of stage limit.

    Raises:
        Failure: if it has no such point.
    """
    try:
        return place_of(log10_alpha, limit["log_alpha"])
    except ValueError as error:
        raise Failure(f"{cell_of(output)}: {error}") from error


def errors_at(limit, place):
    """The error vectors n of a block of stage limit at one of its scales, shape (r, d)."""
    return np.exp(limit["log_unit"][:, place, None]) * limit["error"][:, place]
