rule draw:
    input:
        weights=WEIGHTS,
        elevation=raster_of("elevation"),
    output:
        mosaic=MOSAIC,
        preview=f"results/mars/{CONFIG.run}/{{region}}/preview.jpg",
        item=f"results/mars/{CONFIG.run}/{{region}}/item.json",
    log:
        f"logs/mosaic/{CONFIG.run}/{{region}}.log",
    conda:
        "../../environment.yaml"
    threads: CPUS
    resources:
        gpu=GPUS,
    params:
        polygon=polygon,
        settings=stages.relevant(CONFIG, "mosaic"),
        code=stages.code("mosaic"),
    shell:
        command("generate") + "--weights {input.weights:q} "
        "--elevation {input.elevation:q} --region {wildcards.region:q} "
        '--output "$(dirname {output.mosaic:q})" > {log:q} 2>&1'
