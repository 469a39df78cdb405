"""`brakedisc`: the service and everything around it from a terminal."""

from service.cli.commands import main

__all__ = ["main"]
