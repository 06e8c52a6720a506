"""The configuration: checking it before any job starts.

Its shape (keys, types, bounds, defaults) is in ``schemas/config.schema.yaml``, what a kind of
figure allows in the registry of kinds; rules that tie several keys together are in
:mod:`planning.rules`.
Every mistake is reported in one go, each on a line of its own that names the key, the value and
what is allowed.
"""

from planning.mistakes import Report
from planning.rules import check
from planning.structure import completed


def validate(config: dict) -> dict:
    """The configuration with every default filled in; the argument is left as it is.

    Integral values of eta, rho and depth are returned as integers, so that 2 and 2.0 name
    the same cell.

    Args:
        config: a mapping, as read from YAML.
    Raises:
        ConfigurationError: with one line for each mistake, sorted by key.
    """
    report = Report()
    config = completed(config, report)
    check(config, report)
    report.raise_if_any()
    return config
