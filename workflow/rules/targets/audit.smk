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
        workflow=asked_workflow,
    shell:
        # asks the workflow itself what every job would be, and what it thinks of every output
        "python {input.code[0]:q} {params.workflow} --log {log}"


rule tidy:
    # Removes what a value that was taken out has left, and nothing else: without outputs, like
    # the audit.  Here and not on a cluster, where nobody would read what it removes.
    input:
        code=program("audit/tidy"),
    log:
        f"{RESULTS}/logs/tidy.log",
    localrule: True
    conda:
        "../../../environment.yml"
    params:
        workflow=asked_workflow,
    shell:
        "python {input.code[0]:q} {params.workflow} --log {log}"
