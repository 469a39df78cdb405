"""Everything that is kept: the only package that writes files (docs: data root in docs/SETUP.md)."""
