"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

# The share that is done, 0 to 1, and the name of the stage. Raises Cancelled when somebody asked for an end.
Report = Callable[[float, str], None]
