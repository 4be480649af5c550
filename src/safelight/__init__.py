"""Take the identity out of medical images first, and prove it."""

__version__ = "0.1.0"
