# Strips stay beside the mosaic, under the name of their part, until it is joined from them.
rule draw_strips:
    input:
        weights=WEIGHTS,
        elevation=raster_of("elevation"),
        base=base_of,
        tints=tints_of,
        climate=climate_of,
    output:
        temp(touch(STRIPS)),
    log:
        f"logs/draw_strips/{CONFIG.run}/{{region}}-{{part}}.log",
    benchmark:
        f"logs/draw_strips/{CONFIG.run}/{{region}}-{{part}}.tsv"
    threads: CPUS
    resources:
        gpu=MOSAIC_GPUS,
        mem_mb=6000,
        runtime=240,
    params:
        polygon=polygon,
        base=lambda wildcards, input: option("base", input.base),
        climate=lambda wildcards, input: option("climate", input.climate),
        mosaic=lambda wildcards: str(Path(MOSAIC.format(region=wildcards.region)).parent),
        settings=stages.relevant(CONFIG, "mosaic"),
        code=stages.code("mosaic"),
    message:
        f"draw strips {{wildcards.part}} of {CONFIG.mosaics.jobs} of {{wildcards.region}}"
    shell:
        command("generate") + "--weights {input.weights:q} "
        "--elevation {input.elevation:q} --region {wildcards.region:q} {params.base} {params.climate} "
        f"--part {{wildcards.part}}/{CONFIG.mosaics.jobs} "
        "--output {params.mosaic:q} > {log:q} 2>&1"


rule draw_mosaic:
    input:
        weights=WEIGHTS,
        elevation=raster_of("elevation"),
        base=base_of,
        tints=tints_of,
        climate=climate_of,
        strips=strips_of,
    output:
        mosaic=MOSAIC,
        preview=report(
            f"results/mars/{CONFIG.run}/{{region}}/preview.jpg", caption="../report/mosaic.rst", category="Mosaics"
        ),
        item=f"results/mars/{CONFIG.run}/{{region}}/item.json",
    log:
        f"logs/draw_mosaic/{CONFIG.run}/{{region}}.log",
    benchmark:
        f"logs/draw_mosaic/{CONFIG.run}/{{region}}.tsv"
    threads: CPUS
    resources:
        gpu=MOSAIC_GPUS if CONFIG.mosaics.jobs == 1 else 0,
        mem_mb=6000,
        runtime=240,
    params:
        polygon=polygon,
        base=lambda wildcards, input: option("base", input.base),
        climate=lambda wildcards, input: option("climate", input.climate),
        settings=stages.relevant(CONFIG, "mosaic"),
        code=stages.code("mosaic"),
    message:
        "draw mosaic of {wildcards.region}"
    shell:
        command("generate") + "--weights {input.weights:q} "
        "--elevation {input.elevation:q} --region {wildcards.region:q} {params.base} {params.climate} "
        '--output "$(dirname {output.mosaic:q})" > {log:q} 2>&1'
