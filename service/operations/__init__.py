"""Looking after the installation: backups, freeze, audit log, settings, verification, health."""
