"""Backups of the data root: snapshot, archive, what is kept, restore."""
