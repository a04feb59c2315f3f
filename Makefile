# Two commands for newcomers: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
DATA := datasets/v1.0-dev
RUN := runs/baseline_mlp
FRESH := datasets/fresh
WORLDS := nk,var,lss,rbc,sw07,switching,zlb

# Python keeps what it compiled, so that five starts do not compile five times.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint slow docs clean

demo: .venv/.installed
	$(BIN)/emulator generate --world nk,var,lss --n_samples 10000 --seed 42 --output $(DATA)
	$(BIN)/emulator train --config configs/baseline_mlp.yaml --resume
	$(BIN)/emulator evaluate --checkpoint $(RUN)/best.pt --dataset $(DATA)
	$(BIN)/emulator generate --world $(WORLDS) --n_samples 2000 --seed 7 --periods 0 --output $(FRESH)
	$(BIN)/emulator evaluate --checkpoint universal --dataset $(FRESH) --allow-other-data --worlds $(WORLDS) --splits test --output runs/universal_fresh

test: .venv/.installed-dev
	$(BIN)/python -m pytest -n 2 --dist worksteal

slow: .venv/.installed-dev
	$(BIN)/python -m pytest -m slow

docs: .venv/.installed-dev
	$(BIN)/python docs/_ext/screenshot.py
	$(BIN)/sphinx-build --fail-on-warning docs build/docs

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/.installed-dev: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch .venv/.installed $@

clean:
	rm -rf .venv build dist datasets runs
