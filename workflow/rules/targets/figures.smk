# what draws figures loads every kind, so that what is recorded of its code is the same for all
KIND_CODE = of_project("scripts/figures/kinds/__init__.py")
KIND_CODE += sorted({file for kind in plan.KINDS for file in program(f"figures/kinds/{kind}")})
STYLE = of_project("scripts/figures/house.mplstyle")

# .csv: the numbers that are drawn; .json: how the figure was made
FIGURES = expand(
    f"{RESULTS}/figures/{{name}}.{{kind}}",
    name=PLAN.figure_of,
    kind=["pdf", "svg", "png", "csv", "json"],
)

# the configuration behind results/reference: what is to be seen on its grid is said of no other
PUBLISHED = ROOT / "results/reference/configuration.yaml"
PUBLISHED = reading.load(PUBLISHED) if PUBLISHED.is_file() else {"experiments": {}}


def is_published(experiment):
    """Whether an experiment is that of the published figures."""
    common = all(CONFIG[key] == PUBLISHED.get(key) for key in ("seed", "signal", "noise"))
    return common and CONFIG["experiments"][experiment] == PUBLISHED["experiments"].get(experiment)


def drawn(file):
    """An output of a figure, its picture for the report."""
    figure, suffix = Path(file).stem, Path(file).suffix
    if suffix != ".png":
        return update(file)
    return report(
        update(file),
        category="Figures",
        caption=f"../../report/figure_{PLAN.figure_of[figure]}.rst",
        labels={"figure": figure},
    )


for figure, batch in PLAN.figure_batches().items():

    rule:
        name:
            batch.rule
        input:
            code=program("figures/draw"),
            kinds=KIND_CODE,
            data=batch.inputs,
            style=STYLE,
        output:
            list(map(drawn, batch.outputs)),
        log:
            f"{RESULTS}/logs/{batch.place}.log",
        benchmark:
            f"{RESULTS}/benchmarks/{batch.place}.tsv"
        conda:
            "../../../environment.yml"
        params:
            content=content("figures/draw", *KIND_CODE, *STYLE),
            calls=batch.command_lines,
            # for the caption
            experiment=PLAN.experiment_of[figure],
            published=is_published(PLAN.experiment_of[figure]),
            problems=PLAN.in_words(PLAN.experiment_of[figure]),
            realistic=[CONFIG["realistic_alpha"][end] for end in ("smallest", "largest")],
        shell:
            "python {input.code[0]:q} --each {params.calls:q} &> {log}"
