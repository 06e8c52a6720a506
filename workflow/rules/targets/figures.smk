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


def told(figure):
    """What a caption says of the experiment behind a figure, beside its block of configuration."""
    experiment = PLAN.experiment_of[figure]
    return {
        "experiment": experiment,
        "published": is_published(experiment),
        "problems": PLAN.in_words(experiment),
        "realistic": [CONFIG["realistic_alpha"][end] for end in ("smallest", "largest")],
    }


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
            **told(figure),  # for the caption
            content=content("figures/draw", *KIND_CODE, *STYLE),
            each=EACH,
            calls=batch.command_lines,
        shell:
            "python {params.each:q} {input.code[0]:q} --made {output:q} --each {params.calls:q} &> {log}"
