"""Lint the Snakefile as `snakemake --lint` does, but for one complaint, with its exit code.

The complaint is that rules name neither a conda environment nor a container: every job runs in the environment that
Snakemake runs in (`make setup`, or `environment.yaml` made by hand).
"""

import sys

from snakemake.cli import main
from snakemake.linting.rules import RuleLinter

if __name__ == "__main__":
    del RuleLinter.lint_missing_software_definition
    main(["--lint", *sys.argv[1:]])
