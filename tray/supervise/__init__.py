"""Keeping service and screens alive: processes, probes, restarts, output. No user interface."""
