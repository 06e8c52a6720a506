rule limit:
    input:
        code=program("limit"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
        l1=f"{RESULTS}/l1/{{problem}}/{{block}}.npz",
    output:
        f"{RESULTS}/limit/{{problem}}/D{{depth}}/{{path}}/{{block}}.npz",
    log:
        f"{RESULTS}/logs/limit/{{problem}}/D{{depth}}/{{path}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/limit/{{problem}}/D{{depth}}/{{path}}/{{block}}.tsv"
    conda:
        "../../environment.yml"
    params:
        log10_alpha=lambda wildcards: PLAN.paths[wildcards.path].log10_alpha,
        tolerance=CONFIG["limit"]["tolerance"],
    shell:
        "python {input.code[0]} --problems {input.problems} --l1 {input.l1} --output {output}"
        " --depth {wildcards.depth} --log10-alpha {params.log10_alpha} --tolerance {params.tolerance}"
        " &> {log}"
