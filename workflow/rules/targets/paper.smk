# The document.  What its text shows: figures, each of its kind, and tables.
PAPER_FIGURES = {
    **{name: name for name in ("noise", "depth", "generalization", "prediction", "tight", "flow")},
    **{name: "far" for name in ("far_two_layers", "far_deep")},
    **{name: name for name in ("bounds", "tightness", "phase", "approach", "orders", "descent")},
}
PAPER_TABLES = [
    *("cells", "rates", "agreement", "far", "constants", "newton", "tightness", "descent", "phase"),
    *("deeper", "orders"),
]
PAPER_TEXTS = of_project(
    *("workflow/report/paper.typ", "workflow/report/layout.typ"),
    *(f"workflow/report/figure_{kind}.rst" for kind in sorted(set(PAPER_FIGURES.values()))),
    *(f"workflow/report/table_{name}.rst" for name in PAPER_TABLES),
)
PAPER = [f"{RESULTS}/paper.pdf", f"{RESULTS}/paper.json"]
# what of it this configuration lacks
PAPER_LACKS = [
    *(f"figure {name}" for name, kind in PAPER_FIGURES.items() if PLAN.figure_of.get(name) != kind),
    *(f"table {name}" for name in PAPER_TABLES if name not in PLAN.tables),
]
# what its text and its captions ask of a figure
PAPER_TOLD = {
    name: {**told(name), "kind": kind, "cells": PLAN.rows_of(PLAN.experiment_of[name])}
    for name, kind in PAPER_FIGURES.items()
    if name in PLAN.figure_of
}
# once made it is one of the results: it is kept as it should be, and audited
PAPER_MADE = [] if PAPER_LACKS or not any(Path(file).exists() for file in PAPER) else PAPER
PAPER_REFUSED = (
    "There is no document of this configuration: its text speaks of experiments that are"
    f" not here, or not of this kind. Missing: {', '.join(PAPER_LACKS)}."
)
PAPER_READS = [
    *expand(
        f"{RESULTS}/figures/{{name}}.{{kind}}", name=PAPER_FIGURES, kind=["pdf", "csv", "json"]
    ),
    *expand(f"{RESULTS}/tables/{{name}}.{{kind}}", name=PAPER_TABLES, kind=["md", "csv", "json"]),
]


rule paper:
    # not part of the default target as long as nobody has asked for it
    input:
        code=program("export/paper"),
        texts=PAPER_TEXTS,
        results=lambda wildcards: sys.exit(PAPER_REFUSED) if PAPER_LACKS else PAPER_READS,
    output:
        pdf=PAPER[0],
        origin=PAPER[1],
    log:
        f"{RESULTS}/logs/paper.log",
    conda:
        "../../../environment.yml"
    params:
        content=content("export/paper", *PAPER_TEXTS),
        folder=lambda wildcards, output: Path(output.pdf).parent,
        figures=json.dumps(PAPER_TOLD),
        tables=json.dumps(PAPER_TABLES),
        configuration=PLAN.whole(),
    shell:
        "python {input.code[0]:q} --results {params.folder:q} --figures {params.figures:q}"
        " --tables {params.tables:q} --configuration {params.configuration:q}"
        " --output {output.pdf} --origin {output.origin} 2> {log}"
