"""What an object that is walked may still cost."""

from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError

__all__ = ["Budget"]


class Budget:
    """What is left of the limits of one object while it is walked."""

    __slots__ = ("elements", "items", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.elements = limits.elements
        self.items = limits.items

    def take_items(self, count: int) -> None:
        """Count items and fragments. Raises LimitExceededError past the limit."""
        self.items -= count
        if self.items < 0:
            raise LimitExceededError(f"more than {self.limits.items} items (limit items)")

    def take_elements(self, count: int) -> None:
        """Count elements. Raises LimitExceededError past the limit."""
        self.elements -= count
        if self.elements < 0:
            raise LimitExceededError(f"more than {self.limits.elements} elements (limit elements)")
