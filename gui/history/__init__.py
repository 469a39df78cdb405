"""The screens of what was inspected: list, one part, overview, report."""
