# A thin front of packaging/tasks.py: make demo; make test ARGS="-k weights"
PYTHON ?= $(shell command -v python3.11 || command -v python3)

.PHONY: demo test run bench lint setup clean
demo test run bench lint setup clean:
	@$(PYTHON) packaging/tasks.py $@ $(ARGS)
