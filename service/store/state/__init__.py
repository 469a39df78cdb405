"""Small files of state: settings, freeze, last verification, wish to restart, logs on disk."""
