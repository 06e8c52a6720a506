"""Every figure and table of the project: `snakemake --cores all`."""

from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/common.smk"
include: "workflow/rules/targets/configuration.smk"
include: "workflow/rules/stages.smk"
include: "workflow/rules/targets/figures.smk"
include: "workflow/rules/targets/tables.smk"
include: "workflow/rules/targets/timings.smk"
include: "workflow/rules/targets/growth.smk"
include: "workflow/rules/targets/benchmark.smk"
include: "workflow/rules/targets/audit.smk"
include: "workflow/rules/targets/reference.smk"
include: "workflow/rules/targets/paper.smk"
include: "workflow/rules/targets/crate.smk"


report: "workflow/report/workflow.rst"


rule all:
    default_target: True
    input:
        FIGURES,
        TABLES,
        PLAN.proofs,
        PAPER_MADE,
        f"{RESULTS}/configuration.yaml",
