def figure_data(name):
    """The tidy tables that a figure reads."""
    figure = FIGURE_OF[name]
    if figure == "phase":
        return phase_files(name)
    cells = EXPERIMENTS[name]
    if figure in ("bounds", "tightness"):
        return bounds_of(cells)
    if figure in ("flow", "descent"):
        alphas = CONFIG["experiments"][name]["alpha"]
        of_alpha = [flow_files(cell, alphas, figure, "parquet") for cell in cells]
        return [file for files in of_alpha for at in files.values() for file in at]
    return rates_of(cells, "curves") + rates_of(cells, "instances")


FIGURES = expand(f"{RESULTS}/figures/{{name}}.{{kind}}", name=FIGURE_OF, kind=["pdf", "svg", "png"])

for experiment in FIGURE_OF:

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
                caption=f"../report/figure_{FIGURE_OF[experiment]}.rst",
                labels={"figure": experiment},
            ),
        log:
            f"{RESULTS}/logs/figures/{experiment}.log",
        benchmark:
            f"{RESULTS}/benchmarks/figures/{experiment}.tsv"
        conda:
            "../../environment.yml"
        params:
            figure=FIGURE_OF[experiment],
            realistic=[CONFIG["realistic_alpha"][end] for end in ("smallest", "largest")],
        shell:
            "python {input.code[0]} --figure {params.figure} --style {input.style}"
            " --data {input.data} --realistic-alpha {params.realistic}"
            " --output {output.pdf} {output.svg} {output.png} &> {log}"
