rule bounds:
    input:
        code=program("stages/bounds"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
        l1=f"{RESULTS}/l1/{{problem}}/{{block}}.npz",
        null_space=f"{RESULTS}/null_space/{{problem}}/{{block}}.npz",
        limit=f"{RESULTS}/limit/{{problem}}/{{network}}/{{path}}/{{block}}.npz",
    output:
        f"{RESULTS}/bounds/{{problem}}/{{network}}/{{path}}/{{block}}.parquet",
    log:
        f"{RESULTS}/logs/bounds/{{problem}}/{{network}}/{{path}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/bounds/{{problem}}/{{network}}/{{path}}/{{block}}.tsv"
    conda:
        "../../../environment.yml"
    params:
        content=content("stages/bounds"),
        depth=PLAN.depth,
        cell=lambda wildcards: PLAN.columns(wildcards.problem, wildcards.network),
    shell:
        "python {input.code[0]} --problems {input.problems} --l1 {input.l1}"
        " --null-space {input.null_space} --limit {input.limit} --output {output}"
        " --cell {params.cell:q} --depth {params.depth} &> {log}"
