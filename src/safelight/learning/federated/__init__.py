"""Data that stays at home: sites send masked sums, and their total equals central training."""

from safelight.learning.federated.coordinator import Coordinator
from safelight.learning.federated.plan import Plan
from safelight.learning.federated.site import Site

__all__ = ["Coordinator", "Plan", "Site"]
