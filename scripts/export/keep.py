"""Copy results to results/reference/, which is kept in git: called by target `reference`."""

import argparse
import shutil
from pathlib import Path

from pipeline.command_line import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kept", nargs="*", default=[], help="files to copy")
    parser.add_argument("--output", nargs="*", default=[], help="where to, in the same order")
    args = parser.parse_args()
    for source, target in zip(args.kept, args.output, strict=True):
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


if __name__ == "__main__":
    run(main)
