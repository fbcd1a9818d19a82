# Causeway. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export CGO_ENABLED ?= 0

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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
	CGO_ENABLED=1 go test -race ./internal/parallel ./internal/buildcache ./conformance/run ./conformance/matrix ./conformance/reference/serve ./conformance/reference/control ./routing ./gatewayapi/validate ./migrate/source ./migrate/output ./migrate/verify ./migrate

.PHONY: mutation
mutation: ## plant mistakes in converted fixtures; print how many verification finds
	go test ./migrate -run TestMutations -count=1 -v

.PHONY: test-istio
test-istio: ## hold the Istio front end and its output to real pilot code
	cd scenarios/istio-oracle && go vet ./... && go test ./...

.PHONY: test-browser
test-browser: ## the HTML report in a headless Chromium, which must be installed
	go test -tags browser -run InBrowser ./cmd

.PHONY: components
components: ## build what conformance runs drive, once, into the cache
	go run ./hack/build-components

# run-conformance IMPLEMENTATION FOLDER: results and a page in out/FOLDER.
define run-conformance
rm -rf out/$(2)
@code=0; \
bin/causeway conformance run --implementation $(1) --out out/$(2) || code=$$?; \
if [ -f out/$(2)/results.json ]; then \
	bin/causeway report render -f out/$(2) --out out/$(2)/report.html || exit; \
	echo "page      out/$(2)/report.html"; \
fi; \
exit $$code
endef

.PHONY: conformance
conformance: conformance-traefik conformance-reference ## the official suite against Traefik and the reference, on embedded clusters

.PHONY: conformance-traefik
conformance-traefik: build ## the official suite against Traefik
	$(call run-conformance,traefik,conformance)

.PHONY: conformance-reference
conformance-reference: build ## the official suite against the reference, as gateway and as mesh
	$(call run-conformance,reference,reference)
	$(call run-conformance,reference-mesh,reference-mesh)

.PHONY: faults
faults: ## plant mistakes about Gateway API; the unit tests must find each
	go test -tags faults -count=1 -timeout 20m -run UnitTests -v ./conformance/reference/faults

.PHONY: faults-suite
faults-suite: ## plant the same mistakes; the official suite must find each
	go test -tags faults -count=1 -timeout 60m -run Suite -v ./conformance/reference/faults

# Kind clusters need a Docker engine. Where none answers, bin/airgap runs one
# beside the command, and images are built here instead of pulled.
ENGINE = $(shell docker version >/dev/null 2>&1 || echo bin/airgap exec)
KIND_RUN = $(ENGINE) bin/causeway conformance run --implementation traefik --cluster kind $(if $(ENGINE),--local-images)
KIND_PROFILES = GATEWAY-HTTP,GATEWAY-GRPC,GATEWAY-TLS
KIND_SMOKE = ^(GatewayModifyListeners|GRPCExactMethodMatching|HTTPRouteSimpleSameNamespace|HTTPRouteWeight|TLSRouteSimpleSameNamespace)$$

.PHONY: airgap
airgap: ## build bin/airgap, which makes kind clusters without Docker and a registry
	go build -trimpath -o bin/airgap ./hack/airgap

.PHONY: node-image
node-image: airgap ## build the node image of kind clusters that pull nothing, once, into the cache
	bin/airgap image

.PHONY: conformance-kind
conformance-kind: build airgap ## the official suite against Traefik on a kind cluster
	rm -rf out/conformance-kind
	$(KIND_RUN) --profiles $(KIND_PROFILES) --out out/conformance-kind

.PHONY: kind-smoke
kind-smoke: build airgap ## five tests of the suite on a kind cluster; all of them with CAUSEWAY_FULL=1
	rm -rf out/kind-smoke
	$(KIND_RUN) --profiles $(KIND_PROFILES) --out out/kind-smoke $(if $(filter 1,$(CAUSEWAY_FULL)),,--focus '$(KIND_SMOKE)')

.PHONY: test-kind
test-kind: airgap ## kind clusters, live; needs Docker, or root
	$(ENGINE) go test -tags kind -count=1 -timeout 20m ./conformance/cluster/kind/...

.PHONY: test-cluster
test-cluster: ## an embedded cluster and what redirects its pods, live; needs Linux with user namespaces
	go test -tags cluster -count=1 -timeout 20m ./conformance/cluster/... ./conformance/reference/redirect

.PHONY: bench-cluster
bench-cluster: build ## time until an embedded cluster is ready, and of a whole conformance run
	go test -tags cluster -run '^$$' -bench Start -benchtime 3x ./conformance/cluster/embedded/live
	@dir=$$(mktemp -d); start=$$SECONDS; \
	bin/causeway conformance run --implementation traefik --out $$dir/run > $$dir/summary 2>&1 || { cat $$dir/summary; exit 1; }; \
	echo "whole conformance run: $$((SECONDS - start)) s"; rm -rf $$dir

.PHONY: test-suites
test-suites: ## build the conformance suites and test their binaries
	cd conformance/suites/harness && go vet ./... && go test ./...
	go test -tags suites -count=1 -timeout 30m -v -run 'Suite|BrokenAPI' ./conformance/run

.PHONY: test-envtest
test-envtest: ## the installer on a real API server, that of the embedded cluster
	go test -tags envtest -count=1 -timeout 30m -run OnARealAPIServer ./conformance/implementation/install

.PHONY: lint
lint: ## golangci-lint, built from hack/tools
	go tool -modfile=hack/tools/go.mod golangci-lint run ./...
	cd scenarios/istio-oracle && go tool -modfile=../../hack/tools/go.mod golangci-lint run ./...

.PHONY: verify
verify: ## formatting, import rules, generated files, go.mod
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w ."; exit 1; }
	go mod tidy -diff
	cd scenarios/istio-oracle && go mod tidy -diff
	go run ./hack/verify-imports
	go run ./hack/annotations -check
	go run ./hack/schemas -check
	go run ./hack/crds -check
	go run ./hack/descriptors -check

.PHONY: bench
bench: ## benchmarks, once each
	go test -run '^$$' -bench . -benchtime 1x ./routing ./gatewayapi/... ./migrate/...

FUZZTIME ?= 20s
.PHONY: fuzz
fuzz: ## every fuzz test for FUZZTIME each
	@bash hack/fuzz.sh $(FUZZTIME)

.PHONY: clean
clean: ## remove what the targets write
	rm -rf bin out

.PHONY: ci
ci: ## what continuous integration runs
	bash .ci/run
