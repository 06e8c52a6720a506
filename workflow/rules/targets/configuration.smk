rule configuration:
    # what the run used, with every default filled in
    output:
        report(
            f"{RESULTS}/configuration.yaml",
            category="Configuration",
            caption="../../report/configuration.rst",
        ),
    log:
        f"{RESULTS}/logs/configuration.log",
    conda:
        "../../../environment.yml"
    params:
        text=yaml.safe_dump(CONFIG, sort_keys=False),
    shell:
        "printf '%s' {params.text:q} > {output} 2> {log}"


if rules.configuration.output[0] != f"{RESULTS}/configuration.yaml":
    sys.exit(
        "A module's `prefix` is not possible here: key `results` of its configuration names a folder."
    )
