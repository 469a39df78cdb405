"""The inspector: screens for operators and quality engineers. Knows the service only through HTTP."""
