# .json: how the table was made
TABLES = expand(
    f"{RESULTS}/tables/{{table}}.{{kind}}",
    table=PLAN.tables,
    kind=["csv", "md", "tex", "html", "json"],
)

for table, (kind, shown) in PLAN.tables.items():

    rule:
        name:
            f"table_{table}"
        input:
            code=program("tables/write"),
            data=PLAN.table_data(table),
            certificates=PLAN.table_certificates(table),
        output:
            html=report(
                f"{RESULTS}/tables/{table}.html",
                category="Tables",
                caption=f"../../report/table_{kind}.rst",
                labels={"table": table},
            ),
            csv=f"{RESULTS}/tables/{table}.csv",
            markdown=f"{RESULTS}/tables/{table}.md",
            latex=f"{RESULTS}/tables/{table}.tex",
            origin=f"{RESULTS}/tables/{table}.json",
        log:
            f"{RESULTS}/logs/tables/{table}.log",
        benchmark:
            f"{RESULTS}/benchmarks/tables/{table}.tsv"
        conda:
            "../../../environment.yml"
        params:
            content=content("tables/write"),
            rule=f"table_{table}",
            table=kind,
            configuration=PLAN.settings(
                shown, PLAN.table_data(table) + PLAN.table_certificates(table)
            ),
        shell:
            "python {input.code[0]} --table {params.table} --input {input.data}"
            " --certificates {input.certificates}"
            " --csv {output.csv} --markdown {output.markdown} --latex {output.latex}"
            " --html {output.html} --origin {output.origin} --rule {params.rule}"
            " --configuration {params.configuration:q} &> {log}"
