# Not part of the default target: what is measured differs from run to run.  Each part has all
# cores to itself, so that nothing runs beside it.
ALL = 1000  # more than there are: Snakemake gives what there is
BENCHMARK = f"{RESULTS}/benchmark"
BENCHMARK_LOCK = of_project("requirements-benchmark.txt")
BENCHMARK_FILES = [
    f"{BENCHMARK}/{name}.csv"
    for name in [
        *("limit", "flow", "l1", "newton", "newton_profile"),
        *("growth", "exponents", "pipeline", "pipeline_summary"),
    ]
]


rule benchmark_limit:
    input:
        code=program("benchmark/limit"),
        lock=BENCHMARK_LOCK,
    output:
        f"{BENCHMARK}/limit.csv",
    log:
        f"{RESULTS}/logs/benchmark/limit.log",
    conda:
        "../../../environment.yml"
    threads: ALL
    params:
        content=content("benchmark/limit"),
        sizes="--size 50 200 5 --size 100 400 8",
        eta="0 0.1",
        depth="2 3",
        log10_alpha="-2 -4 -6 -9 -12",
        repetitions=3,
        limit=5,
        seed=CONFIG["seed"],
    shell:
        "python {input.code[0]:q} {params.sizes} --eta {params.eta} --depth {params.depth}"
        " --log10-alpha {params.log10_alpha} --repetitions {params.repetitions}"
        " --limit {params.limit} --seed {params.seed} --csv {output} &> {log}"


rule benchmark_flow:
    input:
        code=program("benchmark/flow"),
        lock=BENCHMARK_LOCK,
    output:
        f"{BENCHMARK}/flow.csv",
    log:
        f"{RESULTS}/logs/benchmark/flow.log",
    conda:
        "../../../environment.yml"
    threads: ALL
    params:
        content=content("benchmark/flow"),
        sizes="--size 50 200 5 --size 100 400 8",
        eta="0 0.1",
        depth="2 3",
        log10_alpha="-4 -8 -12",
        repetitions=3,
        limit=10,
        seed=CONFIG["seed"],
    shell:
        "python {input.code[0]:q} {params.sizes} --eta {params.eta} --depth {params.depth}"
        " --log10-alpha {params.log10_alpha} --repetitions {params.repetitions}"
        " --limit {params.limit} --seed {params.seed} --csv {output} &> {log}"


rule benchmark_l1:
    input:
        code=program("benchmark/l1"),
        lock=BENCHMARK_LOCK,
    output:
        f"{BENCHMARK}/l1.csv",
    log:
        f"{RESULTS}/logs/benchmark/l1.log",
    conda:
        "../../../environment.yml"
    threads: ALL
    params:
        content=content("benchmark/l1"),
        sizes="--size 50 200 5 --size 100 400 8 --size 200 800 16",
        eta="0 0.1",
        repetitions=5,
        limit=5,
        seed=CONFIG["seed"],
    shell:
        "python {input.code[0]:q} {params.sizes} --eta {params.eta}"
        " --repetitions {params.repetitions} --limit {params.limit} --seed {params.seed}"
        " --csv {output} &> {log}"


rule benchmark_newton:
    input:
        code=program("benchmark/newton"),
    output:
        csv=f"{BENCHMARK}/newton.csv",
        profile=f"{BENCHMARK}/newton_profile.csv",
    log:
        f"{RESULTS}/logs/benchmark/newton.log",
    conda:
        "../../../environment.yml"
    threads: ALL
    params:
        content=content("benchmark/newton"),
        sizes="--size 50 200 5 --size 100 400 8 --size 200 800 16 --size 400 1600 32",
        eta="0 0.1",
        depth="2 3",
        repetitions=9,
        seed=CONFIG["seed"],
    shell:
        "python {input.code[0]:q} {params.sizes} --eta {params.eta} --depth {params.depth}"
        " --repetitions {params.repetitions} --seed {params.seed}"
        " --csv {output.csv} --profile {output.profile} &> {log}"


rule benchmark_growth:
    input:
        code=program("benchmark/growth"),
        stages=rules.growth.input.stages,
    output:
        csv=f"{BENCHMARK}/growth.csv",
        exponents=f"{BENCHMARK}/exponents.csv",
        markdown=f"{BENCHMARK}/growth.md",
    log:
        f"{RESULTS}/logs/benchmark/growth.log",
    conda:
        "../../../environment.yml"
    threads: ALL
    params:
        content=content("benchmark/growth"),
        rows="50 100 200 400 700 1000",
        ratios="4",
        sparsity=0.05,
        eta=0,
        repetitions=1,
        log10_alpha=rules.growth.params.log10_alpha,
        seed=CONFIG["seed"],
    shell:
        "python {input.code[0]:q} --rows {params.rows} --ratios {params.ratios}"
        " --stages all --sparsity {params.sparsity} --eta {params.eta}"
        " --repetitions {params.repetitions}"
        " --log10-alpha {params.log10_alpha} --seed {params.seed}"
        " --csv {output.csv} --exponents {output.exponents} --markdown {output.markdown} &> {log}"


rule benchmark_pipeline:
    input:
        code=program("benchmark/whole_run"),
        configuration=of_project("config/config.yaml"),
        snakefile=of_project("Snakefile"),
    output:
        csv=f"{BENCHMARK}/pipeline.csv",
        summary=f"{BENCHMARK}/pipeline_summary.csv",
    log:
        f"{RESULTS}/logs/benchmark/pipeline.log",
    conda:
        "../../../environment.yml"
    threads: ALL
    params:
        content=content("benchmark/whole_run"),
        project=lambda wildcards, input: Path(input.snakefile[0]).parent,
        repetitions=3,
    shell:
        "python {input.code[0]:q} --project {params.project:q}"
        " --configuration {input.configuration:q} --cores {threads}"
        " --repetitions {params.repetitions} --csv {output.csv} --summary {output.summary}"
        " &> {log}"


rule benchmark:
    input:
        code=program("benchmark/page"),
        style=STYLE,
        parts=BENCHMARK_FILES,
    output:
        markdown=f"{BENCHMARK}/benchmark.md",
        machine=f"{BENCHMARK}/machine.json",
        figure=expand(f"{BENCHMARK}/benchmark.{{kind}}", kind=["png", "pdf", "svg"]),
    log:
        f"{RESULTS}/logs/benchmark/benchmark.log",
    conda:
        "../../../environment.yml"
    params:
        content=content("benchmark/page"),
        folder=lambda wildcards, output: Path(output.markdown).parent,
    shell:
        "python {input.code[0]:q} --folder {params.folder} --style {input.style:q}"
        " --markdown {output.markdown} --machine {output.machine} --output {output.figure}"
        " &> {log}"
