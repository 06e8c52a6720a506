rule agreement:
    input:
        code=program("stages/agreement"),
        l1=lambda wildcards: PLAN.cell_blocks("l1", wildcards),
        limit=lambda wildcards: PLAN.cell_blocks("limit", wildcards),
        flow=lambda wildcards: [
            file for _, _, files in PLAN.compared_flows(wildcards) for file in files
        ],
    output:
        f"{RESULTS}/agreement/{{problem}}/{{network}}/{{path}}/reps{{repetitions}}.parquet",
    log:
        f"{RESULTS}/logs/agreement/{{problem}}/{{network}}/{{path}}/reps{{repetitions}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/agreement/{{problem}}/{{network}}/{{path}}/reps{{repetitions}}.tsv"
    conda:
        "../../../environment.yml"
    params:
        content=content("stages/agreement"),
        cell=lambda w: PLAN.columns(w.problem, w.network, path=w.path),
        flow=lambda wildcards: " ".join(
            f"--flow {form} {alpha} {' '.join(files)}"
            for form, alpha, files in PLAN.compared_flows(wildcards)
        ),
    shell:
        "python {input.code[0]} --l1 {input.l1} --limit {input.limit} {params.flow}"
        " --cell {params.cell:q} --output {output} &> {log}"
