# .csv: the numbers that are drawn; .json: how the figure was made
FIGURES = expand(
    f"{RESULTS}/figures/{{name}}.{{kind}}",
    name=PLAN.figure_of,
    kind=["pdf", "svg", "png", "csv", "json"],
)

for experiment in PLAN.figure_of:

    rule:
        name:
            f"figure_{experiment}"
        input:
            code=program("figures"),
            style="scripts/house.mplstyle",
            data=PLAN.figure_data(experiment),
        output:
            pdf=f"{RESULTS}/figures/{experiment}.pdf",
            svg=f"{RESULTS}/figures/{experiment}.svg",
            png=report(
                f"{RESULTS}/figures/{experiment}.png",
                category="Figures",
                caption=f"../report/figure_{PLAN.figure_of[experiment]}.rst",
                labels={"figure": experiment},
            ),
            csv=f"{RESULTS}/figures/{experiment}.csv",
            origin=f"{RESULTS}/figures/{experiment}.json",
        log:
            f"{RESULTS}/logs/figures/{experiment}.log",
        benchmark:
            f"{RESULTS}/benchmarks/figures/{experiment}.tsv"
        conda:
            "../../environment.yml"
        params:
            rule=f"figure_{experiment}",
            figure=PLAN.figure_of[experiment],
            realistic=[CONFIG["realistic_alpha"][end] for end in ("smallest", "largest")],
            configuration=PLAN.settings(
                [experiment], PLAN.figure_data(experiment), "realistic_alpha"
            ),
        shell:
            "python {input.code[0]} --figure {params.figure} --style {input.style}"
            " --data {input.data} --realistic-alpha {params.realistic}"
            " --output {output.pdf} {output.svg} {output.png} --csv {output.csv}"
            " --origin {output.origin} --rule {params.rule}"
            " --configuration {params.configuration:q} &> {log}"
