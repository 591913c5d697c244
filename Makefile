# Every command of the project. Needed: GNU make and a Python 3.11 or newer with venv; for the
# checks (test, lint, unit, integration, sanity, docs) git, too.
# What they make lies below .build/ and .venv/; a second call makes only what has changed.

PYTHON ?= python3
TOOLS = $(PYTHON) -m tools
# Exported and not set in each line: without a shell between, a signal to make reaches the command.
export PYTHONPATH := tests

.DEFAULT_GOAL := help
.PHONY: help test test-roles lint unit integration events sanity docs changelog release collection \
  sandbox demo demo-konnect benchmark benchmark-events deck clean

help:  ## list the commands
	@sed -n 's/^\([a-z-]*\):  ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

test:  ## everything: linters, unit and integration tests, sanity, documentation, importer
	@$(TOOLS) test

test-roles:  ## molecule scenarios in podman, as root; SCENARIO= one
	@$(TOOLS) test-roles

lint:  ## ruff, mypy, yamllint, ansible-lint
	@$(TOOLS) lint

unit:  ## unit tests and those of the sandbox gateway
	@$(TOOLS) unit

integration:  ## integration tests; KONG_ADMIN_URL= KONG_PROXY_URL= name a real gateway
	@$(TOOLS) integration

events:  ## event sources and rulebooks, with ansible-rulebook
	@$(TOOLS) events

sanity:  ## ansible-test sanity, one leg for each ansible-core at hand
	@$(TOOLS) sanity

docs:  ## the documentation's site in .build/site; documentation, changelog and importer checks
	@$(TOOLS) docs

changelog:  ## take the fragments into the changelog of the version of galaxy.yml
	@$(TOOLS) changelog

release:  ## what can be published, in .build/release, checked as Automation Hub does
	@$(TOOLS) release

collection:  ## build the collection and install it into .build/collections
	@$(TOOLS) collection

sandbox:  ## a gateway to try things on, or Konnect (MODE=konnect); ADMIN_PORT= PROXY_PORT= MODE= VERSION= EDITION=
	@$(TOOLS) sandbox

demo:  ## the first upstream and its targets, from nothing, against a sandbox
	@$(TOOLS) demo

demo-konnect:  ## the same on Konnect's sandbox, with a control plane and a data plane; KONG_BIN= a real one
	@$(TOOLS) demo-konnect

benchmark:  ## measure the collection, and decK where there is one; KONG_ADMIN_URL= names a real gateway
	@$(TOOLS) benchmark

deck:  ## decK against the collection; DECK_FILES= a directory of state files; KONG_ADMIN_URL= KONG_PROXY_URL=
	@$(TOOLS) deck

benchmark-events:  ## what an event source costs; DURATION= in seconds
	@$(TOOLS) benchmark-events

clean:  ## remove all that these commands made
	rm -rf .build .venv
