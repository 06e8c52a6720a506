rule null_space:
    input:
        code=program("stages/null_space"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
        l1=f"{RESULTS}/l1/{{problem}}/{{block}}.npz",
    output:
        f"{RESULTS}/null_space/{{problem}}/{{block}}.npz",
    log:
        f"{RESULTS}/logs/null_space/{{problem}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/null_space/{{problem}}/{{block}}.tsv"
    conda:
        "../../../environment.yml"
    params:
        **CONFIG["null_space"],
        content=content("stages/null_space"),
    shell:
        "python {input.code[0]} --problems {input.problems} --l1 {input.l1} --output {output}"
        " --enumerate-up-to {params.enumerate_up_to} --milp-nodes {params.milp_nodes} &> {log}"
