# what draws figures loads every kind, so that what is recorded of its code is the same for all
KIND_CODE = sorted({file for kind in plan.KINDS for file in program(f"figures/kinds/{kind}")})

# .csv: the numbers that are drawn; .json: how the figure was made
FIGURES = expand(
    f"{RESULTS}/figures/{{name}}.{{kind}}",
    name=PLAN.figure_of,
    kind=["pdf", "svg", "png", "csv", "json"],
)

for figure, experiment in PLAN.experiment_of.items():

    rule:
        name:
            f"figure_{figure}"
        input:
            code=program("figures/draw"),
            kinds=KIND_CODE,
            style="scripts/figures/house.mplstyle",
            data=PLAN.figure_data(figure),
        output:
            pdf=f"{RESULTS}/figures/{figure}.pdf",
            svg=f"{RESULTS}/figures/{figure}.svg",
            png=report(
                f"{RESULTS}/figures/{figure}.png",
                category="Figures",
                caption=f"../../report/figure_{PLAN.figure_of[figure]}.rst",
                labels={"figure": figure},
            ),
            csv=f"{RESULTS}/figures/{figure}.csv",
            origin=f"{RESULTS}/figures/{figure}.json",
        log:
            f"{RESULTS}/logs/figures/{figure}.log",
        benchmark:
            f"{RESULTS}/benchmarks/figures/{figure}.tsv"
        conda:
            "../../../environment.yml"
        params:
            content=content("figures/draw", *KIND_CODE, "scripts/figures/house.mplstyle"),
            rule=f"figure_{figure}",
            figure=PLAN.figure_of[figure],
            reach=PLAN.reach(figure),
            # for the caption
            experiment=experiment,
            problems=PLAN.in_words(experiment),
            realistic=[CONFIG["realistic_alpha"][end] for end in ("smallest", "largest")],
            configuration=PLAN.settings([experiment], PLAN.figure_data(figure), "realistic_alpha"),
        shell:
            "python {input.code[0]} --figure {params.figure} --style {input.style}"
            " --data {input.data} --realistic-alpha {params.realistic}"
            " {params.reach}"
            " --output {output.pdf} {output.svg} {output.png} --csv {output.csv}"
            " --origin {output.origin} --rule {params.rule}"
            " --configuration {params.configuration:q} &> {log}"
