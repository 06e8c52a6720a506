rule problems:
    input:
        code=program("stages/problems"),
        own=PLAN.own_data,
    output:
        f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
    log:
        f"{RESULTS}/logs/problems/{{problem}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/problems/{{problem}}/{{block}}.tsv"
    conda:
        "../../../environment.yml"
    params:
        content=lambda wildcards: content("stages/problems", *PLAN.own_data(wildcards)),
        repetitions=lambda wildcards: grid.block_range(wildcards.block),
        arguments=lambda wildcards: PLAN.problem_arguments(wildcards.problem),
    shell:
        "python {input.code[0]} --output {output} --repetitions {params.repetitions}"
        " {params.arguments} &> {log}"
