# make demo: the app on this machine.  make test: every test, the browser's too.
# make class: the app for the room.  make check: format and lint.  make bench: benchmarks.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo class test check bench clean

.venv/demo: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

.venv/test: .venv/demo tests/requirements.txt
	$(BIN)/python -m pip install --quiet --requirement tests/requirements.txt
	touch $@

demo: .venv/demo
	$(BIN)/streamlit run app.py --server.address localhost --server.headless false

class: .venv/demo
	$(BIN)/python -m explorer.serve_class

test: .venv/test
	$(BIN)/python -m tests.e2e.browser
	$(BIN)/python -m pytest --numprocesses 3 --dist worksteal

check: .venv/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

bench: .venv/test
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf .venv
