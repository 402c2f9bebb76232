# Targets are listed by `make help`.
OUT ?= out
GO ?= go

.PHONY: help demo test short bench lint generate build clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

build: ## build the command into bin/
	$(GO) build -o bin/assay ./cmd/assay

demo: build ## play the main job; results in out/demo
	@rm -rf $(OUT)/demo
	@./bin/assay demo --out $(OUT)/demo

test: lint ## everything that must pass
	$(GO) test -timeout 30m ./...

short: ## the fast tests only
	$(GO) test -short ./...

bench: ## measure, print the table, write out/bench-zk.json
	@mkdir -p $(OUT)
	$(GO) test -count=1 -timeout 60m -v -run '^TestBenchTable$$' ./zk -args -bench-table $(abspath $(OUT))/bench-zk.json

lint: ## formatting, vet, staticcheck, tidy go.mod
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo 'not gofmt-ed:'; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) tool -modfile=deploy/lint/go.mod staticcheck ./...
	$(GO) mod tidy -diff
	$(GO) mod verify >/dev/null

generate: ## write golden files anew
	$(GO) test ./zk -run TestConstraintCounts -update

clean: ## remove what was built or measured
	rm -rf bin $(OUT)
