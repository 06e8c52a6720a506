def problem_arguments(wildcards):
    problem = PROBLEMS[wildcards.problem]
    values = dict(problem.parameters)
    if problem.ensemble != configuration.KERNEL:
        values |= {"seed": CONFIG["seed"], **CONFIG["signal"]}
    return " ".join([problem.ensemble, *(f"--{key} {value}" for key, value in values.items())])


rule problems:
    input:
        code=program("problems"),
    output:
        f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
    log:
        f"{RESULTS}/logs/problems/{{problem}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/problems/{{problem}}/{{block}}.tsv"
    conda:
        "../../environment.yml"
    params:
        repetitions=lambda wildcards: grid.block_range(wildcards.block),
        arguments=problem_arguments,
    shell:
        "python {input.code[0]} --output {output} --repetitions {params.repetitions}"
        " {params.arguments} &> {log}"
