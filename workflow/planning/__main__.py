"""Says what is wrong with configurations, or where their results are: python -m planning

Snakemake reads a file that is given after --configfile before this project can, and says of one
that is no YAML neither what is wrong nor where.
"""

import argparse
import sys

from planning.reading import UNUSABLE, ConfigurationError, load
from planning.schema import schema

parser = argparse.ArgumentParser()
parser.add_argument("files", metavar="FILE", nargs="+")
parser.add_argument("--results", action="store_true", help="print their folder of results")
arguments = parser.parse_args()
results = schema()["properties"]["results"]["default"]
try:
    for file in arguments.files:  # of a key that several have the last one counts
        config = load(file)
        if not isinstance(config, dict):
            raise ConfigurationError(
                f"{file}: must be a mapping, with the key experiments at least"
            )
        results = config.get("results", results)
    if arguments.results:
        print(results)
except ConfigurationError as error:
    sys.exit(f"{UNUSABLE}\n{error}")
