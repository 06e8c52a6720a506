# What is kept in git: made by this target, never by hand.  Of the default grid with pictures;
# of others the numbers, for an audit to compare with.
KEPT = (".png", ".csv") if RESULTS == "results" else (".csv",)
REFERENCE = {
    f"results/reference/{file.removeprefix('results/')}": file
    for file in FIGURES + TABLES
    if file.endswith(KEPT)
}
if RESULTS == "results":  # of which captions say what is to be seen
    REFERENCE["results/reference/configuration.yaml"] = f"{RESULTS}/configuration.yaml"


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
