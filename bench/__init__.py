"""Benchmarks that print a table: `python -m bench.NAME`."""

from service.process.sleeping_threads import let_threads_sleep

let_threads_sleep()  # as the service does: it only works before torch is imported
