rule asymptotics:
    input:
        code=program("stages/asymptotics"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
        l1=PLAN.minimizers,
    output:
        f"{RESULTS}/asymptotics/{{problem}}/{{network}}/{{block}}.npz",
    log:
        f"{RESULTS}/logs/asymptotics/{{problem}}/{{network}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/asymptotics/{{problem}}/{{network}}/{{block}}.tsv"
    conda:
        "../../../environment.yml"
    params:
        content=content("stages/asymptotics"),
        depth=PLAN.depth,
    shell:
        "python {input.code[0]} --problems {input.problems} --l1 {input.l1} --output {output}"
        " --depth {params.depth} &> {log}"
