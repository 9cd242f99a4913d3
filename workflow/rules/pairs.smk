rule cut_pairs:
    input:
        elevation=raster_of("elevation"),
        imagery=raster_of("imagery"),
    output:
        elevation="results/pairs/{region}/elevation.npy",
        imagery="results/pairs/{region}/imagery.npy",
        base="results/pairs/{region}/base.npy",
        tiles="results/pairs/{region}/tiles.npy",
        index="results/pairs/{region}/tiles.parquet",
        provenance="results/pairs/{region}/provenance.json",
    log:
        "logs/cut_pairs/{region}.log",
    benchmark:
        "logs/cut_pairs/{region}.tsv"
    params:
        polygon=polygon,
        settings=stages.relevant(CONFIG, "cut"),
        code=stages.code("cut"),
    message:
        "cut pairs of {wildcards.region}"
    shell:
        command("cut") + "--region {wildcards.region:q} "
        "--elevation {input.elevation:q} --imagery {input.imagery:q} "
        '--output "$(dirname {output.provenance:q})" > {log:q} 2>&1'


# From the observed climate alone, so that no knob of a climate touches pairs or what is learnt from them.
rule add_temperature:
    input:
        pairs=PAIRS,
        elevation=PLANET_RASTER.format(body="earth", kind="elevation"),
        temperature=PLANET_RASTER.format(body="earth", kind="temperature"),
    output:
        temperature=TEMPERATURES,
        provenance="results/pairs/{region}/temperature.json",
    log:
        "logs/add_temperature/{region}.log",
    benchmark:
        "logs/add_temperature/{region}.tsv"
    params:
        code=stages.code("temperature"),
    message:
        "add temperature to pairs of {wildcards.region}"
    shell:
        command("add-temperature", configured=False) + "--elevation {input.elevation:q} "
        '--temperature {input.temperature:q} "$(dirname {input.pairs:q})" > {log:q} 2>&1'
