"""Contestants of target benchmark without processes and clocks of their own."""

import pickle

from benchmark.measure import NOT_INSTALLED, Measurement


class WorkersHere:
    """In place of measure.Workers: all contestants run in this process, a run takes a second."""

    def __init__(self, contestants, limit):
        # as another process would have them
        self._solve = {one.name: pickle.loads(pickle.dumps(one.solve)) for one in contestants}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def measure(self, problem, repetitions, easy=None, leave_out=()):
        return {
            name: self._measured(solve, problem, repetitions)
            for name, solve in self._solve.items()
            if name not in leave_out
        }

    def _measured(self, solve, problem, repetitions):
        try:
            return Measurement([1.0] * repetitions, solve(problem))
        except ModuleNotFoundError:
            return Measurement(status=NOT_INSTALLED)
