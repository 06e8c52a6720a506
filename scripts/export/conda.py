"""The lock as an environment of conda: the same versions, from conda-forge as far as it has them.

Snakemake makes an environment of it for every rule (`snakemake --software-deployment-method
conda`), from a copy of the file: so it holds everything itself.
"""

import argparse
from pathlib import Path

from pipeline.command_line import run
from pipeline.pins import pins
from pipeline.storage import write_text

PYTHON = "3.11"
# where the environment is to work: what holds elsewhere only is left out
ENVIRONMENT = {
    "implementation_name": "cpython",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": f"{PYTHON}.0",
    "python_version": PYTHON,
    "sys_platform": "linux",
}
# what conda-forge calls otherwise
NAMES = {
    "connection-pool": "connection_pool",
    "jupyter-core": "jupyter_core",
    "matplotlib": "matplotlib-base",
    "mypy-extensions": "mypy_extensions",
    "qdldl": "qdldl-python",
    "smart-open": "smart_open",
    "typing-extensions": "typing_extensions",
    "tzdata": "python-tzdata",
}
# what it lacks: Snakemake, which another channel has, with its plugins and what they bring along
LACKING = {
    *("conda-inject", "enum-tools", "inquirerpy", "pfzy", "lazy-importer", "snakefmt", "snakemake"),
    *("ast-serialize", "librt", "roc-validator", "shfmt-py", "sparsediffpy"),
    "typst",  # the binding: what is called so there is the command
}
OF_SNAKEMAKE = ("snakemake-executor-", "snakemake-interface-")

HEAD = """\
# Written by `make lock` from requirements.txt, whose versions these are: from conda-forge, and what
# it lacks by pip.  `conda env create -f environment.yml` makes an environment of it, and
# `snakemake --software-deployment-method conda` one for the rules.
name: implicit-l1
channels:
  - conda-forge
  - nodefaults
dependencies:
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", required=True, help="the locked requirements")
    parser.add_argument("--output", required=True, help="the file of the environment")
    args = parser.parse_args()
    write_text(args.output, as_environment(Path(args.lock).read_text(encoding="utf-8")))


def as_environment(lock: str) -> str:
    """The text of the environment's file.

    Args:
        lock: text of the locked requirements.
    """
    found = pins(lock, ENVIRONMENT)
    lacking = {name for name in found if name in LACKING or name.startswith(OF_SNAKEMAKE)}
    lines = [f"  - python={PYTHON}", "  - pip"]
    lines += [f"  - {NAMES.get(name, name)}={found[name]}" for name in found.keys() - lacking]
    own = [f"      - {name}=={found[name]}" for name in sorted(lacking)]
    return HEAD + "\n".join([*sorted(lines), "  - pip:", *own]) + "\n"


if __name__ == "__main__":
    run(main)
