"""Target timings: where the time of the last run went, stage by stage.

Reads the files that Snakemake's own benchmarking writes beside each job.
"""

import argparse
from pathlib import Path

import pandas as pd

from pipeline.command_line import Failure, run
from pipeline.storage import write_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--benchmarks", required=True, help="folder, with one folder a stage")
    parser.add_argument("--csv", required=True)
    parser.add_argument("--markdown", required=True)
    args = parser.parse_args()

    folder = Path(args.benchmarks)
    files = sorted(folder.rglob("*.tsv"))
    if not files:
        raise Failure(f"{folder} holds no timings; run the workflow first")
    jobs = pd.concat(
        [
            pd.read_csv(file, sep="\t").assign(stage=file.relative_to(folder).parts[0])
            for file in files
        ]
    )
    table = (
        jobs.groupby("stage")
        .agg(
            jobs=("s", "size"),
            seconds=("s", "sum"),
            longest=("s", "max"),
            cpu_seconds=("cpu_time", "sum"),
            memory_mb=("max_rss", "max"),
        )
        .sort_values("seconds", ascending=False)
        .reset_index()
    )
    total = table[["jobs", "seconds", "cpu_seconds"]].sum().to_dict() | {
        "stage": "all",
        "longest": table["longest"].max(),
        "memory_mb": table["memory_mb"].max(),
    }
    table = pd.concat([table, pd.DataFrame([total])], ignore_index=True).round(1)
    table = table.astype({"jobs": int})  # the sum above made them floats, as the seconds are
    write_text(args.csv, table.to_csv(index=False, lineterminator="\n"))
    write_text(args.markdown, table.to_markdown(index=False) + "\n")
    print(table.to_string(index=False))


if __name__ == "__main__":
    run(main)
