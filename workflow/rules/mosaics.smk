rule draw_mosaic:
    input:
        weights=WEIGHTS,
        elevation=raster_of("elevation"),
        base=base_of,
        climate=climate_of,
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
    conda:
        "../../environment.yaml"
    threads: CPUS
    resources:
        gpu=GPUS,
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
