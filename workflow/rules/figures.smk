def figure_data(name):
    """The tidy tables that a figure reads."""
    cells, figure = EXPERIMENTS[name], CONFIG["experiments"][name]["figure"]
    if figure == "flow":
        return [
            file
            for cell in cells
            for files in flow_files(cell, FLOW_ALPHA[cell], "flow", "parquet").values()
            for file in files
        ]
    return rates_of(cells, "curves") + rates_of(cells, "instances")


FIGURES = expand(
    f"{RESULTS}/figures/{{name}}.{{kind}}", name=EXPERIMENTS, kind=["pdf", "svg", "png"]
)

for experiment in EXPERIMENTS:

    rule:
        name:
            f"figure_{experiment}"
        input:
            code=program("figures"),
            style="scripts/house.mplstyle",
            data=figure_data(experiment),
        output:
            pdf=f"{RESULTS}/figures/{experiment}.pdf",
            svg=f"{RESULTS}/figures/{experiment}.svg",
            png=report(
                f"{RESULTS}/figures/{experiment}.png",
                category="Figures",
                caption=f"../report/figure_{CONFIG['experiments'][experiment]['figure']}.rst",
                labels={"figure": experiment},
            ),
        log:
            f"{RESULTS}/logs/figures/{experiment}.log",
        benchmark:
            f"{RESULTS}/benchmarks/figures/{experiment}.tsv"
        conda:
            "../../environment.yml"
        params:
            figure=CONFIG["experiments"][experiment]["figure"],
            realistic=[CONFIG["realistic_alpha"][end] for end in ("smallest", "largest")],
        shell:
            "python {input.code[0]} --figure {params.figure} --style {input.style}"
            " --data {input.data} --realistic-alpha {params.realistic}"
            " --output {output.pdf} {output.svg} {output.png} &> {log}"
