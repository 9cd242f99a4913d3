# With several processes each gets its part of the threads: the system's word would let each take all.
PARTS_OF_THREADS = (
    "" if CONFIG.train.gpus == 1 else f"export OMP_NUM_THREADS=$(( ({{threads}} - 1) / {CONFIG.train.gpus} + 1 )); "
)


# Pairs of test regions are read to leave out what overlaps them.
# The history, the plots and the state of a run are no declared outputs: Snakemake would delete them before a job that
# goes on after a kill, and after a failure, when they say what went wrong.
rule train_generator:
    input:
        pairs=expand(PAIRS, region=PLAN.paired),
        temperatures=temperatures,
        tints=earth_tints,
        start=CONFIG.train.start_from or [],
    output:
        weights=WEIGHTS,
        card=f"results/model/{CONFIG.run}/card.md",
    log:
        f"logs/train_generator/{CONFIG.run}.log",
    benchmark:
        f"logs/train_generator/{CONFIG.run}.tsv"
    threads: CPUS
    resources:
        gpu=TRAIN_GPUS,
        mem_mb=6000 * CONFIG.train.gpus,
        runtime=24 * 60,
    params:
        folders=folders,
        tints=lambda wildcards, input: option("tints", input.tints),
        settings=stages.relevant(CONFIG, "train"),
        code=stages.code("train"),
    message:
        f"train generator of run {CONFIG.run}"
    shell:
        PARTS_OF_THREADS
        + command("train", processes=CONFIG.train.gpus)
        + '{params.tints} --output "$(dirname {output.weights:q})" {params.folders:q} > {log:q} 2>&1'


# Base colours are those that the base model predicts without the held-out regions, not the imagery's own.
rule evaluate_generator:
    input:
        weights=WEIGHTS,
        pairs=expand(PAIRS, region=PLAN.paired),
        base=[] if CONFIG.train.base == "none" else BASE_COLOURS.format(body="earth"),
        temperatures=temperatures,
        tints=earth_tints,
        rivals=list(CONFIG.evaluation.rivals.values()),
        seeds=CONFIG.evaluation.seeds,
        mosaics=expand(MOSAIC, region=JUDGED_MOSAICS),
        reliefs=expand(RESOURCE, body="mars", region=JUDGED_MOSAICS, what="elevation"),
        climates=judged_climates(),
    output:
        report(METRICS, caption="../report/metrics.rst", category="Evaluation"),
    log:
        f"logs/evaluate_generator/{CONFIG.run}.log",
    benchmark:
        f"logs/evaluate_generator/{CONFIG.run}.tsv"
    threads: CPUS
    resources:
        gpu=GPUS,
    params:
        folders=folders,
        base=lambda wildcards, input: option("base", input.base),
        mars=mars_options,
        settings=stages.relevant(CONFIG, "evaluate"),
        code=stages.code("evaluate"),
    message:
        f"evaluate generator of run {CONFIG.run}"
    shell:
        command("evaluate") + "--weights {input.weights:q} {params.base} {params.mars} "
        '--output "$(dirname {output:q})" {params.folders:q} > {log:q} 2>&1'
