# make figures   every figure and table, from nothing; CONFIG=config/smoke.yaml of another configuration
# make figure NAME=depth   one figure, and what it is made from
# make check     style and types, and the quick tests of single modules: a few minutes
# make test      style and types, and every test
# make paper     the document: every claim with its figure, its table, its numbers, in one PDF file
# make report    one HTML page with figures, tables, captions and configuration
# make timings   where the time of the last run went, stage by stage
# make growth    how time and memory of each stage grow with N and d
# make benchmark time and accuracy beside other solvers, in an environment that has them too
# make crate     figures, tables, data and code in one file, an RO-Crate
# make reference copy what is kept in git from results/ to results/reference/
# make benchmark-reference  the same of what make benchmark has measured, and make timings of
#                large.yaml; and BENCHMARK.md
# make audit     make what is missing, then judge what lies in results/: PASS, or what is wrong
# make tidy      remove from results/ what no rule makes any more, after a value was taken out
# make same-bytes  run the smoke grid under other circumstances, compare every byte
# make faults    put small faults into a copy, one at a time: which do the tests notice?  (hours)
# make study FOLDER=../mine   begin a study of your own: its configuration, results and data there
# make lock      resolve requirements.in, and requirements-benchmark.in, into .txt anew, and write the
#                first as environment.yml for conda

PYTHON ?= python3
CORES ?= all
STYLE := workflow/report/style.css
CONFIG ?= config/config.yaml
BIN := .venv/bin
# the configuration first: --configfile takes all words that follow it
SNAKEMAKE := $(BIN)/snakemake --configfile $(CONFIG) --cores $(CORES)
# Snakemake says of a file that is no YAML neither what is wrong nor where
PLANNING := PYTHONPATH=scripts:workflow $(BIN)/python -m planning
CHECK = @$(PLANNING) $(CONFIG)
# three processes for two cores: some tests wait
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder
RESOLVE := .lock-venv/bin/uv pip compile --upgrade --universal --python-version 3.11 \
    --fork-strategy fewest --generate-hashes --no-emit-index-url --no-emit-find-links \
    --custom-compile-command "make lock"

.PHONY: figures figure check test paper report timings growth benchmark crate reference benchmark-reference \
    audit tidy same-bytes faults lint format lock clean study

figures: .venv/installed
	$(CHECK)
	$(SNAKEMAKE)

figure: .venv/installed
	$(CHECK)
	@listed=$$($(SNAKEMAKE) --list-rules 2>&1) || { echo "$$listed" >&2; exit 1; }; \
	    known=$$(echo "$$listed" | sed -n 's/^figures_//p'); \
	    echo "$$known" | grep -qxF -- "$(NAME)" || { echo "make figure NAME=...: one of" $$known >&2; exit 1; }
	$(SNAKEMAKE) figures_$(NAME)

paper: .venv/installed
	$(CHECK)
	$(SNAKEMAKE) paper
	@echo "The document is $$($(PLANNING) --results $(CONFIG))/paper.pdf"

report: figures
	@page=$$($(PLANNING) --results $(CONFIG))/report.html \
	    && $(SNAKEMAKE) --report $$page --report-stylesheet $(STYLE) \
	    && echo "The report is $$page"

timings: figures
	$(SNAKEMAKE) --force timings
	@echo "The times are in $$($(PLANNING) --results $(CONFIG))/timings.md"

growth: .venv/installed
	$(CHECK)
	$(SNAKEMAKE) --force growth

# All parts are measured, also those that are there already.
benchmark: .venv-benchmark/installed
	.venv-benchmark/bin/snakemake --cores $(CORES) --forceall benchmark

crate: figures
	$(SNAKEMAKE) crate
	@echo "The crate is $$($(PLANNING) --results $(CONFIG))/crate.zip"

reference: figures
	$(SNAKEMAKE) --force reference
	$(BIN)/snakemake --configfile config/smoke.yaml --cores $(CORES) --force reference

benchmark-reference: .venv/installed
	mkdir -p results/reference/benchmark
	cp $(addprefix results/benchmark/,*.md *.json *.csv *.png) results/reference/benchmark
	cp results/large/timings.csv results/reference/benchmark/large.csv
	PYTHONPATH=scripts $(BIN)/python scripts/benchmark/summary.py --folder results/reference/benchmark \
	    --output BENCHMARK.md

# Another folder than this one, with another configuration; the programs stay here.
study: .venv/installed
	@test -n "$(FOLDER)" || { echo "say which folder: make study FOLDER=../mine" >&2; exit 1; }
	@test ! -e "$(FOLDER)/config" || { echo "$(FOLDER)/config is there already" >&2; exit 1; }
	@mkdir -p "$(FOLDER)/config"
	@cp config/study.yaml "$(FOLDER)/config/config.yaml"
	@cd "$(FOLDER)" && command="\"$(CURDIR)/$(BIN)/snakemake\" -s \"$(CURDIR)/Snakefile\" -d \"$$(pwd)\"" \
	    && printf '%s\n' "What to compute is in $$(pwd)/config/config.yaml." \
	    "To compute it, to audit it, to remove what is left of a value that was taken out, and to see" \
	    "it on one page (results/report.html):" \
	    "  $$command --cores all" "  $$command --cores all --quiet all -- audit" "  $$command --cores all tidy" \
	    "  $$command --cores all --report results/report.html --report-stylesheet \"$(CURDIR)/$(STYLE)\""

# What is missing is made, and what is made from it: nothing else is repaired before it is judged.
# NAME=depth audits one figure or table; AGAIN=all runs every job again, AGAIN=0 none; SEED=7 draws
# the sample of those that are run again as an earlier audit did.
audit: .venv/installed
	$(CHECK)
	@PYTHONPATH=scripts $(BIN)/python scripts/audit/judge.py --configfile $(CONFIG) --complete --cores $(CORES) \
	    $(if $(NAME),--only $(NAME)) $(if $(AGAIN),--again $(AGAIN)) $(if $(SEED),--seed $(SEED))

# Files that the project has not written stay.
tidy: .venv/installed
	$(CHECK)
	@$(SNAKEMAKE) --quiet all -- tidy

same-bytes: .venv/installed
	PYTHONPATH=scripts:workflow $(BIN)/python tests/same_bytes.py

check: lint
	$(PYTEST) -m "unit and not long"

test: lint
	$(PYTEST)

faults: .venv/installed
	$(BIN)/python tests/try_faults.py

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

# The stamp is newer than the lock exactly when the lock's versions are installed.
.venv/installed: requirements.txt
.venv-benchmark/installed: requirements-benchmark.txt
.venv/installed .venv-benchmark/installed:
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; set PYTHON=...")'
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --require-hashes --requirement $<
	touch $@

lock: .venv/installed
	$(PYTHON) -m venv .lock-venv
	.lock-venv/bin/pip install --quiet uv
	$(RESOLVE) requirements.in --output-file requirements.txt
	$(RESOLVE) requirements-benchmark.in --output-file requirements-benchmark.txt
	rm -r .lock-venv
	PYTHONPATH=scripts $(BIN)/python scripts/export/conda.py --lock requirements.txt --output environment.yml

clean:
	find results -mindepth 1 -maxdepth 1 ! -name reference -exec rm -r {} +
