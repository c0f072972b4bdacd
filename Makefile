# Everything a developer does here, by name. `make` alone lists it.
# Steps that are up to date are not done again: dependencies by the lock file, gen/ by the .proto
# files, dist/ by the sources.

NODE ?= node
BIN := node_modules/.bin
VITEST := $(NODE) node_modules/vitest/vitest.mjs run
TSX := $(NODE) --import tsx

# What the last release promised; empty before the first one.
AGAINST ?= $(shell git describe --tags --abbrev=0 2>/dev/null)

PROTOS := $(shell find proto third_party -type f 2>/dev/null) buf.yaml buf.gen.yaml
SOURCES := $(shell find cells infra services \( -name '*.ts' -o -type d \) 2>/dev/null)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help install gen build demo serve up down check test sim sim-crashes explore mutants chaos drill bench bench-servers images test-containers format lint breaking types pack clean

help: ## List these targets
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

##@ Try it

demo: build ## A tour on a temporary cluster: publish, watch, replay, a new cell, kill -9 (about a minute)
	@$(TSX) tools/demo/main.ts

serve: build ## A cluster in one process on 127.0.0.1 (flags: ARGS="--cells 3")
	@$(NODE) dist/services/cli/main.js serve $(ARGS)

up: build ## A cluster on real Kafka, Cassandra and Redis (flags: ARGS="--cells 3"; see docs/cluster.md)
	@$(TSX) tools/cluster/main.ts up $(ARGS)

down: install ## Stop that cluster; its data stays
	@$(TSX) tools/cluster/main.ts down $(ARGS)

##@ Before a commit

check: format-check lint types ## Format, lint, types, unit and contract tests, a short simulation
	@$(VITEST) --project unit --project contract --project simulation

format: install ## Rewrite all files in the house format
	@$(BIN)/biome format --write .

lint: gen breaking ## Lint sources (with layers and cycles) and .proto files
	@$(BIN)/oxlint
	@$(BIN)/buf lint

types: gen ## Check types
	@$(BIN)/tsc

breaking: install ## Compare proto/ with the last release (AGAINST=<tag or commit>)
	@$(if $(AGAINST),$(BIN)/buf breaking --against '.git#ref=$(AGAINST)',echo 'proto: no release yet to stay compatible with')

##@ Test and measure

test: install format-check lint types build ## Everything: checks, build, all tests, also on real servers
	@projects=$$($(TSX) test/servers/projects.ts) && $(VITEST) $$projects $(VITEST_FLAGS)

sim: gen ## Simulate the cluster under faults: SEEDS=<how many>, or SEED=<n> to replay one
	@$(TSX) test/simulation/main.ts $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),100))

sim-crashes: gen ## Crash each part of a move at everything that it does: SEEDS=<how many> (some minutes each)
	@$(TSX) test/simulation/crash-main.ts $(if $(SEED),--seed $(SEED) --crash "$(CRASH)",--seeds $(or $(SEEDS),1) --from $(or $(FROM),1))

explore: gen ## Go through every state of a move between two cells, with two crashes
	@$(TSX) test/exploration/main.ts

mutants: gen ## Do the checkers bite? Plants bugs in the cell and tells which are found
	@$(TSX) test/simulation/mutants.ts $(ARGS)

chaos: build ## Real servers killed, stopped and emptied under load, with a checker after each (ARGS="--seed N --only TEXT")
	@$(TSX) test/chaos/main.ts $(ARGS)

drill: build ## Users move while cells and controllers are killed: ROUNDS=, SEED=; ON=servers: on Kafka, Cassandra and Redis
	@$(TSX) test/drill/main.ts --on $(or $(ON),embedded) --rounds $(or $(ROUNDS),50) $(if $(SEED),--seed $(SEED)) $(ARGS)

bench: build ## Measure what docs/performance.md states
	@$(TSX) test/bench/main.ts $(ARGS)

bench-servers: build ## The same on real Kafka, Cassandra and Redis, started for it (some 20 minutes)
	@$(TSX) test/bench/servers/main.ts $(ARGS)

images: install ## Build images of the three servers where none can be pulled (as root; needs debootstrap)
	@CONTAINERS_CONF=$(CURDIR)/infra/images/podman.conf $(TSX) infra/images/main.ts $(CELLFEED_ENGINES)

test-containers: gen build ## The tests on real servers, in containers with those images
	@infra/images/test-containers.sh $(VITEST_FLAGS)

##@ Build

install: ## Bring node_modules to what package-lock.json says
	@$(NODE) -e 'const [a, b] = process.versions.node.split(".").map(Number); if (a < 20 || (a === 20 && b < 19)) { console.error(`cellfeed needs Node 20.19 or newer, this is $${process.version}`); process.exit(1) }'
	@cmp -s package-lock.json node_modules/.installed-lock || { npm ci && cp package-lock.json node_modules/.installed-lock; }

gen: gen/cellfeed.binpb ## Make gen/ from proto/
gen/cellfeed.binpb: $(PROTOS) | install
	@npm run --silent gen

build: dist/gen/cellfeed.binpb ## Compile to dist/
dist/gen/cellfeed.binpb: $(SOURCES) gen/cellfeed.binpb tsconfig.json tsconfig.build.json | install
	@npm run --silent build
	@touch $@

pack: install ## Make the npm package, cellfeed-<version>.tgz
	@npm pack

clean: ## Remove what was made (node_modules stays)
	@rm -rf gen dist coverage cellfeed-*.tgz

.PHONY: format-check
format-check: install
	@$(BIN)/biome format .
