rule audit:
    # Judges what lies there: results as inputs would be repaired before anyone has looked at
    # them.  Without outputs it runs whenever it is asked for, and a failure deletes nothing.
    input:
        code=program("audit"),
    log:
        f"{RESULTS}/logs/audit.log",
    conda:
        "../../environment.yml"
    params:
        configuration=yaml.safe_dump(CONFIG, sort_keys=False),
        results=RESULTS,
        reference=f"results/reference{RESULTS.removeprefix('results')}",
        pages=[f"--markdown {RESULTS}/audit.md", f"--json {RESULTS}/audit.json"],
    shell:
        "folder=$(mktemp -d); trap 'rm -r $folder' EXIT; "
        "printf '%s' {params.configuration:q} > $folder/configuration.yaml; "
        # what every job would be, and what the workflow thinks of every output
        "{{ python -m snakemake --dry-run --forceall --printshellcmds --nocolor all"
        " --configfile $folder/configuration.yaml > $folder/jobs"
        " && python -m snakemake --summary all"
        " --configfile $folder/configuration.yaml > $folder/states; }} 2> {log}"
        " || {{ cat {log} >&2; exit 1; }}; "
        "python {input.code[0]} --jobs $folder/jobs --states $folder/states"
        " --configuration $folder/configuration.yaml --results {params.results}"
        " --reference {params.reference} {params.pages}"
