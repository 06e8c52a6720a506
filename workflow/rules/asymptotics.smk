rule asymptotics:
    input:
        code=program("asymptotics"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
        l1=f"{RESULTS}/l1/{{problem}}/{{block}}.npz",
    output:
        f"{RESULTS}/asymptotics/{{problem}}/D{{depth}}/{{block}}.npz",
    log:
        f"{RESULTS}/logs/asymptotics/{{problem}}/D{{depth}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/asymptotics/{{problem}}/D{{depth}}/{{block}}.tsv"
    conda:
        "../../environment.yml"
    shell:
        "python {input.code[0]} --problems {input.problems} --l1 {input.l1} --output {output}"
        " --depth {wildcards.depth} &> {log}"
