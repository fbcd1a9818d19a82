# Causeway. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export CGO_ENABLED ?= 0

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/causeway
	go build -trimpath -o bin/causeway .

.PHONY: demo
demo: build ## migrate the sample shop, print the summary, write out/demo.html
	bin/causeway migrate -R -f fixtures/shop --out out/demo --report out/demo.html
	@echo "objects in out/demo, report in out/demo.html"

.PHONY: test
test: ## vet and test everything
	go vet ./...
	go test ./...

.PHONY: test-race
test-race: ## race detector over the concurrent packages
	CGO_ENABLED=1 go test -race ./routing ./gatewayapi/validate ./migrate/source ./migrate/output ./migrate

.PHONY: lint
lint: ## golangci-lint, built from hack/tools
	go tool -modfile=hack/tools/go.mod golangci-lint run ./...

.PHONY: verify
verify: ## formatting, import rules, generated files
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w ."; exit 1; }
	go run ./hack/verify-imports
	go run ./hack/annotations -check
	go run ./hack/schemas -check

.PHONY: bench
bench: ## benchmarks, once each
	go test -run '^$$' -bench . -benchtime 1x ./routing ./gatewayapi/... ./migrate/...

.PHONY: fuzz
fuzz: ## a short run of each fuzz test
	go test -run '^$$' -fuzz FuzzRoute -fuzztime 10s ./routing
	go test -run '^$$' -fuzz FuzzRead -fuzztime 10s ./migrate/source

.PHONY: clean
clean: ## remove what the targets write
	rm -rf bin out

.PHONY: ci
ci: ## what continuous integration runs
	bash .ci/run
