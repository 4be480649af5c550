"""Submissions: whole or absent, once and not twice, never in clear; on both databases."""

import io
import threading
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pydicom
import pytest

from safelight.deid.pseudonyms import ProjectKey
from safelight.errors import CorruptedError, ErasedError, StoreError
from safelight.pipeline import submissions as rows
from safelight.pipeline.submit import recover, submit
from safelight.pipeline.work import DEIDENTIFIED, Worker
from safelight.store import Store, faults
from safelight.vault import MasterKey, Vault
from submit_fixtures import QuickCleaner, contents, engine_cleaner, folder_of, planted

Maker = Callable[..., Store]
TEXTS = (b"JANE DOE one", b"JANE DOE two", b"CANNOT say DOE")


@pytest.fixture
def master() -> MasterKey:
    return MasterKey.generate()


@pytest.fixture
def vault(store: Store, master: MasterKey) -> Vault:
    return Vault(store, master)


def states(vault: Vault) -> list[tuple[str, dict[str, int]]]:
    with vault.store.read() as conn:
        return [(each.state, dict(each.items)) for each in rows.standing(conn)]


def result(vault: Vault, submission: str, position: int = 0) -> bytes:
    with vault.store.read() as conn:
        person = rows.standing(conn, submission=submission)[0].person
    return b"".join(vault.get(person, DEIDENTIFIED, rows.object_name(submission, position)))


def test_files_come_in_get_cleaned_and_the_originals_go(vault: Vault, tmp_path: Path) -> None:
    told = submit(vault, [str(folder_of(tmp_path / "in", TEXTS))])
    assert (told.files, told.known, told.skipped) == (3, 0, ())
    assert states(vault) == [("waiting", {"waiting": 3})]
    assert len(contents(vault)) == 3
    assert Worker(vault, QuickCleaner()).run() == 1
    assert states(vault) == [("done", {"done": 2, "quarantine": 1})]
    assert [result(vault, told.submission, at) for at in (0, 1)] == [
        b"JANE QQQ one",
        b"JANE QQQ two",
    ]
    assert contents(vault) == [
        f"deidentified/{told.submission}-0",
        f"deidentified/{told.submission}-1",
        f"original/{told.submission}-2",
    ]
    assert Worker(vault, QuickCleaner()).run() == 0


def test_a_person_may_keep_the_originals(vault: Vault, tmp_path: Path) -> None:
    submit(vault, [str(folder_of(tmp_path / "in", TEXTS[:1]))], keep=True)
    Worker(vault, QuickCleaner()).run()
    assert [name.split("/")[0] for name in contents(vault)] == ["deidentified", "original"]


def test_the_engine_takes_the_names_off(vault: Vault, tmp_path: Path, key: ProjectKey) -> None:
    told = submit(vault, [str(planted(tmp_path / "in", 4))])
    Worker(vault, engine_cleaner(key)).run()
    assert states(vault) == [("done", {"done": 4})]
    for position in range(4):
        data = result(vault, told.submission, position)
        assert b"WEXFORDIAN" not in data
        assert b"BRUNDLEMEYER" not in data
        assert pydicom.dcmread(io.BytesIO(data)).PatientIdentityRemoved == "YES"


def test_a_name_in_one_file_is_known_in_the_others(
    make_store: Maker, master: MasterKey, tmp_path: Path, key: ProjectKey
) -> None:
    """Also for a worker that goes on where another has died."""
    folder = planted(tmp_path / "in", 2) / "WEXFORDIAN_JANETTE" / "series"
    second = pydicom.dcmread(folder / "IM0000.dcm")
    second.SOPInstanceUID = second.file_meta.MediaStorageSOPInstanceUID = "1.2.826.0.2.77"
    second.PatientName = ""
    second.StudyDescription = "CT for Wexfordian"
    second.save_as(folder / "IM0009.dcm")
    vault = Vault(make_store(), master)
    told = submit(vault, [str(folder)])

    def stop(name: str) -> None:
        if name == "submit.result-stored":
            raise KeyboardInterrupt

    with faults.planned(stop), pytest.raises(KeyboardInterrupt):
        Worker(vault, engine_cleaner(key)).run()
    Worker(Vault(make_store(), master), engine_cleaner(key)).run()
    said = pydicom.dcmread(io.BytesIO(result(vault, told.submission, 1))).StudyDescription
    assert "CT" in said
    assert "exfordian" not in said


def test_the_same_files_again_change_nothing(vault: Vault, tmp_path: Path) -> None:
    folder = str(folder_of(tmp_path / "in", TEXTS))
    first = submit(vault, [folder])
    before = contents(vault)
    for _ in range(2):
        again = submit(vault, [folder], person=first.person)
        assert (again.submission, again.files, again.known) == (first.submission, 0, 3)
        assert contents(vault) == before
        Worker(vault, QuickCleaner()).run()
        before = contents(vault)
    (tmp_path / "in" / "new.bin").write_bytes(b"DOE new")
    more = submit(vault, [folder], person=first.person)
    assert (more.files, more.known) == (1, 3)
    assert more.submission != first.submission
    other = submit(vault, [folder])
    assert (other.files, other.known) == (4, 0)  # another person's are theirs
    assert other.person != first.person


def test_equal_files_in_one_submission_are_taken_once(vault: Vault, tmp_path: Path) -> None:
    told = submit(vault, [str(folder_of(tmp_path / "in", (b"DOE", b"ROE", b"DOE")))])
    assert (told.files, told.known) == (2, 1)
    assert len(contents(vault)) == 2


def test_archives_are_opened_and_what_cannot_be_read_is_told(vault: Vault, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in", TEXTS[:1])
    with zipfile.ZipFile(folder / "scans.zip", "w") as archive:
        archive.writestr("DOE/a.bin", b"DOE a")
        archive.writestr("DOE/b.bin", b"DOE b")
        archive.writestr("../out.bin", b"DOE c")
    (folder / "link").symlink_to(folder / "DOE_000.bin")
    told = submit(vault, [str(folder)])
    assert (told.files, len(told.skipped)) == (3, 2)
    assert {problem.reason for _, problem in told.skipped} == {"archive", "unreadable"}


def test_nothing_to_hand_in_leaves_nothing(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreError, match="nothing to hand in"):
        submit(vault, [str(tmp_path / "empty"), str(tmp_path / "none")])
    with vault.store.read() as conn:
        assert rows.standing(conn) == []
        assert list(vault.people.listed(conn)) == []


def test_a_person_that_is_gone_is_told(vault: Vault, tmp_path: Path) -> None:
    folder = str(folder_of(tmp_path / "in", TEXTS))
    with pytest.raises(StoreError, match="no such person"):
        submit(vault, [folder], person="0" * 32)
    person = vault.create_person()
    vault.destroy_key(person)
    with pytest.raises(ErasedError):
        submit(vault, [folder], person=person)
    assert contents(vault) == []


def test_a_person_erased_while_waiting_is_not_worked_on(vault: Vault, tmp_path: Path) -> None:
    told = submit(vault, [str(folder_of(tmp_path / "in", TEXTS))])
    vault.destroy_key(told.person)
    cleaner = QuickCleaner()
    Worker(vault, cleaner).run()
    assert states(vault) == []
    assert contents(vault) == []


def test_a_person_erased_in_the_middle_keeps_nothing(vault: Vault, tmp_path: Path) -> None:
    told = submit(vault, [str(folder_of(tmp_path / "in", TEXTS))])

    def strike(name: str) -> None:
        if name == "submit.result-stored":
            with vault.store.read() as conn:
                state = vault.people.state(told.person, conn)
            if state == "active":
                vault.destroy_key(told.person)

    with faults.planned(strike):
        Worker(vault, QuickCleaner()).run()
    assert states(vault) == []
    assert contents(vault) == []


def test_two_workers_do_not_repeat_each_other(
    make_store: Maker, master: MasterKey, tmp_path: Path
) -> None:
    vaults = [Vault(make_store(), master) for _ in range(3)]
    for number in range(12):
        submit(vaults[0], [str(folder_of(tmp_path / f"in{number}", (b"DOE %d" % number,)))])
    cleaners = [QuickCleaner() for _ in vaults]
    done: list[int] = []

    def go(vault: Vault, cleaner: QuickCleaner) -> None:
        done.append(Worker(vault, cleaner).run())

    threads = [
        threading.Thread(target=go, args=pair) for pair in zip(vaults, cleaners, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 12
    assert sum(len(cleaner.cleaned) for cleaner in cleaners) == 12
    assert states(vaults[0]) == [("done", {"done": 1})] * 12


def test_a_late_worker_keeps_nothing(make_store: Maker, master: MasterKey, tmp_path: Path) -> None:
    slow, quick = Vault(make_store(), master), Vault(make_store(), master)
    told = submit(slow, [str(folder_of(tmp_path / "in", TEXTS))])
    taken: list[str] = []

    def overtake(name: str) -> None:
        if name == "submit.cleaned" and not taken:
            taken.append(name)
            with quick.store.begin() as conn:  # the lease runs out
                for owner in rows.owners(conn):
                    rows.end_leases(conn, quick.store, owner)
            Worker(quick, QuickCleaner()).run()

    with faults.planned(overtake):
        Worker(slow, QuickCleaner()).run()
    assert taken == ["submit.cleaned"]
    assert states(slow) == [("done", {"done": 2, "quarantine": 1})]
    assert len(contents(slow)) == 3
    assert result(slow, told.submission) == b"JANE QQQ one"


def test_a_file_that_kills_workers_ends_in_quarantine(
    make_store: Maker, master: MasterKey, tmp_path: Path
) -> None:
    vault = Vault(make_store(), master)
    submit(vault, [str(folder_of(tmp_path / "in", TEXTS))])

    def stop(name: str) -> None:
        if name == "submit.cleaned":
            raise KeyboardInterrupt

    for _ in range(rows.ATTEMPTS):
        with faults.planned(stop), pytest.raises(KeyboardInterrupt):
            Worker(Vault(make_store(), master), QuickCleaner()).run()
    Worker(vault, QuickCleaner()).run()
    assert states(vault) == [("done", {"quarantine": 3})]
    assert len(contents(vault)) == 3  # the originals are all there


def test_leases_of_the_living_hold(make_store: Maker, master: MasterKey, tmp_path: Path) -> None:
    vault, other = Vault(make_store(), master), Vault(make_store(), master)
    submit(vault, [str(folder_of(tmp_path / "in", TEXTS))])
    seen: list[int] = []

    def look(name: str) -> None:
        if name == "submit.cleaned":
            seen.append(Worker(other, QuickCleaner()).run())

    with faults.planned(look):
        Worker(vault, QuickCleaner()).run()
    assert seen
    assert set(seen) == {0}


def test_a_sender_that_died_leaves_nothing(
    make_store: Maker, master: MasterKey, tmp_path: Path
) -> None:
    vault = Vault(make_store(), master)
    folder = str(folder_of(tmp_path / "in", [b"DOE %d" % number for number in range(70)]))

    def fail(name: str) -> None:
        if name in ("submit.batch-kept", "submit.abandoning"):
            raise StoreError("the database cannot be reached")

    with faults.planned(fail), pytest.raises(StoreError, match="reached"):
        submit(vault, [folder])
    assert states(vault) == [("arriving", {"waiting": 64})]
    assert recover(Vault(make_store(), master)) == 1
    assert states(vault) == []
    assert contents(vault) == []
    with vault.store.read() as conn:
        assert list(vault.people.listed(conn)) == []
    assert submit(vault, [folder]).files == 70


def test_a_corrupted_original_is_told_and_the_rest_is_done(vault: Vault, tmp_path: Path) -> None:
    told = submit(vault, [str(folder_of(tmp_path / "in", TEXTS))])
    key = next(key for key, _ in vault.store.objects.list("p") if "-1-" in key)
    vault.store.objects.put(key, [b"SLv1" + b"x" * 200])
    Worker(vault, QuickCleaner()).run()
    assert states(vault) == [("done", {"done": 1, "quarantine": 2})]
    assert vault.shelf.corrupted() == [(told.person, "original", f"{told.submission}-1")]
    with pytest.raises(CorruptedError):
        list(vault.shelf.get(told.person, "original", f"{told.submission}-1"))


def test_a_clock_set_back_does_not_bring_leases_back(
    make_store: Maker, master: MasterKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(make_store(), master)
    submit(vault, [str(folder_of(tmp_path / "in", TEXTS))])
    real = __import__("time").time_ns()
    monkeypatch.setattr("safelight.store.clock.time.time_ns", lambda: real - 10**9 * 86_400 * 400)
    again = Vault(make_store(), master)
    assert Worker(again, QuickCleaner()).run() == 1
    with again.store.read() as conn:
        times = conn.exec_driver_sql("SELECT made, changed FROM submissions").one()
    assert times[0] < times[1]


def test_large_files_are_streamed(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(b"DOE " * (3 << 20))
    told = submit(vault, [str(tmp_path / "big.bin")])
    Worker(vault, QuickCleaner()).run()
    assert result(vault, told.submission) == b"QQQ " * (3 << 20)


def test_an_original_too_large_for_memory_is_held(vault: Vault, tmp_path: Path) -> None:
    submit(vault, [str(folder_of(tmp_path / "in", (b"DOE" * 100,)))])
    Worker(vault, QuickCleaner(), most=100).run()
    assert states(vault) == [("done", {"quarantine": 1})]


def test_submissions_of_a_person_can_be_forgotten(vault: Vault, tmp_path: Path) -> None:
    folder = str(folder_of(tmp_path / "in", TEXTS))
    one, two = submit(vault, [folder]), submit(vault, [folder])
    with vault.store.begin() as conn:
        assert rows.forget_person(conn, one.person) == 1
    with vault.store.read() as conn:
        assert [each.submission for each in rows.standing(conn)] == [two.submission]
        assert rows.standing(conn, person=one.person) == []


def test_leases_last_longer_than_one_input() -> None:
    assert timedelta(minutes=15) < rows.LEASE < rows.ARRIVAL
