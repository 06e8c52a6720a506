"""Make what is missing in the results of the default configuration.

Of what is there only that is made anew which is made from a missing file; nothing else is,
whatever has changed since: the audit judges it as it lies there.  Files between that are missing
are named to Snakemake, which would do without them where nothing that is made from them is
missing.
"""

import argparse
import subprocess
import sys

from command_line import run

from workflow_queries import snakemake, states_of


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", required=True, help="as of snakemake: a number, or all")
    args = parser.parse_args()
    found = states_of(snakemake("--summary", "all"))
    missing = [file for file, (status, _) in found.items() if status == "missing"]
    command = [sys.executable, "-m", "snakemake", "--cores", args.cores, "all", *missing]
    command += ["--rerun-triggers", "software-env", "--quiet", "all"]
    sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    run(main)
