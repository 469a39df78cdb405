"""What a process needs whatever it does: port, server, logs, end of life. Shared with `gui` and `tray`.

Nothing about inspection.
"""
