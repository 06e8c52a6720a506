LASSO_PATH = "{problem}/{network}/alpha{alpha}/{block}"


rule lasso_path:
    input:
        code=program("stages/lasso_path"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
    output:
        f"{RESULTS}/lasso_path/{LASSO_PATH}.parquet",
    log:
        f"{RESULTS}/logs/lasso_path/{LASSO_PATH}.log",
    benchmark:
        f"{RESULTS}/benchmarks/lasso_path/{LASSO_PATH}.tsv"
    conda:
        "../../../environment.yml"
    params:
        content=content("stages/lasso_path"),
        cell=lambda wildcards: PLAN.columns(wildcards.problem, wildcards.network),
        depth=PLAN.depth,
        rtol=CONFIG["flow"]["rtol"],
    shell:
        # three decades of mu: further down both are near the l1 minimizer
        "python {input.code[0]} --problems {input.problems} --output {output}"
        " --cell {params.cell:q} --depth {params.depth} --alpha {wildcards.alpha}"
        " --rtol {params.rtol} --decades 3 --per-decade 40 &> {log}"
