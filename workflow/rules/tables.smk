TABLE_DATA = PLAN.table_data()
FEEDING = PLAN.feeding()
# .json: how the table was made
TABLES = expand(
    f"{RESULTS}/tables/{{table}}.{{kind}}",
    table=TABLE_DATA,
    kind=["csv", "md", "tex", "html", "json"],
)

for table in TABLE_DATA:

    rule:
        name:
            f"table_{table}"
        input:
            code=program("tables"),
            data=TABLE_DATA[table],
            certificates=PLAN.table_certificates(table),
        output:
            html=report(
                f"{RESULTS}/tables/{table}.html",
                category="Tables",
                caption=f"../report/table_{table}.rst",
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
            "../../environment.yml"
        params:
            rule=f"table_{table}",
            table=table,
            configuration=PLAN.settings(
                FEEDING[table], TABLE_DATA[table] + PLAN.table_certificates(table)
            ),
        shell:
            "python {input.code[0]} --table {params.table} --input {input.data}"
            " --certificates {input.certificates}"
            " --csv {output.csv} --markdown {output.markdown} --latex {output.latex}"
            " --html {output.html} --origin {output.origin} --rule {params.rule}"
            " --configuration {params.configuration:q} &> {log}"
