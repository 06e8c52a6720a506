"""Every figure and table of the project, from nothing: `snakemake --cores all`."""

import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

sys.path.insert(0, workflow.source_path("workflow/grid.py").rsplit("/", 1)[0])
