# Targets are listed by `make help`.
OUT ?= out
GO ?= go

# Packages whose tests start Fabric networks or let epochs pass in real time, one after the other: on a small machine two at once get in each other's way. Their tests that mostly
# wait run three at a time.
NETWORKS = ./cmd/assay ./datahub/node ./cmd/assay-fabric ./fabricnet/admin ./fabricnet/audit ./fabricnet/gateway ./fabricnet/localnet ./fabricnet/networktest ./fabricnet/systemtest

.PHONY: help demo demo-fabric demo-nodes demo-query ceremony-demo test postgresql programs short bench bench-fabric bench-ingest bench-api bench-mpc bench-verify bench-ceremony page ceremony-check lint generate proto proto-release build clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

build: ## build the commands into bin/
	$(GO) build -o bin/ ./cmd/...

demo: build ## play the main job; results in out/demo
	@rm -rf $(OUT)/demo
	@./bin/assay demo --out $(OUT)/demo

demo-fabric: build ## play the main job on a Fabric network made for it; results in out/fabric
	@rm -rf $(OUT)/fabric
	@./bin/assay-fabric up --dir $(OUT)/fabric/network --epoch 20s --clock-skew 5s
	@trap './bin/assay-fabric down --dir $(OUT)/fabric/network' EXIT; \
	./bin/assay demo --ledger fabric --network $(OUT)/fabric/network --out $(OUT)/fabric/demo && \
	./bin/assay audit channel --network $(OUT)/fabric/network --org regulator

demo-nodes: build ## play grants and requests with three nodes on a Fabric network made for it; results in out/nodes
	@rm -rf $(OUT)/nodes
	@./bin/assay demo --nodes --out $(OUT)/nodes

demo-query: build ## play queries on encrypted data with five nodes on a Fabric network made for it; results in out/query
	@rm -rf $(OUT)/query
	@./bin/assay demo --query --out $(OUT)/query

ceremony-demo: build ## make keys with three organisations on a Fabric network made for it, prove and verify with them; results in out/ceremony
	@rm -rf $(OUT)/ceremony
	@./bin/assay demo --ceremony --out $(OUT)/ceremony

test: lint postgresql programs ## everything that must pass
	$(GO) test -timeout 30m $$($(GO) list ./... | grep -vxF "$$($(GO) list $(NETWORKS))")
	$(GO) test -timeout 30m -p 1 -parallel 3 $(NETWORKS)

postgresql: # the server that tests of the store start
	@deploy/postgresql/install

programs: # that tests run: systemd's for its units, a browser, xz and node for the verifiers
	@deploy/check/install systemd-analyze=systemd chromium=chromium xz=xz-utils node=nodejs npm=npm

short: ## the fast tests only
	$(GO) test -short ./...

bench: ## measure, print the table, write out/bench-zk.json
	@mkdir -p $(OUT)
	$(GO) test -count=1 -timeout 60m -v -run '^TestBenchTable$$' ./zk -args -bench-table $(abspath $(OUT))/bench-zk.json

bench-fabric: ## measure on Fabric networks, raft and BFT, print the tables, write out/bench-fabric.json
	@mkdir -p $(OUT)
	$(GO) test -count=1 -timeout 60m -v -run '^TestBenchTable$$' ./fabricnet/systemtest -args -bench-table $(abspath $(OUT))/bench-fabric.json

bench-ingest: postgresql ## measure a node under load, SQLite and PostgreSQL, print the table, write out/bench-ingest.json
	@mkdir -p $(OUT)
	$(GO) test -count=1 -timeout 60m -v -run '^TestBenchTable$$' ./datahub/node -args -bench-table $(abspath $(OUT))/bench-ingest.json

bench-api: ## measure a node's interface, policy decisions, and answers on a Fabric network, print the table, write out/bench-api.json
	@mkdir -p $(OUT)
	$(GO) test -count=1 -timeout 90m -v -run '^TestBenchAPI$$' ./datahub/node -args -bench-table $(abspath $(OUT))/bench-api.json

bench-mpc: ## measure homomorphic queries beside the clear and beside lattigo's own operations, print the table, write out/bench-mpc.json
	@mkdir -p $(OUT)
	$(GO) test -count=1 -timeout 30m -v -run '^TestBenchTable$$' ./mpc -args -bench-table $(abspath $(OUT))/bench-mpc.json

bench-verify: ## measure the verifier natively and in a browser, print the table, write out/bench-verify.json
	@mkdir -p $(OUT)
	$(GO) test -count=1 -timeout 60m -v -run '^TestBenchTable$$' ./cmd/assay-verify/page -args -bench-table $(abspath $(OUT))/bench-verify.json

bench-ceremony: ## measure key ceremonies for every chunk size (about an hour), print the table, write out/bench-ceremony.json
	@mkdir -p $(OUT)
	$(GO) test -count=1 -timeout 0 -v -run '^TestBenchTable$$' ./zk/setup/ceremony -args -bench-table $(abspath $(OUT))/bench-ceremony.json

page: build ## make the verifier's page, one HTML file: bin/assay-verify.html
	$(GO) run ./cmd/assay-verify/page/assay-verify-page bin/assay-verify.html

ceremony-check: ## hold a key ceremony for the smallest chunk circuit and prove with its keys (some minutes)
	$(GO) test -count=1 -timeout 60m -v -run '^TestChunkProof$$' ./zk/setup/ceremony -args -real

lint: ## formatting, vet, staticcheck, tidy go.mod, the interface's sources
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo 'not gofmt-ed:'; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) -C deploy/tools vet .
	$(GO) tool -modfile=deploy/lint/go.mod staticcheck ./...
	$(GO) mod tidy -diff
	$(GO) mod verify >/dev/null
	@deploy/proto/check

# buf and its plugins are tools of a module of their own.
BUF = $(GO) tool -modfile=deploy/proto/go.mod buf
PROTO = . --config deploy/proto/buf.yaml --path datahub/api/proto/assay

proto: ## generate the interface's code from datahub/api/proto
	$(BUF) generate $(PROTO) --template deploy/proto/buf.gen.yaml

proto-release: # what make lint compares the interface with from now on
	$(BUF) build $(PROTO) --exclude-source-info -o deploy/proto/released.binpb

generate: ## write golden files anew
	$(GO) test ./zk -run TestConstraintCounts -update

clean: ## remove what was built or measured
	rm -rf bin $(OUT)
