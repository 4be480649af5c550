"""The vault: keys, objects, rotation, erasure; on SQLite and on PostgreSQL."""

import os
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from safelight.errors import CorruptedError, ErasedError, MasterKeyError, StoreError
from safelight.store import Store, faults
from safelight.store.schema.vault import masters, objects, people
from safelight.vault import MasterKey, Vault
from safelight.vault.originals import Originals
from safelight.vault.stream import SEGMENT, bound, decrypt, encrypt, open_box, seal_box

Maker = Callable[..., Store]
SECRET = bytes(range(32))
BIND = bound("person", "kind", "object")


def noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)  # noqa: S311  # test data, the same every time


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.fixture
def master() -> MasterKey:
    return MasterKey.generate()


@pytest.fixture
def vault(store: Store, master: MasterKey) -> Vault:
    return Vault(store, master)


@given(
    size=st.sampled_from([0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 2 * SEGMENT + 7]),
    cut=st.integers(1, SEGMENT * 2),
    recut=st.integers(1, SEGMENT * 2),
)
def test_a_stream_comes_back_however_it_is_cut(size: int, cut: int, recut: int) -> None:
    data = noise(size, size)
    cut, recut = max(cut, size // 50 + 1), max(recut, size // 50 + 1)
    sealed = b"".join(encrypt(SECRET, BIND, pieces(data, cut)))
    assert b"".join(decrypt(SECRET, BIND, pieces(sealed, recut))) == data


def test_any_flipped_bit_of_a_stream_is_noticed() -> None:
    data = noise(1, SEGMENT + 100)
    sealed = bytearray(b"".join(encrypt(SECRET, BIND, [data])))
    some = noise(2, 3 * 200)
    places = [int.from_bytes(some[at : at + 3], "big") for at in range(0, len(some), 3)]
    for number, place in enumerate([*range(60), *places]):
        bit = 1 << number % 8
        sealed[place % len(sealed)] ^= bit
        with pytest.raises(CorruptedError):
            b"".join(decrypt(SECRET, BIND, [bytes(sealed)]))
        sealed[place % len(sealed)] ^= bit
    assert b"".join(decrypt(SECRET, BIND, [bytes(sealed)])) == data


def test_segments_cannot_be_cut_off_moved_or_lent() -> None:
    data = noise(3, 3 * SEGMENT)
    sealed = b"".join(encrypt(SECRET, BIND, [data]))
    head, body = sealed[:43], sealed[43:]
    step = SEGMENT + 16
    one, two, three = body[:step], body[step : 2 * step], body[2 * step :]
    for wrong in (
        head + one + two,
        head + one,
        head,
        sealed[:20],
        b"",
        head + two + one + three,
        head + one + one + two + three,
        sealed + three,
        sealed + b"x",
    ):
        with pytest.raises(CorruptedError):
            b"".join(decrypt(SECRET, BIND, [wrong]))
    with pytest.raises(CorruptedError):
        b"".join(decrypt(SECRET, bound("person", "kind", "another"), [sealed]))
    with pytest.raises(CorruptedError):
        b"".join(decrypt(bytes(32), BIND, [sealed]))


def test_names_that_run_together_differ() -> None:
    assert bound("ab", "c") != bound("a", "bc")


def test_a_box_opens_in_its_place_alone() -> None:
    sealed = seal_box(SECRET, b"a", b"value")
    assert open_box(SECRET, b"a", sealed) == b"value"
    for secret, bind, box in (
        (SECRET, b"b", sealed),
        (bytes(32), b"a", sealed),
        (SECRET, b"a", sealed[:-1]),
        (SECRET, b"a", b""),
    ):
        with pytest.raises(CorruptedError):
            open_box(secret, bind, box)


def test_objects_come_back_and_go(vault: Vault) -> None:
    person = vault.create_person()
    data = noise(4, SEGMENT * 2 + 5)
    stored = vault.put(person, "deidentified", "one", pieces(data, 1000))
    assert (stored.bytes, len(stored.digest)) == (len(data), 64)
    assert b"".join(vault.get(person, "deidentified", "one")) == data
    again = vault.put(person, "deidentified", "two", [data])
    other = vault.put(vault.create_person(), "deidentified", "one", [data])
    assert again.digest == stored.digest != other.digest
    vault.delete(person, "deidentified", "one")
    vault.delete(person, "deidentified", "one")
    with pytest.raises(StoreError, match="no such object"):
        list(vault.get(person, "deidentified", "one"))
    assert not vault.store.objects.exists(stored.key)


def test_originals_have_a_door_of_their_own(vault: Vault) -> None:
    person = vault.create_person()
    with pytest.raises(ValueError, match="originals"):
        vault.put(person, "original", "one", [b"x"])
    with pytest.raises(ValueError, match="originals"):
        vault.get(person, "original", "one")
    originals = Originals(vault)
    stored = originals.write(person, "one", [b"DOE^JANE"])
    with vault.store.begin() as conn:
        originals.record(conn, [stored])
    assert list(originals.get(person, "one")) == [b"DOE^JANE"]
    with vault.store.begin() as conn:
        originals.deidentified(conn, person, ["one"])
    assert originals.purge() == 1
    assert list(vault.store.objects.list("p")) == []


def test_a_person_may_keep_theirs_and_let_it_go(vault: Vault) -> None:
    person = vault.create_person()
    originals = Originals(vault)
    for name, keep in (("kept", True), ("due", False)):
        stored = originals.write(person, name, [b"DOE^JANE"])
        with vault.store.begin() as conn:
            until = vault.store.clock.now() + timedelta(hours=1)
            originals.record(conn, [stored], keep=keep, until=None if keep else until)
    with vault.store.begin() as conn:
        originals.deidentified(conn, person, ["kept"])
        vault.shelf.expire(conn, vault.store.clock.now() + timedelta(hours=2))
    assert originals.purge() == 1
    assert list(originals.get(person, "kept")) == [b"DOE^JANE"]
    with vault.store.begin() as conn:
        originals.release(conn, person, "kept")
    assert originals.purge() == 1


def test_salts_and_small_values_belong_to_one_person(vault: Vault) -> None:
    one, two = vault.create_person(), vault.create_person()
    assert vault.salt(one) == vault.salt(one) != vault.salt(two)
    assert len({vault.salt(one), vault.digest_key(one)}) == 2
    sealed = vault.seal_small(one, "consent", "note", b"ROE")
    assert vault.open_small(one, "consent", "note", sealed) == b"ROE"
    assert b"ROE" not in sealed
    for person, name in ((two, "note"), (one, "other")):
        with pytest.raises(CorruptedError):
            vault.open_small(person, "consent", name, sealed)


def test_a_wrong_master_key_changes_nothing(make_store: Maker, master: MasterKey) -> None:
    vault = Vault(make_store(), master)
    person = vault.create_person()
    vault.put(person, "deidentified", "one", [b"data"])
    before = dump(vault.store)
    with pytest.raises(MasterKeyError, match="not the master key"):
        Vault(make_store(), MasterKey.generate())
    assert dump(vault.store) == before
    assert b"".join(Vault(make_store(), master).get(person, "deidentified", "one")) == b"data"


def dump(store: Store) -> list[object]:
    with store.read() as conn:
        rows = [conn.execute(select(table)).all() for table in (people, masters, objects)]
    return [rows, sorted(store.objects.list())]


def test_rotation_wraps_anew_and_touches_no_object(make_store: Maker, master: MasterKey) -> None:
    vault = Vault(make_store(), master)
    ids = [vault.create_person() for _ in range(5)]
    for person in ids:
        vault.put(person, "deidentified", "one", [b"data"])
    salts = [vault.salt(person) for person in ids]
    lying = sorted(vault.store.objects.list())
    bystander = Vault(make_store(), master)
    new = MasterKey.generate()
    assert vault.rotate(new) == 5
    assert sorted(vault.store.objects.list()) == lying
    assert [vault.salt(person) for person in ids] == salts
    assert list(vault.get(ids[0], "deidentified", "one")) == [b"data"]
    with pytest.raises(MasterKeyError, match="rotated"):
        bystander.salt(ids[0])
    with pytest.raises(MasterKeyError, match="rotated"):
        bystander.create_person()
    with pytest.raises(MasterKeyError, match="not the master key"):
        Vault(make_store(), master)
    assert Vault(make_store(), new).salt(ids[1]) == salts[1]
    assert vault.rotate(master) == 5  # back again, to one that was used before
    assert Vault(make_store(), master).salt(ids[1]) == salts[1]


def test_rotation_with_a_damaged_share_changes_nothing(vault: Vault) -> None:
    ids = [vault.create_person() for _ in range(3)]
    vault.store.objects.put(f"shares/{ids[1]}", [b"x" * 32])
    before = dump(vault.store)
    with pytest.raises(CorruptedError):
        vault.rotate(MasterKey.generate())
    assert dump(vault.store) == before
    assert len(vault.salt(ids[0])) == 32


def test_an_erased_person_is_gone_and_stays_gone(make_store: Maker, master: MasterKey) -> None:
    vault = Vault(make_store(), master)
    one, two = vault.create_person(code="K1"), vault.create_person(code="K2")
    for person in (one, two):
        vault.put(person, "deidentified", "one", [b"data"])
    assert vault.people.find("K1") == one
    assert vault.destroy_key(one) == []
    assert vault.destroy_key(one) == []
    assert vault.person_exists_or_erased(one) == "erased"
    assert vault.person_exists_or_erased("0" * 32) == ""
    for call in (
        lambda: vault.salt(one),
        lambda: vault.put(one, "deidentified", "two", [b"x"]),
        lambda: list(vault.get(one, "deidentified", "one")),
        lambda: vault.people.find("K1"),
    ):
        with pytest.raises(ErasedError):
            call()
    assert [key for key, _ in vault.store.objects.list() if one in key] == [f"erased/{one}"]
    assert list(vault.get(two, "deidentified", "one")) == [b"data"]
    with vault.store.read() as conn:
        assert list(vault.people.listed(conn)) == [two]
        assert list(vault.people.listed(conn, "erased")) == [one]


def test_an_erasure_meets_a_writer_halfway(vault: Vault) -> None:
    person = vault.create_person()
    stored = vault.write(person, "deidentified", "one", [b"x"])
    vault.destroy_key(person)
    with pytest.raises(ErasedError), vault.store.begin() as conn:
        vault.record(conn, [stored])
    vault.discard(stored)
    assert list(vault.store.objects.list("p")) == []


@pytest.mark.parametrize(
    "place",
    ["listed", "share", "key", "object", "rows", "mirrors"],
)
def test_an_erasure_that_was_stopped_is_finished(
    make_store: Maker, master: MasterKey, place: str
) -> None:
    vault = Vault(make_store(), master)
    person = vault.create_person()
    for name in ("one", "two"):
        vault.put(person, "deidentified", name, [b"data"])

    def stop(name: str) -> None:
        if name == f"vault.erase.{place}":
            raise KeyboardInterrupt

    with faults.planned(stop), pytest.raises(KeyboardInterrupt):
        vault.destroy_key(person)
    again = Vault(make_store(), master)
    assert again.person_exists_or_erased(person) == "erased"
    assert [key for key, _ in again.store.objects.list() if person in key] == [f"erased/{person}"]


def test_corruption_is_noticed_and_told_and_mended(vault: Vault) -> None:
    person = vault.create_person()
    stored = vault.put(person, "deidentified", "one", [b"data" * 100])
    vault.put(person, "deidentified", "fine", [b"data"])
    sealed = b"".join(vault.store.objects.get(stored.key))
    vault.store.objects.put(stored.key, [sealed[:-1] + bytes([sealed[-1] ^ 1])])
    with pytest.raises(CorruptedError, match="not what was written"):
        list(vault.get(person, "deidentified", "one"))
    assert vault.shelf.corrupted() == [(person, "deidentified", "one")]
    vault.store.objects.delete(stored.key)
    with pytest.raises(CorruptedError, match="no longer there"):
        list(vault.get(person, "deidentified", "one"))
    assert vault.shelf.check() == [(person, "deidentified", "one")]
    vault.store.objects.put(stored.key, [sealed])
    assert b"".join(vault.get(person, "deidentified", "one")) == b"data" * 100
    assert vault.shelf.corrupted() == []


def test_an_object_of_another_person_is_not_taken_for_theirs(vault: Vault) -> None:
    one, two = vault.create_person(), vault.create_person()
    first = vault.put(one, "deidentified", "x", [b"first"])
    second = vault.put(one, "deidentified", "y", [b"second"])
    foreign = vault.put(two, "deidentified", "x", [b"foreign"])
    for other in (second, foreign):
        vault.store.objects.put(first.key, vault.store.objects.get(other.key))
        with pytest.raises(CorruptedError):
            list(vault.get(one, "deidentified", "x"))


def test_a_lost_share_is_told(vault: Vault) -> None:
    person = vault.create_person()
    assert len(vault.salt(person)) == 32
    vault.store.objects.delete(f"shares/{person}")
    vault.people.cool()
    with pytest.raises(CorruptedError, match="share"):
        vault.salt(person)


def test_what_no_row_names_is_swept_away(vault: Vault) -> None:
    person = vault.create_person()
    kept = vault.put(person, "deidentified", "kept", [b"x"])
    vault.write(person, "deidentified", "orphan", [b"x"])
    vault.store.objects.put(f"shares/{'0' * 32}", [b"x" * 32])
    folder = os.path.join(vault.store.objects.folder, "p")
    Path(folder, "torn#1").write_bytes(b"x")
    assert vault.sweep() == 0
    assert vault.sweep(timedelta(0)) == 3
    assert [key for key, _ in vault.store.objects.list("p")] == [kept.key]
    assert len(vault.salt(person)) == 32


def test_a_failed_put_leaves_nothing(vault: Vault) -> None:
    person = vault.create_person()

    def source() -> Iterator[bytes]:
        yield b"DOE" * 1000
        raise KeyError("gone")

    with pytest.raises(KeyError):
        vault.put(person, "deidentified", "one", source())
    with pytest.raises(StoreError, match="person"):
        vault.put("0" * 32, "deidentified", "one", [b"x"])
    assert list(vault.store.objects.list("p")) == []


def test_nothing_shows_a_key(vault: Vault, master: MasterKey) -> None:
    person = vault.create_person()
    keys = vault.people.keys(person)
    assert keys.salt.hex() not in repr(keys)
    assert repr(keys) == "PersonKeys(<hidden>)"
    assert repr(master) == f"MasterKey(<{master.fingerprint}>)"
