# Every target prepares what it needs by itself and says so; the work is in scripts/.
.PHONY: help run test check fix e2e bench lock messages screenshots
.DEFAULT_GOAL := help

help: ## List the targets
	@grep -E '^[a-z0-9]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+): .*## /  make \1\t/' | expand -t 20

run: ## Start BlueTel with demo data and a simulated PBX
	@scripts/run

test: ## Run all tests on both stacks, in the browser too
	@scripts/test

check: ## Lint, types, layers, translations
	@scripts/check

fix: ## Format everything and apply the safe lint fixes
	@scripts/fix

e2e: ## Run the browser tests only
	@scripts/test browser

bench: ## Measure; one JSON line per figure
	@scripts/bench

lock: ## Write requirements/*.txt and package-lock.json anew
	@scripts/lock

messages: ## Collect the texts to translate, and compile the translations
	@scripts/messages

screenshots: ## Take the documentation's pictures anew
	@scripts/screenshots
