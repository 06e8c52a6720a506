CERTIFICATES = PLAN.certificates(PLAN.cells_of(*plan.PROVED))


rule certificates:
    # what does not depend on depth and scale: g*, rho, rho~
    input:
        code=program("stages/certificates"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
        l1=f"{RESULTS}/l1/{{problem}}/{{block}}.npz",
        null_space=f"{RESULTS}/null_space/{{problem}}/{{block}}.npz",
    output:
        f"{RESULTS}/certificates/{{problem}}/{{block}}.parquet",
    log:
        f"{RESULTS}/logs/certificates/{{problem}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/certificates/{{problem}}/{{block}}.tsv"
    conda:
        "../../../environment.yml"
    params:
        content=content("stages/certificates"),
        cell=lambda wildcards: PLAN.columns(wildcards.problem),
        radius=CONFIG["certificates"]["radius"],
    shell:
        "python {input.code[0]} --problems {input.problems} --l1 {input.l1}"
        " --null-space {input.null_space} --output {output} --cell {params.cell:q}"
        " --radius {params.radius} &> {log}"


rule limit_certificates:
    input:
        code=program("stages/certificates"),
        problems=f"{RESULTS}/problems/{{problem}}/{{block}}.npz",
        l1=f"{RESULTS}/l1/{{problem}}/{{block}}.npz",
        limit=f"{RESULTS}/limit/{{problem}}/{{network}}/{{path}}/{{block}}.npz",
        asymptotics=f"{RESULTS}/asymptotics/{{problem}}/{{network}}/{{block}}.npz",
    output:
        f"{RESULTS}/certificates/{{problem}}/{{network}}/{{path}}/{{block}}.parquet",
    log:
        f"{RESULTS}/logs/certificates/{{problem}}/{{network}}/{{path}}/{{block}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/certificates/{{problem}}/{{network}}/{{path}}/{{block}}.tsv"
    conda:
        "../../../environment.yml"
    params:
        content=content("stages/certificates"),
        cell=lambda w: PLAN.columns(w.problem, w.network, path=w.path),
        depth=PLAN.depth,
        log10_alpha=lambda wildcards: PLAN.certified_scales(wildcards.path),
        radius=CONFIG["certificates"]["radius"],
    shell:
        "python {input.code[0]} --problems {input.problems} --l1 {input.l1} --limit {input.limit}"
        " --asymptotics {input.asymptotics} --output {output} --cell {params.cell:q}"
        " --depth {params.depth} --log10-alpha {params.log10_alpha}"
        " --radius {params.radius} &> {log}"
