# From nothing to a terraformed Mars. Targets: pairs, train (the default), planet, mosaics, evaluate, report, viewer, all.
from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/common.smk"


rule train:
    input:
        WEIGHTS,
        expand(SHEET, region=PLAN.learning),


rule pairs:
    input:
        expand(PAIRS, region=PLAN.paired),
        expand(SHEET, region=PLAN.paired),


rule planet:
    input:
        expand(BASE_COLOURS, body=CONFIG.planet.bodies),
        expand(CLIMATE, body=CONFIG.planet.bodies),


rule mosaics:
    input:
        expand(MOSAIC, region=PLAN.mosaics),


rule evaluate:
    input:
        METRICS,


rule report:
    input:
        REPORT,


# Not part of `all`: a picture of the whole planet and its tiles take a minute.
rule viewer:
    input:
        VIEWER,


rule all:
    input:
        rules.train.input,
        rules.pairs.input,
        rules.planet.input,
        rules.mosaics.input,
        rules.evaluate.input,
        rules.report.input,


include: "workflow/rules/sources.smk"
include: "workflow/rules/pairs.smk"
include: "workflow/rules/planet.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/mosaics.smk"
include: "workflow/rules/show.smk"
include: "workflow/rules/viewer.smk"
