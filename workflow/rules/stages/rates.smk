RATES = f"{RESULTS}/rates/{{problem}}/{{network}}/{{path}}/reps{{repetitions}}"


rule rates:
    input:
        code=program("stages/rates"),
        l1=lambda wildcards: PLAN.cell_blocks("l1", wildcards),
        null_space=lambda wildcards: PLAN.cell_blocks("null_space", wildcards),
        limit=lambda wildcards: PLAN.cell_blocks("limit", wildcards),
        asymptotics=lambda wildcards: PLAN.cell_blocks("asymptotics", wildcards),
    output:
        instances=f"{RATES}/instances.parquet",
        points=f"{RATES}/points.parquet",
        curves=f"{RATES}/curves.parquet",
    log:
        f"{RESULTS}/logs/rates/{{problem}}/{{network}}/{{path}}/reps{{repetitions}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/rates/{{problem}}/{{network}}/{{path}}/reps{{repetitions}}.tsv"
    conda:
        "../../../environment.yml"
    params:
        content=content("stages/rates"),
        cell=lambda w: PLAN.columns(w.problem, w.network, path=w.path),
        window=lambda wildcards: PLAN.window(wildcards.path),
        onset_tolerance=CONFIG["rates"]["onset_tolerance"],
        bootstrap=CONFIG["rates"]["bootstrap"],
        confidence=CONFIG["rates"]["confidence"],
        seed=CONFIG["seed"],
    shell:
        "python {input.code[0]} --l1 {input.l1} --null-space {input.null_space}"
        " --limit {input.limit} --asymptotics {input.asymptotics}"
        " --instances {output.instances} --points {output.points} --curves {output.curves}"
        " --cell {params.cell:q} {params.window}"
        " --onset-tolerance {params.onset_tolerance} --bootstrap {params.bootstrap}"
        " --confidence {params.confidence} --seed {params.seed} &> {log}"
