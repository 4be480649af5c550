"""What the maskers of photo formats share."""

from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, UnreadableInputError

__all__ = ["check_size"]

_MOST_SAMPLES = 4


def check_size(rows: int, columns: int, limits: Limits) -> None:
    """Refuse a picture that is empty or takes more memory than the limits allow.

    Raises:
        UnreadableInputError: It has no rows or no columns.
        LimitExceededError: It is too large.
    """
    if rows < 1 or columns < 1:
        raise UnreadableInputError("the picture has no rows or no columns")
    if rows * columns * _MOST_SAMPLES > limits.decoded_bytes:
        raise LimitExceededError("its pictures are larger than the limit allows (decoded_bytes)")
