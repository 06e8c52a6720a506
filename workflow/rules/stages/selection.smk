rule selection:
    # What the error is measured from where that depends on the network: the minimizer that the
    # flow selects among several, and that of the norm which an initialization leads to.
    input:
        code=program("stages/selection"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
        l1=f"{RESULTS}/l1/{{problem}}/{{block}}.npz",
        own=PLAN.shape_files,
    output:
        f"{RESULTS}/selection/{{problem}}/{{network}}/{{block}}.npz",
    log:
        f"{RESULTS}/logs/selection/{{problem}}/{{network}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/selection/{{problem}}/{{network}}/{{block}}.tsv"
    conda:
        "../../../environment.yml"
    params:
        content=content("stages/selection"),
        arguments=PLAN.selection_arguments,
        solver=CONFIG["l1"]["solver"],
        nonunique=CONFIG["l1"]["nonunique"],
    shell:
        "python {input.code[0]} --problems {input.problems} --l1 {input.l1} --output {output}"
        " {params.arguments} --solver {params.solver}"
        " --nonunique {params.nonunique} &> {log}"
