rule flow:
    input:
        code=program("stages/flow"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
        l1=PLAN.minimizers,
    output:
        endpoints=f"{RESULTS}/flow/{{problem}}/{{network}}/alpha{{alpha}}/{{block}}.npz",
        trajectories=f"{RESULTS}/flow/{{problem}}/{{network}}/alpha{{alpha}}/{{block}}.parquet",
    log:
        f"{RESULTS}/logs/flow/{{problem}}/{{network}}/alpha{{alpha}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/flow/{{problem}}/{{network}}/alpha{{alpha}}/{{block}}.tsv"
    conda:
        "../../../environment.yml"
    params:
        content=content("stages/flow"),
        depth=PLAN.depth,
        cell=lambda wildcards: PLAN.columns(wildcards.problem, wildcards.network),
        arguments=PLAN.flow_arguments(),
    shell:
        "python {input.code[0]} --problems {input.problems} --l1 {input.l1} --form dual"
        " --cell {params.cell:q}"
        " --endpoints {output.endpoints} --trajectories {output.trajectories}"
        " --depth {params.depth} --alpha {wildcards.alpha} {params.arguments} &> {log}"


rule plain_flow:
    # the 2d weights (u, v) themselves, to compare with
    input:
        code=program("stages/flow"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
        l1=PLAN.minimizers,
    output:
        f"{RESULTS}/plain_flow/{{problem}}/{{network}}/alpha{{alpha}}/{{block}}.npz",
    log:
        f"{RESULTS}/logs/plain_flow/{{problem}}/{{network}}/alpha{{alpha}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/plain_flow/{{problem}}/{{network}}/alpha{{alpha}}/{{block}}.tsv"
    conda:
        "../../../environment.yml"
    params:
        content=content("stages/flow"),
        depth=PLAN.depth,
        arguments=PLAN.flow_arguments(),
    shell:
        "python {input.code[0]} --problems {input.problems} --l1 {input.l1} --form plain"
        " --endpoints {output} --depth {params.depth} --alpha {wildcards.alpha}"
        " {params.arguments} &> {log}"
