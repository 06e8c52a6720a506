# The stages: for each batch of calls of one stage's program (planning/stages.py) a rule.  A job
# keeps the outputs of its calls that are as they would be made, so they are marked `update`.
for stage, about in STAGES.items():
    for batch in PLAN.batches(stage):

        rule:
            name:
                batch.rule
            input:
                code=program(f"stages/{about.program}"),
                files=batch.inputs,
                data=batch.data,
            output:
                list(map(update, batch.outputs)),
            log:
                f"{RESULTS}/logs/{batch.place}.log",
            benchmark:
                f"{RESULTS}/benchmarks/{batch.place}.tsv"
            conda:
                "../../environment.yml"
            resources:
                mem_mb=doubled(about.megabytes),
                runtime=doubled(about.minutes * len(batch.calls)),
            params:
                content=content(f"stages/{about.program}", *batch.data),
                each=EACH,
                calls=batch.command_lines,
            shell:
                "python {params.each:q} {input.code[0]:q} --made {output:q} --each {params.calls:q} &> {log}"
