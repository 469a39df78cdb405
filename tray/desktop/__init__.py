"""What the desktop offers: dialogs, clipboard, folders, start with the session, by platform."""
