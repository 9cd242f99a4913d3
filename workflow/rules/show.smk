rule draw_sheet:
    input:
        "results/pairs/{region}/provenance.json",
    output:
        report("results/pairs/{region}/sheet.jpg", caption="../report/sheet.rst", category="Pairs"),
    log:
        "logs/draw_sheet/{region}.log",
    conda:
        "../../environment.yaml"
    params:
        settings=stages.relevant(CONFIG, "sheet"),
        code=stages.code("sheet"),
    message:
        "draw sheet of {wildcards.region}"
    shell:
        command("sheet") + '--output {output:q} "$(dirname {input:q})" > {log:q} 2>&1'
