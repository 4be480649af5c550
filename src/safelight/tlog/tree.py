"""The Merkle tree of RFC 9162, section 2: hashes, which nodes a proof needs, and their checks.

Nothing here stores anything. A node is named ``(level, index)``: level 0 holds the leaves, and
``(level, index)`` covers the leaves from ``index << level`` up to ``(index + 1) << level``. Only
complete nodes are named; they never change once the tree has grown past them.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "Grower",
    "Node",
    "Span",
    "consistency_spans",
    "cover",
    "fold",
    "inclusion_spans",
    "leaf_hash",
    "node_hash",
    "root",
    "verify_consistency",
    "verify_inclusion",
]

Node = tuple[int, int]
Span = tuple[int, int]  # leaves from the first, inclusive, to the second, exclusive

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 || entry), RFC 9162 section 2.1.1."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right), RFC 9162 section 2.1.1."""
    return hashlib.sha256(b"\1" + left + right).digest()


def cover(span: Span) -> list[Node]:
    """Return the complete nodes that make up a span, largest (leftmost) first.

    The span starts where a node of its size may start, as all spans of proofs do.
    """
    start, stop = span
    width = stop - start
    if width and width & width - 1 == 0:  # one node, as nearly always
        level = width.bit_length() - 1
        return [(level, start >> level)]
    nodes = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the hash over the nodes of ``cover``; the empty root for none."""
    if not hashes:
        return EMPTY_ROOT
    result = hashes[-1]
    for one in reversed(hashes[:-1]):
        result = node_hash(one, result)
    return result


def root(size: int, node: Callable[[Node], bytes]) -> bytes:
    """Return the root of the first ``size`` leaves, given a look-up of complete nodes."""
    return fold([node(one) for one in cover((0, size))])


def _split(width: int) -> int:
    """Return the largest power of two below ``width`` (at least 2)."""
    return 1 << (width - 1).bit_length() - 1


def inclusion_spans(index: int, size: int) -> list[Span]:
    """Return the spans whose hashes prove a leaf, from its sibling upwards (section 2.1.3.1).

    Args:
        index: The leaf, 0 to ``size - 1``.
        size: Leaves in the tree that the proof is for.
    """
    spans = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            spans.append((middle, stop))
            stop = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def consistency_spans(first: int, second: int) -> list[Span]:
    """Return the spans whose hashes prove that a tree grew from another (section 2.1.4.1).

    Args:
        first: Leaves of the older tree, 0 to ``second``.
        second: Leaves of the newer tree.
    """
    if first in (0, second):
        return []
    spans = []
    start, stop, whole = 0, second, True
    while first != stop:
        middle = start + _split(stop - start)
        if first <= middle:
            spans.append((middle, stop))
            stop = middle
        else:
            spans.append((start, middle))
            start = middle
            whole = False
    if not whole:
        spans.append((start, stop))
    return spans[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], wanted: bytes
) -> bool:
    """Say whether a proof leads from a leaf's hash to a root (section 2.1.3.2).

    Args:
        leaf: ``leaf_hash`` of the entry.
        index: Where the leaf stands.
        size: Leaves in the tree.
        proof: Hashes from the leaf's sibling upwards.
        wanted: The root of the tree.
    """
    if not 0 <= index < size:
        return False
    node, last, result = index, size - 1, leaf
    for one in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            result = node_hash(one, result)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            result = node_hash(result, one)
        node >>= 1
        last >>= 1
    return last == 0 and result == wanted


def verify_consistency(
    first: int, second: int, old: bytes, new: bytes, proof: Sequence[bytes]
) -> bool:
    """Say whether the older tree is the beginning of the newer one (section 2.1.4.2).

    The empty tree is the beginning of every tree and a tree is of itself, with an empty proof.

    Args:
        first: Leaves of the older tree.
        second: Leaves of the newer tree.
        old: Root of the older tree.
        new: Root of the newer tree.
        proof: As ``consistency_spans`` orders it.
    """
    if not 0 <= first <= second:
        return False
    if first == second:
        return not proof and old == new
    if first == 0:
        return not proof and old == EMPTY_ROOT
    path = list(proof)
    if first & first - 1 == 0:
        path.insert(0, old)
    if not path:
        return False
    node, last = first - 1, second - 1
    while node & 1:
        node >>= 1
        last >>= 1
    left = right = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            left, right = node_hash(one, left), node_hash(one, right)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            right = node_hash(right, one)
        node >>= 1
        last >>= 1
    return last == 0 and left == old and right == new


class Grower:
    """Grows a tree by batches of leaves, level by level, holding one hash a level.

    Args:
        size: Leaves so far.
        peaks: Hashes of ``cover((0, size))``, in that order.
    """

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        self.size = size
        nodes = cover((0, size))
        self._peaks = {level: one for (level, _), one in zip(nodes, peaks, strict=True)}

    def grow(self, leaves: Sequence[bytes]) -> list[tuple[Node, list[bytes]]]:
        """Add leaf hashes; return the new complete nodes, a row for each level.

        A row is the name of its first node and the hashes from there on, without gaps.
        """
        rows: list[tuple[Node, list[bytes]]] = []
        sha256 = hashlib.sha256
        level, row, old = 0, list(leaves), self.size
        self.size += len(row)
        while row:
            rows.append(((level, old), row))
            waiting = self._peaks.pop(level, None)
            pairs = row if waiting is None else [waiting, *row]
            if len(pairs) & 1:
                self._peaks[level] = pairs[-1]
            lefts, rights = pairs[0:-1:2], pairs[1::2]
            row = [
                sha256(b"\1" + left + right).digest()
                for left, right in zip(lefts, rights, strict=True)
            ]
            level, old = level + 1, old >> 1
        return rows

    def root(self) -> bytes:
        """Return the root of the tree as it stands."""
        return fold([self._peaks[level] for level in sorted(self._peaks, reverse=True)])
