# make play    try it here: a local workspace in the browser, no accounts needed
# make test    everything a change must pass
# make storm   hundreds of messages while processes, databases and Slack fail: some ten minutes
# make image   the file system of machines that do not show the host's own (qemu, gvisor, docker, kubernetes)
.PHONY: play test check storm bench image setup fmt

play:
	@deploy/setup.sh run
	@.venv/bin/threadhand play

test:
	@deploy/setup.sh test
	@deploy/test.sh

check:
	@deploy/setup.sh test
	@deploy/test.sh static

storm:
	@deploy/setup.sh test
	@.venv/bin/pytest -m storm

bench:
	@deploy/setup.sh test
	@.venv/bin/python -m bench

image:
	@deploy/setup.sh run
	@deploy/image/build.sh full

setup:
	@deploy/setup.sh test

fmt:
	@.venv/bin/ruff check --fix --quiet . || true
	@.venv/bin/ruff format .
