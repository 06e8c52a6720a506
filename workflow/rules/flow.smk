rule flow:
    input:
        code=program("flow"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
        l1=f"{RESULTS}/l1/{{problem}}/{{block}}.npz",
    output:
        endpoints=f"{RESULTS}/flow/{{problem}}/D{{depth}}/alpha{{alpha}}/{{block}}.npz",
        trajectories=f"{RESULTS}/flow/{{problem}}/D{{depth}}/alpha{{alpha}}/{{block}}.parquet",
    log:
        f"{RESULTS}/logs/flow/{{problem}}/D{{depth}}/alpha{{alpha}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/flow/{{problem}}/D{{depth}}/alpha{{alpha}}/{{block}}.tsv"
    conda:
        "../../environment.yml"
    params:
        cell=lambda wildcards: PLAN.columns(wildcards.problem, wildcards.depth),
        arguments=PLAN.flow_arguments(),
    shell:
        "python {input.code[0]} --problems {input.problems} --l1 {input.l1} --form dual"
        " --cell {params.cell:q}"
        " --endpoints {output.endpoints} --trajectories {output.trajectories}"
        " --depth {wildcards.depth} --alpha {wildcards.alpha} {params.arguments} &> {log}"


rule plain_flow:
    # the 2d weights (u, v) themselves, to compare with
    input:
        code=program("flow"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
        l1=f"{RESULTS}/l1/{{problem}}/{{block}}.npz",
    output:
        f"{RESULTS}/plain_flow/{{problem}}/D{{depth}}/alpha{{alpha}}/{{block}}.npz",
    log:
        f"{RESULTS}/logs/plain_flow/{{problem}}/D{{depth}}/alpha{{alpha}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/plain_flow/{{problem}}/D{{depth}}/alpha{{alpha}}/{{block}}.tsv"
    conda:
        "../../environment.yml"
    params:
        arguments=PLAN.flow_arguments(),
    shell:
        "python {input.code[0]} --problems {input.problems} --l1 {input.l1} --form plain"
        " --endpoints {output} --depth {wildcards.depth} --alpha {wildcards.alpha}"
        " {params.arguments} &> {log}"
