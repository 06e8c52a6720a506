rule l1:
    input:
        code=program("stages/l1"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
    output:
        f"{RESULTS}/l1/{{problem}}/{{block}}.npz",
    log:
        f"{RESULTS}/logs/l1/{{problem}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/l1/{{problem}}/{{block}}.tsv"
    conda:
        "../../../environment.yml"
    params:
        **CONFIG["l1"],
        content=content("stages/l1"),
    shell:
        "python {input.code[0]} --problems {input.problems} --output {output}"
        " --solver {params.solver} --nonunique {params.nonunique} &> {log}"
