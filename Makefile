# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-browser test-keras lint bench docs figures clean

demo: .venv/demo
	$(BIN)/python examples/demo.py

test: .venv/dev
	$(BIN)/python -m pytest -m "not browser"

# Needs Chromium: on Debian `apt-get install chromium`.
test-browser: .venv/dev
	$(BIN)/python -m pytest tests/browser

test-keras: .venv-keras/dev
	KERAS_BACKEND=jax .venv-keras/bin/python -m pytest tests/against_keras

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/dev
	$(BIN)/python benchmarks/steps.py
	$(BIN)/python benchmarks/startup.py

docs: .venv/dev
	$(BIN)/python docs/write_findings.py

figures: .venv/dev
	$(BIN)/python docs/make_figures.py

clean:
	rm -rf .venv .venv-keras

.venv/bin/pip:
	$(PYTHON) -m venv .venv

.venv/demo: pyproject.toml constraints.txt | .venv/bin/pip
	$(BIN)/pip install -q -c constraints.txt -e '.[demo]'
	@touch $@

.venv/dev: pyproject.toml constraints.txt | .venv/bin/pip
	$(BIN)/pip install -q -c constraints.txt -e '.[demo,pretrained,figures,dev]'
	@touch $@ .venv/demo

# Keras and JAX have an environment of their own: `make test` stays small, and JAX's threads stay out of its processes.
.venv-keras/dev: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-keras
	.venv-keras/bin/pip install -q -c constraints.txt -e '.[pretrained,dev,keras]'
	@touch $@
