"""The way to the service: HTTP client, connection state, calls by noun.

No drawing.
"""
