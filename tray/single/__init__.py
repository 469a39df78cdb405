"""One tray per data root: the lock and the commands sent to the one that runs."""
