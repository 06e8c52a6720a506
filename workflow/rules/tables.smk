def cells_of(*figures):
    return list(dict.fromkeys(cell for name in experiments(*figures) for cell in EXPERIMENTS[name]))


# cells whose rate is fitted, and those followed further down
FITTED = cells_of("noise", "depth", "generalization", "prediction", "tight", "bounds")
FAR = cells_of("far")
TABLE_INPUTS = {
    "cells": rates_of(FITTED, "instances"),
    "rates": rates_of(FITTED, "instances"),
    "agreement": [f"{RESULTS}/agreement/{name}.parquet" for name in FLOW_CELLS],
    "far": rates_of(FAR, "instances"),
    "constants": rates_of(FITTED + FAR, "points"),
    "newton": rates_of(FITTED, "points"),
    "tightness": bounds_of(cells_of("bounds", "tightness")),
    "descent": [file for name in experiments("descent") for file in figure_data(name)],
    "phase": [file for name in experiments("phase") for file in phase_files(name)],
}
# an experiment that a configuration leaves out leaves out its table
TABLE_NAMES = [name for name, files in TABLE_INPUTS.items() if files]
TABLES = expand(
    f"{RESULTS}/tables/{{table}}.{{kind}}", table=TABLE_NAMES, kind=["csv", "md", "tex"]
)


for table in TABLE_NAMES:

    rule:
        name:
            f"table_{table}"
        input:
            code=program("tables"),
            data=list(dict.fromkeys(TABLE_INPUTS[table])),
        output:
            csv=report(
                f"{RESULTS}/tables/{table}.csv",
                category="Tables",
                caption=f"../report/table_{table}.rst",
                labels={"table": table},
            ),
            markdown=f"{RESULTS}/tables/{table}.md",
            latex=f"{RESULTS}/tables/{table}.tex",
        log:
            f"{RESULTS}/logs/tables/{table}.log",
        benchmark:
            f"{RESULTS}/benchmarks/tables/{table}.tsv"
        conda:
            "../../environment.yml"
        params:
            table=table,
        shell:
            "python {input.code[0]} --table {params.table} --input {input.data}"
            " --csv {output.csv} --markdown {output.markdown} --latex {output.latex} &> {log}"
