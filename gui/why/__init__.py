"""The screen that explains a verdict by its nearest good patches."""
