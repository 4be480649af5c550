"""Encoders are frozen: they have seen public images alone, and learn from nobody here.

A deep network cannot be shown to have forgotten. Sharded training (SISA: Bourtoule et al., Machine
Unlearning, IEEE S&P 2021) can be exact where each shard's training is deterministic and kept to be
run again, on every machine to the bit; that is not so here, so it is not offered.
"""

from typing import NoReturn

from safelight.errors import NotOfferedError

__all__ = ["refuse_encoder"]


def refuse_encoder() -> NoReturn:
    """Refuse to teach an encoder with what people contributed.

    Raises:
        NotOfferedError: Always.
    """
    raise NotOfferedError(
        "an encoder that has seen contributors cannot be shown to have forgotten them",
        todo="train heads on the frozen features; see docs/forgetting.md",
    )
