# make figures   every figure and table, from nothing
# make test      style checks and the test suite
# make report    one HTML page with figures, tables, captions and configuration
# make timings   where the time of the last run went, stage by stage
# make crate     figures, tables, data and code in one file, an RO-Crate
# make reference copy what is kept in git from results/ to results/reference/
# make lock      resolve requirements.in into requirements.txt anew

PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)

.PHONY: figures test report timings crate reference lint format lock clean

figures: .venv/installed
	$(SNAKEMAKE)

report: figures
	$(BIN)/snakemake --report results/report.html

timings: figures
	$(SNAKEMAKE) --force timings

crate: figures
	$(SNAKEMAKE) crate

reference: figures
	$(SNAKEMAKE) reference

test: lint
	$(BIN)/python -m pytest

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

# The stamp is newer than the lock exactly when the lock's versions are installed.
.venv/installed: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; set PYTHON=...")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.txt
	touch $@

lock:
	$(PYTHON) -m venv .lock-venv
	.lock-venv/bin/pip install --quiet uv
	.lock-venv/bin/uv pip compile requirements.in --output-file requirements.txt --upgrade \
	    --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
	rm -r .lock-venv

clean:
	find results -mindepth 1 -maxdepth 1 ! -name reference -exec rm -r {} +
