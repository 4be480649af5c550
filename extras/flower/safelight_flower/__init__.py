"""A round of masked sums (``safelight.learning.federated``), carried by Flower."""
