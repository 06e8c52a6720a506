rule limit:
    input:
        code=program("stages/limit"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
        l1=PLAN.minimizers,
    output:
        f"{RESULTS}/limit/{{problem}}/{{network}}/{{path}}/{{block}}.npz",
    log:
        f"{RESULTS}/logs/limit/{{problem}}/{{network}}/{{path}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/limit/{{problem}}/{{network}}/{{path}}/{{block}}.tsv"
    conda:
        "../../../environment.yml"
    params:
        content=content("stages/limit"),
        depth=PLAN.depth,
        log10_alpha=lambda wildcards: PLAN.paths[wildcards.path].log10_alpha,
        tolerance=CONFIG["limit"]["tolerance"],
    shell:
        "python {input.code[0]} --problems {input.problems} --l1 {input.l1} --output {output}"
        " --depth {params.depth} --log10-alpha {params.log10_alpha} --tolerance {params.tolerance}"
        " &> {log}"
