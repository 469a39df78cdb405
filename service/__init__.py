"""BrakeDisc Inspector: the inspection service."""

__version__ = "0.1.0"
