"""The policy that a person agrees to on their own computer: nothing leaves it."""

from typing import Any, Final

__all__ = ["OWN_POLICY"]

OWN_POLICY: Final[dict[str, Any]] = {
    "name": "own-computer",
    "title": "On your own computer",
    "summary": (
        "Your files are read on this computer and shown to you. Nothing is sent anywhere. If you"
        " like, a model on this computer learns from them."
    ),
    "withdrawal": "Press the button under My data, at any time.",
    "jurisdiction": "the law of the place where you are",
    "controller": {"name": "You", "address": "this computer", "contact": "yourself"},
    "purposes": ["care", "train-a-model"],
    "recipients": [],
    "regions": ["*"],
    "data": ["images"],
    "retention_days": "unlimited",
}
