rule descent:
    input:
        code=program("stages/descent"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
        l1=f"{RESULTS}/l1/{{problem}}/{{block}}.npz",
        limit=PLAN.descent_limit,
    output:
        f"{RESULTS}/descent/{{problem}}/{{network}}/alpha{{alpha}}/{{block}}.parquet",
    log:
        f"{RESULTS}/logs/descent/{{problem}}/{{network}}/alpha{{alpha}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/descent/{{problem}}/{{network}}/alpha{{alpha}}/{{block}}.tsv"
    conda:
        "../../../environment.yml"
    params:
        content=content("stages/descent"),
        depth=PLAN.depth,
        cell=lambda wildcards: PLAN.columns(wildcards.problem, wildcards.network),
        fractions=lambda wildcards: PLAN.descent_option(wildcards, "fractions"),
        iterations=lambda wildcards: PLAN.descent_option(wildcards, "iterations"),
        loss=1e-22,
    shell:
        "python {input.code[0]} --problems {input.problems} --l1 {input.l1} --limit {input.limit}"
        " --output {output} --cell {params.cell:q} --depth {params.depth}"
        " --alpha {wildcards.alpha} --fractions {params.fractions}"
        " --iterations {params.iterations} --loss {params.loss} &> {log}"
