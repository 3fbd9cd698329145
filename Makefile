# One command per intention. `make` alone explains them.

GO   ?= go
ARGS ?=
DATA ?= bonghwa-data
DEMO ?= bonghwa-demo-data
SOAK ?= 5m

# The same binary with and without a C compiler on the machine.
export CGO_ENABLED := 0

.DEFAULT_GOAL := help
.PHONY: help run demo build test lint generate bench bench-sites bench-web soak soak-web clean-data web

help: ## print this
	@echo "Bonghwa. Go is enough to run it; README.md is the place to begin."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start the server on this machine; ARGS="--lan" lets your phone in
	@echo "Open http://127.0.0.1:8080 in a browser. Data in ./$(DATA); Ctrl-C stops it."
	@echo "Nobody to talk to? make demo brings twelve people. In a terminal: $(GO) run ./cmd/bonghwa chat"
	@$(GO) run ./cmd/bonghwa serve --data $(DATA) $(ARGS)

demo: ## the same with twelve simulated people who talk, work and answer; ARGS="--lan" for a phone
	@echo "Open http://127.0.0.1:8080 in a browser and sign up. Data in ./$(DEMO); Ctrl-C stops everything."
	@$(GO) run ./cmd/bonghwa demo --data $(DEMO) $(ARGS)

build: ## make bin/bonghwa, the one binary
	$(GO) build -trimpath -ldflags "-s -w" -o bin/bonghwa ./cmd/bonghwa

test: ## everything that must pass; PARTS="format vet unit" for some of it
	@scripts/test.sh $(PARTS)

lint: ## gofmt, go vet, staticcheck
	@scripts/test.sh format vet lint

web: web/node_modules/.bin/vite ## build the web client into web/dist, which is committed (needs Node)
	cd web && npx vite build

generate: tools/node_modules/.bin/buf web/node_modules/.bin/vite ## make the code from proto/ again (needs Node)
	PATH="$(CURDIR)/tools/node_modules/.bin:$$PATH" buf generate

tools/node_modules/.bin/buf: tools/package-lock.json
	cd tools && npm ci --ignore-scripts
	@touch $@

web/node_modules/.bin/vite: web/package-lock.json
	cd web && npm ci --ignore-scripts
	@touch $@

bench: build ## measure this machine; results in bench/results. ARGS=--quick takes a minute
	@mkdir -p bench/results
	bin/bonghwa bench --json bench/results/$$(date -u +%Y%m%dT%H%M%SZ).json $(ARGS)

bench-sites: build ## the same load on one machine and on three sites of this one, and a site that comes back; 6 minutes
	@mkdir -p bench/results
	bin/bonghwa bench --sites 3 --json bench/results/$$(date -u +%F)-sites-$$(git describe --tags --always).json $(ARGS)

WEB_RESULT = bench/results/$$(date -u +%F)-web-$$(git describe --tags --always).json

bench-web: build web/node_modules/.bin/vite ## measure the web client in real browsers (needs Node, Chromium, Firefox); 6 minutes, BONGHWA_MINUTES=60 for an hour of the demo
	@mkdir -p bench/results
	@rm -f $(WEB_RESULT)
	cd web && BONGHWA_BIN=$(CURDIR)/bin/bonghwa BONGHWA_RESULT=$(CURDIR)/$(WEB_RESULT) npx vitest run --config e2e/measure/vitest.config.ts

soak: ## kill -9, SIGSTOP and seeds for SOAK=5m each
	BONGHWA_SOAK=$(SOAK) $(GO) test -count=1 -timeout 6h -run '^TestSoak' -v ./...

soak-web: build web/node_modules/.bin/vite ## the web client in a room of 100,000 messages, read by wheel, in one of 3,000 people, every state in both themes, WebKit; an hour
	cd web && BONGHWA_SOAK=1 BONGHWA_BIN=$(CURDIR)/bin/bonghwa npx vitest run --config e2e/vitest.config.ts e2e/scroll e2e/kinds e2e/axe e2e/webkit

clean-data: ## delete ./bonghwa-data and ./bonghwa-demo-data, the data of `make run` and `make demo`
	rm -rf -- "$(DATA)" "$(DEMO)"
