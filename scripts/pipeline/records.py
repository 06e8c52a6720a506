"""What stages hand to one another as arrays: a class for each kind of file.

The letters of shapes: r repetitions, those of the file; N rows and d columns of A; m scales of a
path, decreasing; k linear programs.  An annotation says the shape of an array, one letter an axis,
and what it is in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar, get_type_hints

import numpy as np

from implicit_l1.minimizer.decision import Minimizer
from implicit_l1.minimizer.null_space import Bracket
from implicit_l1.minimizer.support import Certificate
from implicit_l1.network.flow import Trajectory
from implicit_l1.network.initialization import Initialization, initialize_from_ones
from implicit_l1.network.limit import LimitPath
from implicit_l1.network.scales import place_of
from implicit_l1.problems.problem import Problem
from pipeline.command_line import Failure, cell_of
from pipeline.storage import damaged, read_arrays, write_arrays


@dataclass(frozen=True)
class Record:
    """Arrays of one file, of shapes that fit one another.

    Raises:
        ValueError: if two shapes do not agree in an axis of one letter.
    """

    repetition: Annotated[np.ndarray, "r", "number of each instance among those of its cell"]

    def __post_init__(self):
        sizes = {}
        for name, values in self.arrays().items():
            values = np.asarray(values)
            object.__setattr__(self, name, values)
            shape = self.shapes()[name]
            if values.ndim != len(shape) or any(
                sizes.setdefault(axis, size) != size
                for axis, size in zip(shape, values.shape, strict=True)
            ):
                raise ValueError(f"{name} has shape {values.shape}, not ({', '.join(shape)})")

    @classmethod
    def shapes(cls) -> dict:
        """Name of each array -> its shape, one letter an axis."""
        return {name: shape for name, (shape, _) in cls.documented().items()}

    @classmethod
    def documented(cls) -> dict:
        """Name of each array -> (its shape, what it is in words)."""
        hints = get_type_hints(cls, include_extras=True)
        return {name: hint.__metadata__ for name, hint in hints.items()}

    def arrays(self) -> dict:
        """Name -> array, of those that are there."""
        return {name: values for name, values in vars(self).items() if values is not None}

    def save(self, path: str | Path) -> None:
        """Write the arrays as an .npz file."""
        write_arrays(path, **self.arrays())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file that :meth:`save` has written.

        Raises:
            DamagedFileError: naming the file, if it is not whole or not of this kind.
        """
        try:
            return cls(**read_arrays(path))
        except (TypeError, ValueError) as error:
            raise damaged(path, error) from error

    def part(self, place: int | slice) -> Self:
        """The record of one instance."""
        of_each = [name for name in self.arrays() if self.shapes()[name].startswith("r")]
        return replace(self, **{name: self.arrays()[name][[place]] for name in of_each})

    def without(self, *names: str) -> Self:
        """The record with these arrays left out, for memory."""
        nothing: dict[str, Any] = dict.fromkeys(names)
        return replace(self, **nothing)


_Record = TypeVar("_Record", bound="Record")


def stacked(records: Sequence[_Record]) -> _Record:
    """Records of one class as one, instance after instance.

    What is not of instances, as the path, is that of the first.
    """
    first = records[0]
    arrays = {
        name: np.concatenate([record.arrays()[name] for record in records])
        for name in first.arrays()
        if first.shapes()[name].startswith("r")
    }
    return replace(first, **arrays)


def joined(blocks: Sequence[_Record], output: str) -> _Record:
    """Records of the blocks of a cell as one.

    Args:
        blocks: of one class, in the order of their repetitions.
        output: file that is made of them, for the message.
    Raises:
        Failure: if the repetitions are not 0, 1, 2, ...
    """
    whole = stacked(blocks)
    if not np.array_equal(whole.repetition, np.arange(whole.repetition.size)):
        raise Failure(f"{cell_of(output)}: its blocks are not repetitions 0, 1, 2, ...")
    return whole


@dataclass(frozen=True)
class Problems(Record):
    """Of stage problems: instances of A x = y."""

    matrix: Annotated[np.ndarray, "rNd", "A"]
    signal: Annotated[np.ndarray, "rd", "x₀; nan where it is not known"]
    data: Annotated[np.ndarray, "rN", "y, rounded to double precision"]
    product: Annotated[np.ndarray, "r", "whether y is exactly A times the preimage"]
    preimage: Annotated[np.ndarray, "rd", "an x with A x = y exactly; nan where there is none"]
    noiseless_support: Annotated[
        np.ndarray,
        "r",
        "entries of a sparse solution that explains y; 0: none",
    ]

    @classmethod
    def of(cls, repetition: np.ndarray, problems: Sequence[Problem]) -> Self:
        """A block of problems of one size."""
        names = ("matrix", "signal", "data", "product", "noiseless_support")
        arrays = {name: np.array([getattr(each, name) for each in problems]) for name in names}
        absent = np.full(problems[0].matrix.shape[1], np.nan)
        preimages = [absent if each.preimage is None else each.preimage for each in problems]
        return cls(repetition=repetition, preimage=np.array(preimages), **arrays)

    def at(self, place: int) -> Problem:
        """An instance."""
        return Problem(
            self.matrix[place],
            self.signal[place],
            self.data[place],
            self.preimage[place] if self.product[place] else None,
            int(self.noiseless_support[place]),
        )


@dataclass(frozen=True)
class Minimizers(Record):
    """Of stages l1 and selection: what the error is measured from, and what is proved of it.

    The last six arrays are of stage selection: from other initializations than ones, nu, direction
    and margins are of x~ = x / unit, in which the norm is ||x~||_1 - <tilt, x~>.
    """

    status: Annotated[np.ndarray, "r", "what is known of the minimizer, in words"]
    point: Annotated[np.ndarray, "rd", "g*, zero exactly off its support"]
    point_low: Annotated[np.ndarray, "rd", "what rounding g* has left, rounded in turn"]
    nu: Annotated[np.ndarray, "rN", "the dual vector ν of largest margin; nan without one"]
    direction: Annotated[np.ndarray, "rd", "Aᵀν"]
    margins: Annotated[np.ndarray, "rd", "1 - |Aᵀν|"]
    margin: Annotated[np.ndarray, "r", "the smallest of them off the support"]
    support_size: Annotated[np.ndarray, "r", "number of nonzero entries of g*"]
    duality_gap: Annotated[np.ndarray, "r", "‖g*‖₁ - ⟨ν, y⟩"]
    kappa: Annotated[np.ndarray, "r", "largest over smallest size of an entry on the support"]
    estimation_error: Annotated[np.ndarray, "r", "‖g* - x₀‖₂"]
    interpolator: Annotated[np.ndarray, "rd", "z, the solution of least Euclidean norm"]
    interpolator_estimation_error: Annotated[np.ndarray, "r", "‖z - x₀‖₂"]
    product: Annotated[np.ndarray, "r", "as in stage problems"]
    noiseless_support: Annotated[np.ndarray, "r", "as in stage problems"]
    shape_u: Annotated[np.ndarray | None, "rd", "w_u, of u(0) = α^(1/D) w_u"] = None
    shape_v: Annotated[np.ndarray | None, "rd", "w_v, of v(0) = α^(1/D) w_v"] = None
    unit: Annotated[np.ndarray | None, "rd", "x in units of x~"] = None
    scale: Annotated[np.ndarray | None, "rd", "factor of α"] = None
    tilt: Annotated[np.ndarray | None, "rd", "what stays of the start as α → 0"] = None
    offset: Annotated[np.ndarray | None, "rd", "what does not"] = None

    @classmethod
    def of(
        cls, problems: Problems, minimizers: list[Minimizer], interpolators: Sequence[np.ndarray]
    ) -> Self:
        """What is found of the problems of a block.

        Args:
            problems: the block.
            minimizers: of each.
            interpolators: of least Euclidean norm, shape (r, d).
        """
        points = np.array([each.point for each in minimizers])
        absent = Certificate(
            np.full(problems.data.shape[1], np.nan), *np.full((2, points.shape[1]), np.nan)
        )
        duals = [each.certificate or absent for each in minimizers]
        return cls(
            repetition=problems.repetition,
            status=np.array([each.status for each in minimizers]),
            point=points,
            point_low=np.array([each.point_low for each in minimizers]),
            nu=np.array([dual.nu for dual in duals]),
            direction=np.array([dual.direction for dual in duals]),
            margins=np.array([dual.margin for dual in duals]),
            margin=np.array([each.margin for each in minimizers]),
            support_size=np.array([each.support.size for each in minimizers]),
            duality_gap=np.array([each.duality_gap for each in minimizers]),
            kappa=np.array([each.kappa for each in minimizers]),
            estimation_error=_distances(points, problems.signal),
            interpolator=np.array(interpolators),
            interpolator_estimation_error=_distances(interpolators, problems.signal),
            product=problems.product,
            noiseless_support=problems.noiseless_support,
        )

    def certificate(self, place: int) -> Certificate:
        """The dual vector of an instance."""
        return Certificate(self.nu[place], self.direction[place], self.margins[place])

    def initialization(self, place: int) -> Initialization:
        """Those of an instance's initialization; from ones where stage selection says nothing."""
        if self.unit is None:
            return initialize_from_ones(self.point.shape[1])
        names = ("unit", "scale", "tilt", "offset")
        return Initialization(*(getattr(self, name)[place] for name in names))

    def shapes_at(self, place: int) -> tuple:
        """(w_u, w_v) of an instance; empty where stage selection says nothing."""
        if self.shape_u is None or self.shape_v is None:
            return ()
        return self.shape_u[place], self.shape_v[place]

    def started_from(
        self, shape_u: np.ndarray, shape_v: np.ndarray, initialization: Initialization
    ) -> Self:
        """The record of one instance, from an initialization."""
        start = {"shape_u": shape_u, "shape_v": shape_v, **vars(initialization)}
        return replace(self, **{name: values[None] for name, values in start.items()})

    def norm(self) -> tuple[np.ndarray, np.ndarray]:
        """unit and tilt of all instances; ones and zeros where stage selection says nothing."""
        if self.unit is None or self.tilt is None:
            shape = (self.margin.size, self.point.shape[1])
            return np.ones(shape), np.zeros(shape)
        return self.unit, self.tilt


def _distances(points, signals):
    """The Euclidean distances of vectors, one by one."""
    pairs = zip(points, signals, strict=True)
    return np.array([np.linalg.norm(x - signal) for x, signal in pairs])


@dataclass(frozen=True)
class NullSpaceConstants(Record):
    """Of stage null_space: ϱ and ϱ~, and what proves the bounds of ϱ~."""

    rho_lower: Annotated[np.ndarray, "r", "lower bound of ϱ"]
    rho_upper: Annotated[np.ndarray, "r", "upper bound of ϱ; the same, where it is decided"]
    rho_tilde_lower: Annotated[np.ndarray, "r", "lower bound of ϱ~"]
    rho_tilde_upper: Annotated[np.ndarray, "r", "upper bound of ϱ~"]
    rho_tilde_method: Annotated[np.ndarray, "r", "how the bounds were found, in words"]
    tilde_place: Annotated[np.ndarray, "k", "of which instance of the file the linear program is"]
    tilde_pattern: Annotated[np.ndarray, "kd", "its weights on the support; nan off it"]
    tilde_nu: Annotated[np.ndarray, "kN", "a dual vector that attains its value"]

    @classmethod
    def of(
        cls,
        problems: Problems,
        supports: Sequence[np.ndarray],
        brackets: list[tuple[Bracket, Bracket]],
    ) -> Self:
        """The constants of a block.

        Args:
            problems: the block.
            supports: of the minimizers, indices.
            brackets: (ϱ, ϱ~) of each.
        """
        places, patterns, duals = [], [], []
        _, rows, columns = problems.matrix.shape
        tildes = [tilde for _, tilde in brackets]
        for place, (support, tilde) in enumerate(zip(supports, tildes, strict=True)):
            whole = np.full((len(tilde.patterns), columns), np.nan)
            whole[:, support] = tilde.patterns.reshape(-1, len(support))
            places += [place] * len(whole)
            patterns.append(whole)
            duals.append(tilde.duals.reshape(-1, rows))
        return cls(
            repetition=problems.repetition,
            rho_lower=np.array([rho.lower for rho, _ in brackets]),
            rho_upper=np.array([rho.upper for rho, _ in brackets]),
            rho_tilde_lower=np.array([tilde.lower for tilde in tildes]),
            rho_tilde_upper=np.array([tilde.upper for tilde in tildes]),
            rho_tilde_method=np.array([tilde.method for tilde in tildes]),
            tilde_place=np.array(places, dtype=int),
            tilde_pattern=np.concatenate(patterns),
            tilde_nu=np.concatenate(duals),
        )


@dataclass(frozen=True)
class LimitPoints(Record):
    """Of stage limit: n = x(α) - g* along a path; nan where there is no g* to measure from."""

    log_alpha: Annotated[np.ndarray, "m", "natural logarithms of the scales"]
    log_unit: Annotated[np.ndarray, "rm", "natural logarithm of the unit of the error"]
    error: Annotated[np.ndarray, "rmd", "n in this unit"]
    log_error_1: Annotated[np.ndarray, "rm", "log ‖n‖₁"]
    log_error_2: Annotated[np.ndarray, "rm", "log ‖n‖₂"]
    log_error_inf: Annotated[np.ndarray, "rm", "log ‖n‖∞"]
    estimation_error: Annotated[np.ndarray, "rm", "‖x(α) - x₀‖₂"]
    newton_steps: Annotated[np.ndarray, "rm", "Newton steps on the way to the scale"]
    relative_residual: Annotated[np.ndarray, "rm", "‖A n‖₂ over the sum of ‖Aᵢ‖₂ |nᵢ|"]
    error_bound: Annotated[np.ndarray, "rm", "bound on the relative error of ‖n‖₁"]
    entry_bound: Annotated[np.ndarray, "rm", "bound on the error of any entry of n, over ‖n‖₁"]

    @classmethod
    def of(
        cls,
        problems: Problems,
        minimizers: Minimizers,
        log_alpha: np.ndarray,
        paths: Sequence[LimitPath | None],
    ) -> Self:
        """The limit points of a block.

        Args:
            problems, minimizers: the block.
            log_alpha: natural logarithms of the scales.
            paths: a LimitPath an instance; None where there is nothing to measure from.
        """
        signals = problems.signal
        unknown = _unknown_path(log_alpha, signals.shape[1])
        known = [path or unknown for path in paths]
        names = ("log_unit", "error", "newton_steps", "relative_residual")
        return cls(
            repetition=problems.repetition,
            log_alpha=log_alpha,
            **{
                name: np.array([getattr(path, name) for path in known])
                for name in (*names, "error_bound", "entry_bound")
            },
            **{
                f"log_error_{order}": np.array([path.log_norm(order) for path in known])
                for order in (1, 2, np.inf)
            },
            estimation_error=np.array(
                [
                    path.distance(point - signal)
                    for path, point, signal in zip(known, minimizers.point, signals, strict=True)
                ]
            ),
        )

    def place_of(self, log10_alpha: float, output: str) -> int:
        """The place of a scale on the path.

        Raises:
            Failure: naming the cell of a file, if it is not on the path.
        """
        try:
            return place_of(log10_alpha, self.log_alpha)
        except ValueError as error:
            raise Failure(f"{cell_of(output)}: {error}") from error

    def errors_at(self, place: int) -> np.ndarray:
        """The error vectors n at one of the scales, shape (r, d)."""
        return np.exp(self.log_unit[:, place, None]) * self.error[:, place]


def _unknown_path(log_alpha, size):
    """The path of an instance of which nothing is known."""
    nothing = np.full(log_alpha.shape, np.nan)
    return LimitPath(
        log_alpha=log_alpha,
        log_unit=nothing,
        error=np.full((log_alpha.size, size), np.nan),
        newton_steps=np.zeros(log_alpha.shape, dtype=int),
        relative_residual=nothing,
        fixed_point_residual=nothing,
        error_bound=nothing,
        entry_bound=nothing,
        proved=np.zeros(log_alpha.shape, dtype=bool),
    )


@dataclass(frozen=True)
class FirstOrders(Record):
    """Of stage asymptotics: ‖n‖₁ ~ C αᵖ as α → 0, and every entry off the support."""

    status: Annotated[np.ndarray, "r", '"known", or why it is not']
    exponent: Annotated[np.ndarray, "r", "p"]
    log_constant: Annotated[np.ndarray, "r", "log C"]
    entry_exponent: Annotated[np.ndarray, "rd", "exponent of an entry; nan on the support"]
    entry_log_size: Annotated[np.ndarray, "rd", "log of its size over α to that exponent"]


@dataclass(frozen=True)
class Endpoints(Record):
    """Of stage flow: where the flow has ended at one scale; nan where it was not integrated."""

    point: Annotated[np.ndarray, "rd", "x at the end"]
    claimed: Annotated[np.ndarray, "r", "bound on its distance to the limit point, over ‖n‖₁"]
    steps: Annotated[np.ndarray, "r", "steps of the integrator"]

    @classmethod
    def of(cls, problems: Problems, flows: Sequence[Trajectory | None]) -> Self:
        """The ends of a block's flows, None where there was none."""
        absent = np.full(problems.signal.shape[1], np.nan)
        return cls(
            repetition=problems.repetition,
            point=np.array([absent if flow is None else flow.point[-1] for flow in flows]),
            claimed=np.array([np.nan if flow is None else flow.claim for flow in flows]),
            steps=np.array([0 if flow is None else flow.steps for flow in flows]),
        )


KINDS = {
    "problems": Problems,
    "l1, selection": Minimizers,
    "null_space": NullSpaceConstants,
    "limit": LimitPoints,
    "asymptotics": FirstOrders,
    "flow, plain_flow": Endpoints,
}
