# the local search for the constant of order s starts from so many random supports
ORDER_STARTS = 4


rule phase:
    input:
        code=program("stages/phase"),
    output:
        table=f"{RESULTS}/phase/{{problem}}/{{block}}/order{{order}}.parquet",
        certificates=f"{RESULTS}/phase/{{problem}}/{{block}}/order{{order}}_certificates.parquet",
    log:
        f"{RESULTS}/logs/phase/{{problem}}/{{block}}/order{{order}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/phase/{{problem}}/{{block}}/order{{order}}.tsv"
    wildcard_constraints:
        order=r"\d+",
    conda:
        "../../../environment.yml"
    params:
        content=content("stages/phase"),
        repetitions=lambda wildcards: grid.block_range(wildcards.block),
        arguments=lambda wildcards: PLAN.phase_arguments(wildcards.problem),
        enumerate_up_to=CONFIG["null_space"]["enumerate_up_to"],
    shell:
        "python {input.code[0]} --output {output.table} --certificates {output.certificates}"
        " --repetitions {params.repetitions}"
        " {params.arguments}"
        " --enumerate-up-to {params.enumerate_up_to}"
        f" --order-repetitions {{wildcards.order}} --order-starts {ORDER_STARTS} &> {{log}}"
