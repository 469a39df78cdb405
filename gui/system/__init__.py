"""The screens for plant IT: health, settings, keys, backups, logs, audit log."""
