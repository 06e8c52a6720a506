# What the project runs with and its pages, packed beside the results: these files and folders.
PACKED = [
    *("AUDIT.md", "BENCHMARK.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "Makefile"),
    *("README.md", "Snakefile", "config", "docs", "environment.yml", "profiles", "pyproject.toml"),
    *(LOCK, "requirements.in", "scripts", "workflow"),
]
PROJECT = of_project(
    *sorted(
        str(file.relative_to(ROOT))
        for part in PACKED
        for file in [ROOT / part, *(ROOT / part).rglob("*")]
        if file.is_file() and file.parent.name != "__pycache__"
    )
)


rule crate:
    # not part of the default target: it holds the times of the run
    input:
        code=program("export/crate"),
        project=PROJECT,
        citation=of_project("CITATION.cff"),
        lock=of_project(LOCK),
        configuration=f"{RESULTS}/configuration.yaml",
        results=lambda wildcards: list(
            dict.fromkeys([*rules.all.input, *([] if PAPER_LACKS else PAPER)])
        ),
    output:
        f"{RESULTS}/crate.zip",
    log:
        f"{RESULTS}/logs/crate.log",
    conda:
        "../../../environment.yml"
    params:
        content=content("export/crate", *PROJECT),
    shell:
        "python {input.code[0]:q} --project {input.project:q} --results {input.results}"
        " --configuration {input.configuration} --lock {input.lock:q} --citation {input.citation:q}"
        " --output {output} 2> {log}"
