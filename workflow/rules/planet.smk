# A whole body: its rasters, its climate, the base model that Earth teaches, its base colours.
rule fetch_planet:
    input:
        rasters=lambda wildcards: work.own_planet_rasters(CONFIG, wildcards.body, wildcards.kind),
    output:
        raster=PLANET_RASTER,
        provenance="resources/{body}/planet/{kind}.json",
    log:
        "logs/fetch_planet/{body}/{kind}.log",
    benchmark:
        "logs/fetch_planet/{body}/{kind}.tsv"
    retries: 2
    resources:
        attempt=lambda wildcards, attempt: attempt,
        downloads=lambda wildcards: work.planet_downloads(CONFIG, wildcards.body, wildcards.kind),
    params:
        source=lambda wildcards: stages.relevant_planet_source(CONFIG, wildcards.body, wildcards.kind),
        code=lambda wildcards: stages.planet_source_code(CONFIG, wildcards.body, wildcards.kind),
    message:
        "fetch {wildcards.kind} of the whole {wildcards.body}"
    shell:
        command("fetch") + "--planet {wildcards.body:q} "
        "--kind {wildcards.kind:q} --output {output.raster:q} --attempt {resources.attempt} > {log:q} 2>&1"


rule simulate_climate:
    input:
        elevation=planet_raster("elevation"),
        observed=observed_climate,
    output:
        climate=CLIMATE,
        temperature=report(f"{PLANET}/{{body}}/temperature.jpg", caption="../report/climate.rst", category="Planets"),
        precipitation=report(
            f"{PLANET}/{{body}}/precipitation.jpg", caption="../report/climate.rst", category="Planets"
        ),
        koeppen=report(f"{PLANET}/{{body}}/koeppen.png", caption="../report/climate.rst", category="Planets"),
    log:
        f"logs/simulate_climate/{CONFIG.run}/{{body}}.log",
    benchmark:
        f"logs/simulate_climate/{CONFIG.run}/{{body}}.tsv"
    params:
        observed=lambda wildcards, input: climate_options(input),
        settings=lambda wildcards: stages.relevant_climate(CONFIG, wildcards.body),
        code=stages.code("climate"),
    message:
        "simulate climate of {wildcards.body}"
    shell:
        command("simulate-climate") + "--body {wildcards.body:q} --elevation {input.elevation:q} "
        '{params.observed} --output "$(dirname {output.climate:q})" > {log:q} 2>&1'


# Validation and test regions, and a degree around them, are left out, or they would be held out no more.
rule fit_base_model:
    input:
        elevation=PLANET_RASTER.format(body="earth", kind="elevation"),
        imagery=PLANET_RASTER.format(body="earth", kind="imagery"),
        climate=CLIMATE.format(body="earth"),
        match=[
            RESOURCE.format(body="earth", region=name, what=what)
            for name in CONFIG.basemap.match
            for what in ("elevation", "imagery")
        ],
    output:
        model=BASE_MODEL,
        skill=report(f"{PLANET}/skill.json", caption="../report/skill.rst", category="Planets"),
    log:
        f"logs/fit_base_model/{CONFIG.run}.log",
    benchmark:
        f"logs/fit_base_model/{CONFIG.run}.tsv"
    threads: min(2, CPUS)
    params:
        match=[f"--match resources/earth/{shlex.quote(name)}" for name in CONFIG.basemap.match],
        held_out=[f"--leave-out {shlex.quote(name)}" for name in HELD_OUT],
        polygons=[PLAN.regions[name].fingerprint for name in HELD_OUT],
        settings=stages.relevant(CONFIG, "base model"),
        code=stages.code("base model"),
    message:
        f"fit base model of run {CONFIG.run}"
    shell:
        command("fit-base-model") + "--elevation {input.elevation:q} "
        "--imagery {input.imagery:q} --climate {input.climate:q} {params.match} {params.held_out} "
        '--output "$(dirname {output.model:q})" > {log:q} 2>&1'


rule draw_base_colours:
    input:
        model=BASE_MODEL,
        elevation=planet_raster("elevation"),
        climate=CLIMATE,
    output:
        base=BASE_COLOURS,
        tints=TINTS,
        preview=report(f"{PLANET}/{{body}}/preview.jpg", caption="../report/base.rst", category="Planets"),
    log:
        f"logs/draw_base_colours/{CONFIG.run}/{{body}}.log",
    benchmark:
        f"logs/draw_base_colours/{CONFIG.run}/{{body}}.tsv"
    threads: min(2, CPUS)
    params:
        settings=stages.relevant(CONFIG, "base colours"),
        code=stages.code("base colours"),
    message:
        "draw base colours of {wildcards.body}"
    shell:
        command("draw-base-colours") + "--base-model {input.model:q} "
        "--elevation {input.elevation:q} --climate {input.climate:q} "
        '--output "$(dirname {output.base:q})" > {log:q} 2>&1'
