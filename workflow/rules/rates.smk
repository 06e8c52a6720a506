CELL_BY_NAME = {f"{cell.name}/reps{cell.repetitions}": cell for cell in CELLS}
RATES = f"{RESULTS}/rates/{{problem}}/D{{depth}}/{{path}}/reps{{repetitions}}"


def rates_cell(wildcards):
    return CELL_BY_NAME["{problem}/D{depth}/{path}/reps{repetitions}".format_map(vars(wildcards))]


def rates_blocks(stage):
    def files(wildcards):
        cell = rates_cell(wildcards)
        folder = {
            "limit": cell.name,
            "asymptotics": f"{cell.problem.name}/D{grid.number(cell.depth)}",
        }.get(stage, cell.problem.name)
        return [f"{RESULTS}/{stage}/{folder}/{block}.npz" for block in blocks(cell)]

    return files


def rates_window(wildcards):
    """The window of the fit, as an option; none where log(1/alpha) is log-spaced."""
    if wildcards.path.startswith("decades"):
        return ""
    window = CONFIG["rates"]["window"]
    return f"--window {window['smallest']} {window['largest']}"


rule rates:
    input:
        code=program("rates"),
        l1=rates_blocks("l1"),
        null_space=rates_blocks("null_space"),
        limit=rates_blocks("limit"),
        asymptotics=rates_blocks("asymptotics"),
    output:
        instances=f"{RATES}/instances.parquet",
        points=f"{RATES}/points.parquet",
        curves=f"{RATES}/curves.parquet",
    log:
        f"{RESULTS}/logs/rates/{{problem}}/D{{depth}}/{{path}}/reps{{repetitions}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/rates/{{problem}}/D{{depth}}/{{path}}/reps{{repetitions}}.tsv"
    conda:
        "../../environment.yml"
    params:
        cell=lambda wildcards: cell_columns(rates_cell(wildcards)),
        window=rates_window,
        onset_tolerance=CONFIG["rates"]["onset_tolerance"],
        bootstrap=CONFIG["rates"]["bootstrap"],
        confidence=CONFIG["rates"]["confidence"],
        seed=CONFIG["seed"],
    shell:
        "python {input.code[0]} --l1 {input.l1} --null-space {input.null_space}"
        " --limit {input.limit} --asymptotics {input.asymptotics}"
        " --instances {output.instances} --points {output.points} --curves {output.curves}"
        " --cell {params.cell:q} {params.window}"
        " --onset-tolerance {params.onset_tolerance} --bootstrap {params.bootstrap}"
        " --confidence {params.confidence} --seed {params.seed} &> {log}"
