"""Every figure and table of the project: `snakemake --cores all`."""

import sys

from snakemake.utils import min_version

min_version("9.0")


# A configuration given on the command line replaces the default, it is not merged into it.
if not workflow.config_settings.configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/configuration.smk"
include: "workflow/rules/problems.smk"
include: "workflow/rules/l1.smk"
include: "workflow/rules/null_space.smk"
include: "workflow/rules/selection.smk"
include: "workflow/rules/limit.smk"
include: "workflow/rules/asymptotics.smk"
include: "workflow/rules/flow.smk"
include: "workflow/rules/agreement.smk"
include: "workflow/rules/lasso_path.smk"
include: "workflow/rules/rates.smk"
include: "workflow/rules/bounds.smk"
include: "workflow/rules/certificates.smk"
include: "workflow/rules/descent.smk"
include: "workflow/rules/phase.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/timings.smk"
include: "workflow/rules/growth.smk"
include: "workflow/rules/benchmark.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/reference.smk"
include: "workflow/rules/crate.smk"


report: "workflow/report/workflow.rst"


rule all:
    default_target: True
    input:
        FIGURES,
        TABLES,
        CERTIFICATES,
        f"{RESULTS}/configuration.yaml",
