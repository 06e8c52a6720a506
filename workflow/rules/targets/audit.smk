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
        configuration=yaml.safe_dump(CONFIG, sort_keys=False),
    shell:
        # asks the workflow itself what every job would be, and what it thinks of every output
        "python {input.code[0]} --configuration {params.configuration:q} --log {log}"
