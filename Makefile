# Two commands: `make train` from nothing to a trained generator, `make test` for the tests.
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null)
BIN := .venv/bin
CORES ?= 8
RASTERS ?= rasters

# Packages are installed uncompiled: what is imported is compiled once, and not again in each of hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

PYTHONS := 3.11 3.12 3.13

.PHONY: setup train planet mosaics viewer view real models-base models-generator models-encoder test test-all $(PYTHONS:%=test-%) \
  lint lint-page schema bench mutants fuzz kills

setup: .venv/.ok

# $(call install,FOLDER,PYTHON)
define install
	test -x $(1)/bin/python || $(if $(UV),uv venv -q --python $(2) $(1),$(2) -m venv $(1))
	$(if $(UV),VIRTUAL_ENV=$(1) uv pip install -q,$(1)/bin/pip install -q --no-compile) -c requirements.lock -e '.[dev,onnx,board,slurm,drawings]'
	touch $(1)/.ok
endef

.venv/.ok: pyproject.toml requirements.lock
	$(call install,.venv,$(PYTHON))

train planet mosaics viewer: setup
	$(BIN)/snakemake --cores $(CORES) $@

# In the browser, after `make mosaics`.
view: viewer
	$(BIN)/python -m terraform view

# On real rasters, judged against docs/real.md: make real RASTERS=FOLDER
real: setup
	$(BIN)/python -m benchmarks.real $(RASTERS) --cores $(CORES)

# The published base model and base maps, from real rasters: make models-base RASTERS=FOLDER
models-base: setup
	$(BIN)/snakemake --cores $(CORES) planet --configfile workflow/config/files.yaml workflow/config/base-models.yaml \
	  --config rasters=$(RASTERS)
	$(BIN)/python -m terraform publish-base results/planet/base-models --output models \
	  --made-by 'make models-base RASTERS=FOLDER'

# The published detail generator, four hours of one core: make models-generator RASTERS=FOLDER
models-generator: setup
	$(BIN)/snakemake --cores $(CORES) train \
	  --configfile workflow/config/files.yaml workflow/config/published-first.yaml --config rasters=$(RASTERS)
	$(BIN)/snakemake --cores $(CORES) train \
	  --configfile workflow/config/files.yaml workflow/config/published-second.yaml --config rasters=$(RASTERS)
	$(BIN)/snakemake --cores $(CORES) train \
	  --configfile workflow/config/files.yaml workflow/config/published-third.yaml --config rasters=$(RASTERS)
	$(BIN)/snakemake --cores $(CORES) evaluate mosaics \
	  --configfile workflow/config/files.yaml workflow/config/published.yaml --config rasters=$(RASTERS)
	$(BIN)/python -m terraform publish-generator --weights results/model/published/weights.safetensors \
	  --output models/generator.safetensors --made-by 'make models-generator RASTERS=FOLDER'

# The published encoder of kernel distances, from the pairs that `make real` or `make models-generator` cut
models-encoder: setup
	$(BIN)/python -m terraform publish-encoder --config config.yaml --config workflow/config/files.yaml results/pairs/*

test: setup
	$(BIN)/pytest

# The core of the suite on every Python of PYTHONS that is on the path or with pyenv; the others are named. Each has an
# environment of its own, .venv-VERSION, 6 GB.
CORE ?= tests/config tests/geo tests/storage tests/climate tests/pairs tests/commands tests/learn/test_train.py \
  tests/learn/test_weights.py tests/learn/test_generators.py tests/mosaic/test_inference.py tests/test_digest.py \
  tests/test_provenance.py tests/test_imports.py tests/test_wheel.py
python = $(shell for p in python$(1) $(HOME)/.pyenv/versions/$(1).*/bin/python; do \
  "$$p" -c "" 2>/dev/null && echo "$$p" && break; done)

test-all: $(PYTHONS:%=test-%)

.SECONDEXPANSION:
$(PYTHONS:%=test-%): test-%: $$(if $$(call python,$$*),.venv-$$*/.ok)
	$(if $(call python,$*),.venv-$*/bin/python -m pytest $(CORE),@echo "Python $* is not here: nothing was tested with it")

$(PYTHONS:%=.venv-%/.ok): .venv-%/.ok: pyproject.toml requirements.lock
	$(call install,.venv-$*,$(call python,$*))

lint: setup
	$(BIN)/ruff check terraform tests benchmarks tools
	$(BIN)/ruff format --check terraform tests benchmarks tools
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/python -m tools.lint_workflow

# The scripts of the page in the browser, type-checked; needs node.
lint-page:
	npx --yes --package typescript@5.9.3 tsc --project tests/viewer/tsconfig.json

# After a change of terraform/config.
schema: setup
	$(BIN)/python -m terraform schema > workflow/schemas/config.schema.yaml

# Ratios against plain references; the table goes into docs/performance.md, what got slower since is printed.
bench: setup
	$(BIN)/python -m benchmarks --write docs/performance.md

# Damaged and hostile inputs, 10,000 for each parser; a few hundred are in the suite.
fuzz: setup
	$(BIN)/python -m tools.fuzz $(WHICH)

# Every stage killed at random moments and run again, 20 kills of each: make kills WHICH="cut train --kills 5"
kills: setup
	$(BIN)/python -m tools.kills $(WHICH)

# Promises taken out of a copy of the code, each missed by a test: make mutants WHICH="sources/remote --sample 20"
mutants: setup
	$(BIN)/python -m tools.mutants $(WHICH)
