RATE_CELLS = [
    cell
    for name, cells in EXPERIMENTS.items()
    if CONFIG["experiments"][name]["figure"] != "flow"
    for cell in cells
]
TABLE_INPUTS = {
    "cells": rates_of(RATE_CELLS, "instances"),
    "rates": rates_of(RATE_CELLS, "instances"),
    "agreement": [f"{RESULTS}/agreement/{name}.parquet" for name in FLOW_CELLS],
}
# an experiment that a configuration leaves out leaves out its table
TABLE_NAMES = [name for name, files in TABLE_INPUTS.items() if files]
TABLES = expand(
    f"{RESULTS}/tables/{{table}}.{{kind}}", table=TABLE_NAMES, kind=["csv", "md", "tex"]
)


rule tables:
    input:
        code=program("tables"),
        data=lambda wildcards: list(dict.fromkeys(TABLE_INPUTS[wildcards.table])),
    output:
        csv=report(
            f"{RESULTS}/tables/{{table}}.csv",
            category="Tables",
            caption="../report/table_{table}.rst",
            labels={"table": "{table}"},
        ),
        markdown=f"{RESULTS}/tables/{{table}}.md",
        latex=f"{RESULTS}/tables/{{table}}.tex",
    log:
        f"{RESULTS}/logs/tables/{{table}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables/{{table}}.tsv"
    wildcard_constraints:
        table="|".join(TABLE_INPUTS),
    conda:
        "../../environment.yml"
    shell:
        "python {input.code[0]} --table {wildcards.table} --input {input.data}"
        " --csv {output.csv} --markdown {output.markdown} --latex {output.latex} &> {log}"
