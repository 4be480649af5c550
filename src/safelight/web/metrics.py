"""Counts for Prometheus: routes by their pattern, never by their address; no identifier."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["Metrics", "method_of"]

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
_BUCKETS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


def method_of(sent: str) -> str:
    """Return the method of a request; ``other`` for what is no method of HTTP: it may be anything.

    Args:
        sent: As the request has it.
    """
    return sent if sent in _METHODS else "other"


class Metrics:
    """The metrics of one server; labels take few values, whatever requests say."""

    def __init__(self) -> None:
        self.registry: Final = CollectorRegistry()
        self.requests: Final = Counter(
            "safelight_requests",
            "Requests by route pattern, method and class of status.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.seconds: Final = Histogram(
            "safelight_request_seconds",
            "Time until a response was made.",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.bytes: Final = Counter(
            "safelight_upload_bytes", "Bytes taken in.", registry=self.registry
        )
        self.waiting: Final = Gauge(
            "safelight_waiting", "What waits, by kind.", ("kind",), registry=self.registry
        )

    def note(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request.

        Args:
            route: Pattern of the route; empty when none matched.
            method: As sent; what is no method of HTTP counts as ``other``.
            status: Of the response.
            seconds: How long it took.
        """
        self.requests.labels(route or "none", method_of(method), f"{status // 100}xx").inc()
        self.seconds.labels(route or "none").observe(seconds)

    def text(self) -> bytes:
        """Return all of it in the text format."""
        return generate_latest(self.registry)
