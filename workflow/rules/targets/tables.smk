# .json: how the table was made
TABLES = expand(
    f"{RESULTS}/tables/{{table}}.{{kind}}",
    table=PLAN.tables,
    kind=["csv", "md", "tex", "html", "json"],
)


def shown(file):
    """An output of a table, its page for the report."""
    table, suffix = Path(file).stem, Path(file).suffix
    if suffix != ".html":
        return update(file)
    return report(
        update(file),
        category="Tables",
        caption=f"../../report/table_{PLAN.tables[table][0]}.rst",
        labels={"table": table},
    )


for batch in PLAN.table_batches().values():

    rule:
        name:
            batch.rule
        input:
            code=program("tables/write"),
            data=batch.inputs,
        output:
            list(map(shown, batch.outputs)),
        log:
            f"{RESULTS}/logs/{batch.place}.log",
        benchmark:
            f"{RESULTS}/benchmarks/{batch.place}.tsv"
        conda:
            "../../../environment.yml"
        params:
            content=content("tables/write"),
            each=EACH,
            calls=batch.command_lines,
        shell:
            "python {params.each:q} {input.code[0]:q} --made {output:q} --each {params.calls:q} &> {log}"
