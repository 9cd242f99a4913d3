rule sheet:
    input:
        "results/pairs/{region}/provenance.json",
    output:
        "results/pairs/{region}/sheet.jpg",
    log:
        "logs/sheet/{region}.log",
    conda:
        "../../environment.yaml"
    params:
        settings=stages.relevant(CONFIG, "sheet"),
        code=stages.code("sheet"),
    shell:
        command("sheet") + '--output {output:q} "$(dirname {input:q})" > {log:q} 2>&1'
