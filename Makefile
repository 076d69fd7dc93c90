# Everything a fresh Debian machine with make and python3 needs. `make run` is the place to start.

# Debian's own interpreter where there is one: it is built with profile-guided optimisation, which many others are not.
PYTHON ?= $(or $(wildcard /usr/bin/python3),python3)
VENV ?= .venv
APPS ?= .venv-apps
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := adc plugins tests benchmarks setup.py
PEERS := redis-server nginx-light chromium postfix swaks libnet-ssleay-perl nftables conntrack conntrackd dnsmasq-base iproute2 nodejs

.PHONY: run test test-source test-apps check format bench docs load faults attacks clients soak endurance peers compiled bytecode clean

run: compiled
	$(BIN)/adc demo

# Half as many testers again as cores: tests of processes wait for most of their time.
TESTERS ?= $(shell echo $$(( ($$(nproc) * 3 + 1) / 2 )))

# What is in use: the source, or after `make compiled` the compiled modules; .ci/run tests both. pytest keeps the tests as
# it rewrites them, even where Python writes no bytecode: that is half of what each tester needs to collect them.
test: bytecode peers
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses $(TESTERS)

# The source, whatever is compiled.
test-source: bytecode
	ADC_COMPILED=0 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses $(TESTERS) tests/unit tests/property tests/wire/test_call_budget.py tests/wire/test_cache_budget.py tests/wire/test_unusual_heads.py tests/wire/plugins

# Real applications behind adc (JupyterLab, Wagtail, copyparty, an S3 store, ...), installed into their own environment.
test-apps: $(STAMP) $(APPS)/.installed
	ADC_TEST_APPS=$(APPS) $(BIN)/python -m pytest tests/apps

$(APPS)/.installed: tests/apps/install.sh
	PYTHON=$(PYTHON) tests/apps/install.sh $(APPS)

check: $(STAMP)
	$(BIN)/ruff format --check $(wildcard $(SOURCES))
	$(BIN)/ruff check $(wildcard $(SOURCES))
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff format $(wildcard $(SOURCES))
	$(BIN)/ruff check --fix $(wildcard $(SOURCES))

bench: compiled
	$(BIN)/python -m benchmarks

# Real processes, some of which are broken on purpose; about three minutes. As root also a network that drops packets.
faults: compiled
	$(BIN)/python -m tests.faults

# sqlmap and wapiti against a vulnerable application on 127.0.0.1, with and without the firewall, and 10,000 ordinary requests;
# about six minutes. A tool that is not installed is named and left out.
attacks: $(STAMP) tools
	$(BIN)/python -m tests.attacks

.PHONY: tools
tools:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  ! { command -v sqlmap && command -v wapiti; } >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends sqlmap wapiti >/dev/null; \
	fi

# PostgreSQL, Redis, DNS, TLS and Postfix through adc for a minute, with 20 reloads and a killed member; a server that is not
# installed is named and left out.
clients: compiled servers
	$(BIN)/python -m tests.clients

SERVERS := postgresql dnsmasq-base postfix nginx-light redis-server

.PHONY: servers
servers:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  ! { command -v pgbench && command -v dnsmasq && command -v postfix && command -v nginx && command -v redis-server; } >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(SERVERS) >/dev/null; \
	fi

# What the workers hold in memory during and after load that once made them grow; about five minutes.
soak: compiled
	$(BIN)/python -m tests.soak

# What clients notice of reloads and of killed processes; 2 GB each way.
load: compiled
	$(BIN)/python -m benchmarks.under_load
	$(BIN)/python -m benchmarks.bulk

docs: $(STAMP)
	$(BIN)/python -m docs.generate

# The stamp is older than what names the dependencies: install again.
$(STAMP): pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "adc needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) 2>/dev/null || $(MAKE) --no-print-directory venv-from-apt
	@$(HAS_COMPILER) || $(MAKE) --no-print-directory compiler-from-apt  # libinjection comes as source
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=23' 'setuptools>=77.0.3'
	$(BIN)/python -m pip install --quiet --editable '.[test,dev]'
	@touch $@

# Debian keeps the venv module in a package of its own.
.PHONY: venv-from-apt
venv-from-apt:
	@rm -rf $(VENV)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null; \
	else \
	  echo "python3 has no venv module; as root: apt-get install python3-venv"; exit 1; \
	fi
	$(PYTHON) -m venv $(VENV)

# Compiles the hot modules, unless that is done. After an edit to one of them the source of all is used, until this is called.
# An edit that changes nothing compiled (a docstring) leaves the library as it was: its new time says that it is right.
compiled: bytecode
	@$(BIN)/python -c 'import sys; from adc.compilation import compiled; sys.exit(not compiled())' \
	  || { $(HAS_COMPILER) || $(MAKE) --no-print-directory compiler-from-apt; $(BIN)/python setup.py -q build_ext --inplace && find adc -name '*.so' -exec touch {} +; }

# As pip leaves it: no start has to compile the modules first, nor every start where none may write bytecode.
bytecode: $(STAMP)
	@$(BIN)/python -m compileall -q adc plugins tests

HAS_COMPILER = $(PYTHON) -c 'import os, shutil, sys, sysconfig as s; \
  cc = (s.get_config_var("CC") or "cc").split()[0]; \
  sys.exit(not (shutil.which(cc) and os.path.exists(s.get_path("include") + "/Python.h")))'

.PHONY: compiler-from-apt
compiler-from-apt:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends gcc libc6-dev python3-dev >/dev/null; \
	else \
	  echo "no C compiler or no Python.h: adc runs uncompiled; as root: apt-get install gcc libc6-dev python3-dev"; \
	fi

# Servers that tests talk to, and a browser; about 25 seconds. Without them those tests are skipped and say so.
peers:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  ! { command -v redis-server && command -v chromium && command -v nft && command -v conntrack && command -v conntrackd && command -v dnsmasq && command -v node && command -v swaks && { command -v nginx || test -x /usr/sbin/nginx; }; } >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PEERS) >/dev/null; \
	fi

clean:
	rm -rf $(VENV) build dist *.egg-info
	find adc -name '*.so' -delete

# 10,000 requests of one client for each way of persistence, over 20 reloads and 2 worker deaths.
endurance: compiled
	$(BIN)/python -m tests.cluster.endurance
