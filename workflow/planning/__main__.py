"""Says what is wrong with configurations: python -m planning FILE [FILE ...].

Snakemake reads a file that is given after --configfile before this project can, and says of one
that is no YAML neither what is wrong nor where.
"""

import sys

from planning.reading import UNUSABLE, ConfigurationError, load

try:
    for file in sys.argv[1:]:
        load(file)
except ConfigurationError as error:
    sys.exit(f"{UNUSABLE}\n{error}")
