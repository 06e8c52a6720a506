rule timings:
    # not part of the default target: its numbers differ from run to run
    input:
        code=program("export/timings"),
        results=[*FIGURES, *TABLES],
    output:
        csv=f"{RESULTS}/timings.csv",
        markdown=f"{RESULTS}/timings.md",
    log:
        f"{RESULTS}/logs/timings.log",
    conda:
        "../../../environment.yml"
    params:
        content=content("export/timings"),
        benchmarks=f"{RESULTS}/benchmarks",
    shell:
        "python {input.code[0]:q} --benchmarks {params.benchmarks} --csv {output.csv}"
        " --markdown {output.markdown} 2> {log}"
