rule fetch_raster:
    input:
        edited=lambda wildcards: work.marks(region_of(wildcards)),
        rasters=lambda wildcards: work.own_rasters(CONFIG, region_of(wildcards), wildcards.what),
    output:
        raster="resources/{body}/{region}/{what}.tif",
        provenance="resources/{body}/{region}/{what}.json",
    log:
        "logs/fetch_raster/{body}/{region}/{what}.log",
    benchmark:
        "logs/fetch_raster/{body}/{region}/{what}.tsv"
    retries: 2  # for jobs that are killed; what a service refused is not asked again before the next run
    resources:
        attempt=lambda wildcards, attempt: attempt,
        downloads=lambda wildcards: work.downloads(CONFIG, wildcards.body, wildcards.what),
    params:
        polygon=polygon,
        source=lambda wildcards: source_settings(wildcards.body, wildcards.what),
        code=lambda wildcards: source_code(wildcards.body, wildcards.what),
    message:
        "fetch {wildcards.what} of {wildcards.region}"
    shell:
        command("fetch") + "--region {wildcards.region:q} "
        "--what {wildcards.what:q} --output {output.raster:q} --attempt {resources.attempt} > {log:q} 2>&1"
