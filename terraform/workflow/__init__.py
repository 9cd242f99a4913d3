"""What the Snakefile asks: the plan of a run, what each stage depends on, and what may be removed."""
