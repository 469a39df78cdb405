"""The screens of past inspections: list, one part, overview, report."""
