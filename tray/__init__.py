"""The supervisor in the system tray: starts the service, watches it, tells people, and keeps it running."""
