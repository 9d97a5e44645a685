# The front door; the work is in CMakePresets.json, tools/ and tests/.
# Variables: JOBS, N and SEED (crash, sqlfuzz), FUZZ_SECONDS (fuzz), SCENARIOS (bench),
# FILTER (bench-micro), EVENTS (bench-peers, bench-flink), TIDY_BASE (check),
# COVERAGE_ENFORCE (coverage).

JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
FILTER ?= .
EVENTS ?= 5000000
TIDY_BASE ?= HEAD~1

BUILD := cmake --build --parallel $(JOBS) --preset
CTEST := ctest --parallel 2 --preset
CHECKS := check-layers check-style check-tools check-format check-docs check-headers check-tidy

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help build run test check $(CHECKS) bench bench-micro bench-peers bench-flink fuzz crash \
	sqlfuzz sanitize asan tsan coverage tidy format clean packages packages-dev packages-flink

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

build: build/release/build.ninja ## build/release/millrace, installing what is missing
	$(BUILD) release --target millrace

run: build ## the demo: a project with data, running
	tools/demo.sh

test: build/release/build.ninja ## build everything in release form and run all tests
	$(BUILD) release
	$(CTEST) release

check: $(CHECKS) ## layers, style, format, docs, headers, clang-tidy on what changed

check-layers:
	python3 tools/check_layers.py

check-style:
	python3 tools/check_style.py

check-tools:
	python3 -m unittest discover --start-directory tools/tests

check-format: | packages-dev
	tools/format.sh --check

check-docs: build
	python3 tools/check_docs.py

check-headers: build/dev/build.ninja
	$(BUILD) dev --target millrace_headers

check-tidy: build/tidy/build.ninja
	tools/tidy.sh --changed $(TIDY_BASE)

bench: build/release/build.ninja ## the table of docs/benchmarks.md (SCENARIOS='http latency')
	$(BUILD) release --target millrace millrace_benchmarks
	python3 bench/run.py $(SCENARIOS)

bench-micro: build/release/build.ninja ## run the micro-benchmarks (FILTER=regex)
	$(BUILD) release --target millrace_benchmarks
	for program in build/release/benchmarks/*; do \
		$$program --benchmark_filter='$(FILTER)' || exit 1; done

bench-peers: build build/peers/bin/python ## Nexmark beside DuckDB: rows and time (EVENTS=5000000)
	build/peers/bin/python bench/nexmark/against_duckdb.py --events $(EVENTS) --runs 3

bench-flink: build | packages-flink ## Nexmark beside Apache Flink: rows, time, memory (EVENTS=5000000)
	python3 bench/nexmark/against_flink.py --events $(EVENTS) --runs 3

fuzz: build/fuzz/build.ninja ## each fuzzer for FUZZ_SECONDS=60
	$(BUILD) fuzz --target millrace_fuzzers
	tools/fuzz.sh $(FUZZ_SECONDS)

crash: build ## kill the program 3 x N=300 times, fill its disk, fail its syncs; check every record
	python3 tests/crash/run.py --binary build/release/millrace --kills $(or $(N),300) $(SEED:%=--seed %)

sqlfuzz: build/release/build.ninja | packages-dev ## N=2000 random queries: streams, batch and PostgreSQL
	$(BUILD) release --target millrace_sql_golden_test
	tools/with_postgres.sh python3 tests/sql/random_queries.py $(SEED:%=--seed %) \
		--queries $(or $(N),2000) --golden build/release/tests/sql/millrace_sql_golden_test

sanitize: asan tsan ## all tests with address, undefined behaviour and thread sanitizers

asan tsan: %: build/%/build.ninja
	$(BUILD) $@
	$(CTEST) $@

coverage: build/coverage/build.ninja ## line coverage by folder (COVERAGE_ENFORCE=1: with thresholds)
	$(BUILD) coverage
	python3 tools/coverage.py

tidy: build/tidy/build.ninja ## clang-tidy on every source
	tools/tidy.sh --all

format: | packages-dev ## rewrite the sources with clang-format
	tools/format.sh

clean: ## remove build/
	rm -rf build

packages:
	@tools/install_packages.sh build test

packages-dev:
	@tools/install_packages.sh

packages-flink:
	@tools/install_packages.sh flink

build/peers/bin/python: tools/peers.txt | packages-dev
	python3 -m venv build/peers
	build/peers/bin/pip install --quiet --requirement tools/peers.txt
	touch $@

# ninja runs cmake again by itself when a CMakeLists.txt changes.
build/release/build.ninja: CMakePresets.json | packages
	cmake --preset release

build/%/build.ninja: CMakePresets.json | packages-dev
	cmake --preset $*
