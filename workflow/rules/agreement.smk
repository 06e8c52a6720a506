FLOW_CELLS = {
    f"{cell.name}/reps{cell.repetitions}": (cell, CONFIG["experiments"][name])
    for name in experiments("flow")
    for cell in EXPERIMENTS[name]
}


def flow_files(cell, alphas, stage, suffix):
    return {
        alpha: [
            f"{RESULTS}/{stage}/{cell.problem.name}/D{grid.number(cell.depth)}"
            f"/alpha{grid.number(alpha)}/{block}.{suffix}"
            for block in blocks(cell)
        ]
        for alpha in alphas
    }


def agreement_cell(wildcards):
    return FLOW_CELLS["{problem}/D{depth}/{path}/reps{repetitions}".format_map(vars(wildcards))]


def agreement_files(wildcards):
    """(form, alpha, files) of everything that is compared."""
    cell, experiment = agreement_cell(wildcards)
    dual = flow_files(cell, experiment["alpha"], "flow", "npz")
    plain = flow_files(cell, experiment["plain_alpha"], "plain_flow", "npz")
    return [
        (form, alpha, files)
        for form, of_form in (("dual", dual), ("plain", plain))
        for alpha, files in of_form.items()
    ]


def agreement_blocks(stage, folder):
    def files(wildcards):
        cell, _ = agreement_cell(wildcards)
        return [f"{RESULTS}/{stage}/{folder(cell)}/{block}.npz" for block in blocks(cell)]

    return files


rule agreement:
    input:
        code=program("agreement"),
        l1=agreement_blocks("l1", lambda cell: cell.problem.name),
        limit=agreement_blocks("limit", lambda cell: cell.name),
        flow=lambda wildcards: [
            file for _, _, files in agreement_files(wildcards) for file in files
        ],
    output:
        f"{RESULTS}/agreement/{{problem}}/D{{depth}}/{{path}}/reps{{repetitions}}.parquet",
    log:
        f"{RESULTS}/logs/agreement/{{problem}}/D{{depth}}/{{path}}/reps{{repetitions}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/agreement/{{problem}}/D{{depth}}/{{path}}/reps{{repetitions}}.tsv"
    conda:
        "../../environment.yml"
    params:
        cell=lambda wildcards: cell_columns(agreement_cell(wildcards)[0]),
        flow=lambda wildcards: " ".join(
            f"--flow {form} {alpha} {' '.join(files)}"
            for form, alpha, files in agreement_files(wildcards)
        ),
    shell:
        "python {input.code[0]} --l1 {input.l1} --limit {input.limit} {params.flow}"
        " --cell {params.cell:q} --output {output} &> {log}"
