DESCENT_CELLS = {
    f"{cell.name}/reps{cell.repetitions}": (cell, CONFIG["experiments"][name])
    for name in experiments("descent")
    for cell in EXPERIMENTS[name]
}
DESCENT_OPTIONS = {  # of a problem, a depth and a scale: the last experiment's win
    (cell.problem.name, grid.number(cell.depth), grid.number(alpha)): (cell, experiment)
    for cell, experiment in DESCENT_CELLS.values()
    for alpha in experiment["alpha"]
}


def descent_options(wildcards):
    return DESCENT_OPTIONS[wildcards.problem, wildcards.depth, wildcards.alpha]


rule descent:
    input:
        code=program("descent"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
        l1=f"{RESULTS}/l1/{{problem}}/{{block}}.npz",
        limit=lambda wildcards: "{results}/limit/{cell}/{block}.npz".format(
            results=RESULTS, cell=descent_options(wildcards)[0].name, block=wildcards.block
        ),
    output:
        f"{RESULTS}/descent/{{problem}}/D{{depth}}/alpha{{alpha}}/{{block}}.parquet",
    log:
        f"{RESULTS}/logs/descent/{{problem}}/D{{depth}}/alpha{{alpha}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/descent/{{problem}}/D{{depth}}/alpha{{alpha}}/{{block}}.tsv"
    conda:
        "../../environment.yml"
    params:
        cell=lambda wildcards: json.dumps(
            columns_of(PROBLEMS[wildcards.problem], DEPTHS[wildcards.depth])
        ),
        fractions=lambda wildcards: descent_options(wildcards)[1]["fractions"],
        iterations=lambda wildcards: descent_options(wildcards)[1]["iterations"],
        loss=1e-22,
    shell:
        "python {input.code[0]} --problems {input.problems} --l1 {input.l1} --limit {input.limit}"
        " --output {output} --cell {params.cell:q} --depth {wildcards.depth}"
        " --alpha {wildcards.alpha} --fractions {params.fractions}"
        " --iterations {params.iterations} --loss {params.loss} &> {log}"
