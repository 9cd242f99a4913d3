# Mars in the browser. Its tiles are kept between runs: a folder, not a declared output, so that they are resumed.
VIEWED = [name for name in PLAN.mosaics if PLAN.regions[name].body.name == "mars"]
COMPARED = [name for name in PLAN.mosaics if name not in VIEWED] or [*PLAN.testing, *CONFIG.split.validation][:1]


rule export_viewer:
    input:
        base=BASE_COLOURS.format(body="mars"),
        climate=CLIMATE.format(body="mars"),
        elevation=PLANET_RASTER.format(body="mars", kind="elevation"),
        mosaics=expand(MOSAIC, region=VIEWED + COMPARED),
        elevations=[RESOURCE.format(body="mars", region=name, what="elevation") for name in VIEWED],
        imagery=[RESOURCE.format(body="earth", region=name, what="imagery") for name in COMPARED],
    output:
        VIEWER,
    log:
        "logs/export_viewer.log",
    benchmark:
        "logs/export_viewer.tsv"
    threads: CPUS
    params:
        mosaics=lambda wildcards, input: [f"--mosaic {shlex.quote(str(Path(path).parent))}" for path in input.mosaics],
        downloads=lambda wildcards, input: [
            f"--download {shlex.quote(str(Path(path).parent))}" for path in [*input.elevations, *input.imagery]
        ],
        titles=[PLAN.regions[name].title for name in VIEWED + COMPARED],
        settings=[CONFIG.mosaics.elevation.shoreline_m, CONFIG.viewer.from_cog],
        code=stages.viewer_code(),
    message:
        "export viewer"
    shell:
        command("export-viewer") + "--base {input.base:q} --climate {input.climate:q} "
        "--elevation {input.elevation:q} {params.mosaics} {params.downloads} "
        '--output "$(dirname {output:q})" > {log:q} 2>&1'
