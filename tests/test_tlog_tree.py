"""The tree against RFC 9162's recursive definitions, written out here once more and plainly."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from safelight.tlog import tree

# ---- RFC 9162 section 2, word for word; shares nothing with safelight.tlog.tree ----


def rfc_hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def rfc_k(n: int) -> int:
    """Return the largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def rfc_mth(d: list[bytes]) -> bytes:
    """Return MTH(D[n]), section 2.1.1."""
    if not d:
        return rfc_hash(b"")
    if len(d) == 1:
        return rfc_hash(b"\x00" + d[0])
    k = rfc_k(len(d))
    return rfc_hash(b"\x01" + rfc_mth(d[:k]) + rfc_mth(d[k:]))


def rfc_path(m: int, d: list[bytes]) -> list[bytes]:
    """Return PATH(m, D[n]), section 2.1.3.1."""
    if len(d) == 1:
        return []
    k = rfc_k(len(d))
    if m < k:
        return [*rfc_path(m, d[:k]), rfc_mth(d[k:])]
    return [*rfc_path(m - k, d[k:]), rfc_mth(d[:k])]


def rfc_subproof(m: int, d: list[bytes], *, b: bool) -> list[bytes]:
    """Return SUBPROOF(m, D[n], b), section 2.1.4.1."""
    n = len(d)
    if m == n:
        return [] if b else [rfc_mth(d)]
    k = rfc_k(n)
    if m <= k:
        return [*rfc_subproof(m, d[:k], b=b), rfc_mth(d[k:])]
    return [*rfc_subproof(m - k, d[k:], b=False), rfc_mth(d[:k])]


def rfc_consistency(m: int, d: list[bytes]) -> list[bytes]:
    """Return PROOF(m, D[n]), section 2.1.4.1, for 0 < m < n; else nothing is to be proven."""
    return rfc_subproof(m, d, b=True) if 0 < m < len(d) else []


# ---- ours, over nodes held in a dictionary ----


def entries(size: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(size)]


def nodes(size: int, batch: int = 7) -> dict[tree.Node, bytes]:
    grower, found = tree.Grower(), {}
    hashes = [tree.leaf_hash(one) for one in entries(size)]
    for start in range(0, size, batch):
        for (level, index), row in grower.grow(hashes[start : start + batch]):
            for at, one in enumerate(row):
                assert (level, index + at) not in found
                found[level, index + at] = one
    assert grower.root() == tree.root(size, found.__getitem__)
    return found


def hashes(found: dict[tree.Node, bytes], spans: list[tree.Span]) -> list[bytes]:
    return [tree.fold([found[one] for one in tree.cover(span)]) for span in spans]


MOST = 70
NODES = nodes(MOST)


def test_the_empty_tree_and_the_leaf_are_the_rfcs() -> None:
    assert rfc_mth([]) == tree.EMPTY_ROOT
    assert tree.leaf_hash(b"x") == rfc_mth([b"x"])


def test_a_tree_made_of_its_own_hashes_has_another_root() -> None:
    two = tree.node_hash(tree.leaf_hash(b"a"), tree.leaf_hash(b"b"))
    assert tree.leaf_hash(tree.leaf_hash(b"a") + tree.leaf_hash(b"b")) != two


def test_every_root_agrees() -> None:
    for size in range(MOST + 1):
        assert tree.root(size, NODES.__getitem__) == rfc_mth(entries(size))


def test_every_inclusion_proof_agrees_and_holds() -> None:
    for size in range(1, MOST + 1):
        data = entries(size)
        root = rfc_mth(data)
        for index in range(size):
            proof = hashes(NODES, tree.inclusion_spans(index, size))
            assert proof == rfc_path(index, data)
            assert tree.verify_inclusion(tree.leaf_hash(data[index]), index, size, proof, root)


def test_every_consistency_proof_agrees_and_holds() -> None:
    roots = [rfc_mth(entries(size)) for size in range(MOST + 1)]
    for second in range(MOST + 1):
        for first in range(second + 1):
            proof = hashes(NODES, tree.consistency_spans(first, second))
            assert proof == rfc_consistency(first, entries(second))
            assert tree.verify_consistency(first, second, roots[first], roots[second], proof)


@given(st.integers(1, 3000), st.data())
def test_larger_trees_grown_in_any_batches_agree(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    first = data.draw(st.integers(0, size))
    found = nodes(size, batch=data.draw(st.integers(1, size)))
    plain = entries(size)
    assert tree.root(size, found.__getitem__) == rfc_mth(plain)
    assert hashes(found, tree.inclusion_spans(index, size)) == rfc_path(index, plain)
    proof = hashes(found, tree.consistency_spans(first, size))
    assert proof == rfc_consistency(first, plain)


@given(st.integers(1, 200), st.data())
def test_any_change_to_an_inclusion_proof_fails(size: int, data: st.DataObject) -> None:
    plain = entries(size)
    index = data.draw(st.integers(0, size - 1))
    root, proof = rfc_mth(plain), rfc_path(index, plain)
    leaf = tree.leaf_hash(plain[index])
    other = data.draw(st.integers(0, size + 5).filter(lambda one: one != index))
    assert not tree.verify_inclusion(leaf, other, size, proof, root)
    assert not tree.verify_inclusion(tree.leaf_hash(b"else"), index, size, proof, root)
    assert not tree.verify_inclusion(leaf, index, size, proof, rfc_hash(root))
    assert not tree.verify_inclusion(leaf, index, size, [*proof, root], root)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        bad = [*proof[:at], rfc_hash(proof[at]), *proof[at + 1 :]]
        assert not tree.verify_inclusion(leaf, index, size, bad, root)
        assert not tree.verify_inclusion(leaf, index, size, proof[:-1], root)


@given(st.integers(1, 200), st.data())
def test_any_change_to_a_consistency_proof_fails(second: int, data: st.DataObject) -> None:
    plain = entries(second)
    first = data.draw(st.integers(1, second))
    old, new = rfc_mth(plain[:first]), rfc_mth(plain)
    proof = rfc_consistency(first, plain)
    assert not tree.verify_consistency(first, second, rfc_hash(old), new, proof)
    assert not tree.verify_consistency(first, second, old, rfc_hash(new), proof)
    assert not tree.verify_consistency(first, second, old, new, [*proof, old])
    assert not tree.verify_consistency(second + 1, second, old, new, proof)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        bad = [*proof[:at], rfc_hash(proof[at]), *proof[at + 1 :]]
        assert not tree.verify_consistency(first, second, old, new, bad)
        assert not tree.verify_consistency(first, second, old, new, proof[:-1])


def test_nothing_is_proven_about_the_empty_tree_but_that_it_began() -> None:
    root = rfc_mth(entries(5))
    assert tree.verify_consistency(0, 5, tree.EMPTY_ROOT, root, [])
    assert not tree.verify_consistency(0, 5, root, root, [])
    assert not tree.verify_consistency(0, 5, tree.EMPTY_ROOT, root, [root])
    assert not tree.verify_inclusion(tree.EMPTY_ROOT, 0, 0, [], tree.EMPTY_ROOT)
