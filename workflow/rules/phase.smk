# the local search for the constant of order s starts from so many random supports
ORDER_STARTS = 4


def phase_arguments(wildcards):
    values = dict(PHASE_PROBLEMS[wildcards.problem].parameters) | {"seed": CONFIG["seed"]}
    values |= CONFIG["signal"] | {"ensemble": PHASE_PROBLEMS[wildcards.problem].ensemble}
    del values["eta"]
    return " ".join(f"--{key} {value}" for key, value in values.items())


def phase_files(name):
    """The tables of an experiment of figure phase."""
    experiment = CONFIG["experiments"][name]
    return [
        f"{RESULTS}/phase/{problem.name}/{block}/order{experiment['order_repetitions']}.parquet"
        for problem in grid.phase_problems(experiment)
        for block in grid.blocks(experiment["repetitions"], experiment["repetitions"])
    ]


rule phase:
    input:
        code=program("phase"),
    output:
        f"{RESULTS}/phase/{{problem}}/{{block}}/order{{order}}.parquet",
    log:
        f"{RESULTS}/logs/phase/{{problem}}/{{block}}/order{{order}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/phase/{{problem}}/{{block}}/order{{order}}.tsv"
    wildcard_constraints:
        order=r"\d+",
    conda:
        "../../environment.yml"
    params:
        repetitions=lambda wildcards: grid.block_range(wildcards.block),
        arguments=phase_arguments,
        threshold=CONFIG["l1"]["support_threshold"],
        enumerate_up_to=CONFIG["null_space"]["enumerate_up_to"],
    shell:
        "python {input.code[0]} --output {output} --repetitions {params.repetitions}"
        " {params.arguments} --support-threshold {params.threshold}"
        " --enumerate-up-to {params.enumerate_up_to} --rho-tilde-repetitions {wildcards.order}"
        f" --order-repetitions {{wildcards.order}} --order-starts {ORDER_STARTS} &> {{log}}"
