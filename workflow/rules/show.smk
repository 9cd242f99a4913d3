rule draw_sheet:
    input:
        "results/pairs/{region}/provenance.json",
    output:
        sheet=report("results/pairs/{region}/sheet.jpg", caption="../report/sheet.rst", category="Pairs"),
        card="results/pairs/{region}/card.md",
    log:
        "logs/draw_sheet/{region}.log",
    benchmark:
        "logs/draw_sheet/{region}.tsv"
    params:
        settings=stages.relevant(CONFIG, "sheet"),
        code=stages.code("sheet"),
    message:
        "draw sheet of {wildcards.region}"
    shell:
        command("sheet") + '--output {output.sheet:q} --card {output.card:q} "$(dirname {input:q})" > {log:q} 2>&1'


# All that `all` makes, so that a page says nothing of a part that is still to come.
rule write_report:
    input:
        weights=WEIGHTS,
        metrics=METRICS,
        sheets=expand(SHEET, region=PLAN.paired),
        planets=expand([BASE_COLOURS, CLIMATE], body=CONFIG.planet.bodies),
        mosaics=expand(MOSAIC, region=PLAN.mosaics),
    output:
        report(REPORT, caption="../report/report.rst", category="Report"),
    log:
        f"logs/write_report/{CONFIG.run}.log",
    params:
        again=work.how_to_repeat(workflow.overwrite_configfiles, workflow.config_settings.config),
        settings=CONFIG_FILE.name,
        code=stages.report_code(),
    message:
        f"write report of run {CONFIG.run}"
    shell:
        command("report") + "--command {params.again:q} --output {output:q} > {log:q} 2>&1"
