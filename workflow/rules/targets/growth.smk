# what the program can run, each in a process of its own
GROWING = ("problems", "l1", "null_space", "asymptotics", "limit", "flow", "certificates")


rule growth:
    # not part of the default target: its numbers differ from run to run
    input:
        code=program("benchmark/growth"),
        stages=list(dict.fromkeys(file for name in GROWING for file in program(f"stages/{name}"))),
    output:
        csv=f"{RESULTS}/growth.csv",
        markdown=f"{RESULTS}/growth.md",
    log:
        f"{RESULTS}/logs/growth.log",
    conda:
        "../../../environment.yml"
    params:
        content=content("benchmark/growth"),
        rows="50 100 200 400 800",
        ratios="4 10",
        sparsity=0.05,
        eta=0,
        repetitions=3,
        log10_alpha="0 -1 -2 -3 -4 -5 -6 -7 -8 -9 -10 -11 -12",
        seed=CONFIG["seed"],
    shell:
        "python {input.code[0]:q} --rows {params.rows} --ratios {params.ratios}"
        " --sparsity {params.sparsity} --eta {params.eta} --repetitions {params.repetitions}"
        " --log10-alpha {params.log10_alpha} --seed {params.seed}"
        " --csv {output.csv} --markdown {output.markdown} &> {log}"
