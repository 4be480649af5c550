"""The engine against the reference: same elements, same values, whatever came before.

The properties that hold, and that are checked here:

- The output of one file, read by pydicom, has the elements and values that the reference says;
  the pixel bytes are the input's, and the file meta information is right.
- A file's output does not depend on what the engine has seen before it: in any order, a second
  time, or with a fresh engine, the bytes and the manifest are the same. It depends on the key, the
  profile and the subject alone.
- An output given in again keeps everything but what is keyed or moved: the same elements stand in
  it, the same pixels, the same text. UIDs, dates, private codes and pseudonyms move on, since an
  output names a new person.
"""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import made
import strategies as make
from reading import Node, differences, read
from reference import Reference
from safelight.deid import profile
from safelight.deid.context import Subject
from safelight.deid.engine import Engine
from safelight.deid.pseudonyms import ProjectKey
from safelight.dicomio.dictionary import lookup
from safelight.errors import SafelightError
from safelight.types import Deidentified, Kind, Original

KEY = ProjectKey(b"property tests use a fixed key.."[:32])
PRESETS = ("share", "strict", "research-dates", "site")
KEYED_VRS = {"UI", "DA", "DT", "PN"}
KEYED_TAGS = {0x00100010, 0x00100020, 0x00080050, 0x00200010}
KEYED_TAGS |= {0x00080100, 0x00080119, 0x00080120}  # private codes


def engine(preset: str = "share") -> Engine:
    return Engine(key=KEY, profile=profile.load(preset))


def originals(files: Sequence[made.File]) -> list[Original]:
    return [Original(each.data(), kind=Kind.DICOM) for each in files]


def subject_of(using: Engine, inputs: Sequence[Original]) -> Subject:
    return using.subject([using.survey(each) for each in inputs])


def written(result: Deidentified) -> bytes:
    return b"".join(bytes(part) for part in result.parts if isinstance(part, bytes | memoryview))


def outcome(using: Engine, source: Original, subject: Subject) -> tuple[bytes, bytes] | str:
    """Return output and manifest, or why there is none."""
    try:
        result = using.deidentify(source, subject, header_only=True)
    except SafelightError as error:
        return str(error)
    return written(result), result.manifest


@pytest.mark.parametrize("syntax", made.SYNTAXES)
@settings(max_examples=300)
@given(data=st.data())
def test_the_output_has_the_elements_and_values_that_the_reference_says(
    syntax: str, data: st.DataObject
) -> None:
    file = data.draw(make.files(syntax))
    using = engine(data.draw(st.sampled_from(PRESETS)))
    [source] = originals([file])
    subject = subject_of(using, [source])
    out = written(using.deidentify(source, subject, header_only=True))
    meta, found = read(out)
    assert not differences(found, Reference(using, subject).expected(file.data()))
    tags = [node.tag for node in found]
    assert tags == sorted(set(tags))
    assert out[:132] == bytes(128) + b"DICM"
    values = {node.tag: node.value for node in found}
    assert meta.TransferSyntaxUID == syntax
    assert meta.MediaStorageSOPClassUID == file.text(0x00080016)
    assert meta.MediaStorageSOPInstanceUID == (values[0x00080018] or b"").decode().strip("\0")
    assert {element.tag.element for element in meta} == {0, 1, 2, 3, 0x10, 0x12, 0x13}


@pytest.mark.parametrize("syntax", made.SYNTAXES)
@settings(max_examples=20)
@given(data=st.data())
def test_pixel_bytes_are_the_inputs(syntax: str, data: st.DataObject) -> None:
    file = data.draw(make.files(syntax, pixels=True))
    using = engine()
    [source] = originals([file])
    found = read(written(using.deidentify(source, subject_of(using, [source]), header_only=True)))[
        1
    ]
    before = next(each.value for each in file.elements if each.tag == 0x7FE00010)
    after = next(node.value for node in found if node.tag == 0x7FE00010)
    assert isinstance(before, bytes)
    assert after
    assert before.startswith(after) or before == after[:-1]
    assert len(before) - len(after) <= len(b"ROE^JANE") + 1


@pytest.mark.parametrize("syntax", [made.EXPLICIT_LITTLE, made.IMPLICIT_LITTLE, made.EXPLICIT_BIG])
@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_an_engine_saw_before_changes_nothing(syntax: str, data: st.DataObject) -> None:
    files = data.draw(make.series(syntax))
    warm = engine()
    inputs = originals(files)
    subject = subject_of(warm, inputs)
    cold = [outcome(engine(), each, subject) for each in inputs]
    assert [outcome(warm, each, subject) for each in inputs] == cold
    order = data.draw(st.permutations(range(len(inputs))))
    assert [outcome(warm, inputs[at], subject) for at in order] == [cold[at] for at in order]
    plain = Reference(warm, subject)
    for file, out in zip(files, cold, strict=True):
        assert not isinstance(out, str), out
        assert not differences(read(out[0])[1], plain.expected(file.data()))


@settings(max_examples=30)
@given(data=st.data())
def test_the_survey_does_not_depend_on_what_was_surveyed_before(data: st.DataObject) -> None:
    inputs = originals(data.draw(make.series(made.EXPLICIT_LITTLE)))
    warm = engine()
    for _ in range(2):
        for each in inputs:
            assert warm.survey(each) == engine().survey(each)


@pytest.mark.parametrize("syntax", made.SYNTAXES)
@settings(max_examples=30)
@given(data=st.data())
def test_an_output_given_in_again_keeps_what_it_holds(syntax: str, data: st.DataObject) -> None:
    [source] = originals([data.draw(make.files(syntax))])
    using = engine()
    first = written(using.deidentify(source, subject_of(using, [source]), header_only=True))
    again = Original(first, kind=Kind.DICOM)
    second = written(using.deidentify(again, subject_of(using, [again]), header_only=True))
    assert _skeleton(read(first)[1]) == _skeleton(read(second)[1])


def _skeleton(nodes: tuple[Node, ...]) -> list[object]:
    """Return tags, and the values of what is neither keyed nor moved."""
    found: list[object] = []
    for node in nodes:
        entry = lookup(node.tag)
        keyed = (
            node.tag in KEYED_TAGS
            or node.vr in KEYED_VRS
            or (entry is not None and entry.vr in KEYED_VRS)
        )
        found.append((node.tag, None if keyed else node.value, [_skeleton(i) for i in node.items]))
    return found
