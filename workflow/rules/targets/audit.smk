rule audit:
    # Judges what lies there: results as inputs would be repaired before anyone has looked at
    # them.  Without outputs it runs whenever it is asked for, and a failure deletes nothing.
    input:
        code=program("audit/judge"),
    log:
        f"{RESULTS}/logs/audit.log",
    conda:
        "../../../environment.yml"
    params:
        target=lambda wildcards: rules.all.rule.name,
        snakefile=lambda wildcards: str(Path(workflow.main_snakefile).resolve()),
        # of a workflow that has this one as a module only what its command line says: the rest is
        # for its own Snakefile to say
        configuration=yaml.safe_dump(
            dict(workflow.config_settings.overwrite_config) if IS_MODULE else CONFIG,
            sort_keys=False,
        ),
    shell:
        # asks the workflow itself what every job would be, and what it thinks of every output
        "python {input.code[0]:q} --snakefile {params.snakefile:q} --target {params.target}"
        " --configuration {params.configuration:q} --log {log}"
