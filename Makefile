# A thin front of packaging/tasks.py: make demo; make test ARGS="-k weights"
# The first that runs: a shim of pyenv may be there and not work.
PYTHON ?= $(shell for p in python3.11 python3 python; do $$p -c '' 2>/dev/null && echo $$p && break; done)

.PHONY: demo test test-deep run bench lint setup clean windows windows-test
demo test test-deep run bench lint setup clean windows windows-test:
	@$(PYTHON) packaging/tasks.py $@ $(ARGS)
