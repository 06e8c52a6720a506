# What is kept in git of the default grid: made by this target, never by hand.
REFERENCE = {
    f"results/reference/{file.removeprefix('results/')}": file
    for file in FIGURES + TABLES
    if file.endswith((".png", ".csv"))
}

if RESULTS == "results":

    rule reference:
        input:
            list(REFERENCE.values()),
        output:
            list(REFERENCE),
        log:
            "results/logs/reference.log",
        conda:
            "../../environment.yml"
        shell:
            "for file in {input}; do cp $file results/reference/${{file#results/}}; done 2> {log}"
