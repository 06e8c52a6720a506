# What is kept in git: made by this target, never by hand.  Of the smoke grid the numbers alone, for
# an audit to compare with.  The configuration says of which grid they are, and of which captions say
# what is to be seen.
KEPT = (".csv",) if RESULTS == "results/smoke" else (".png", ".csv")
REFERENCE = {
    f"results/reference/{file.removeprefix('results/')}": file
    for file in [
        *(file for file in [*FIGURES, *TABLES] if file.endswith(KEPT)),
        f"{RESULTS}/configuration.yaml",
    ]
}


rule reference:
    input:
        code=program("export/keep"),
        # with it a folder of results says whose it is
        configuration=f"{RESULTS}/configuration.yaml",
        kept=list(REFERENCE.values()),
    output:
        list(REFERENCE),
    log:
        f"{RESULTS}/logs/reference.log",
    conda:
        "../../../environment.yml"
    shell:
        "python {input.code[0]:q} --kept {input.kept} --output {output} 2> {log}"
