"""Drawn brake discs with known defects, for the demo, the simulated camera and the tests."""
