"""Plug-ins: held to the same gate, checked before anything runs, never trusted."""

import hashlib
import struct
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from safelight.errors import LimitExceededError, SafelightError, SettingsError, UnreadableInputError
from safelight.readers import plugin
from safelight.readers.card import Card, External, Interval, Probe
from safelight.readers.conformal import Calibration
from safelight.readers.onnx_check import inspect
from safelight.readers.plugin import Declaration, open_plugin
from safelight.readers.reading import Code, State, ViewKind

FLAT = Interval(value=0.5, low=0.45, high=0.55)
GOOD = Interval(value=0.95, low=0.93, high=0.97)


def number(value: int) -> bytes:
    made = b""
    while value > 0x7F:
        made += bytes([value & 0x7F | 0x80])
        value >>= 7
    return made + bytes([value])


def field(key: int, value: bytes | int) -> bytes:
    """Return one field of a protocol buffer."""
    if isinstance(value, int):
        return number(key << 3) + number(value)
    return number(key << 3 | 2) + number(len(value)) + value


def tensor_type(name: bytes, dims: tuple[int, ...]) -> bytes:
    shape = b"".join(field(1, field(1, one)) for one in dims)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


def model(
    operator: bytes = b"ReduceMean", *, domain: bytes = b"", extra: bytes = b"", node: bytes = b""
) -> bytes:
    """Return a model of one node: the mean of its input."""
    keep = field(1, b"keepdims") + field(3, 0) + field(20, 2)
    made = field(1, b"x") + field(2, b"y") + field(4, operator) + field(5, keep) + node
    if domain:
        made += field(7, domain)
    graph = field(1, made) + field(2, b"g") + extra
    graph += field(11, tensor_type(b"x", (1, 1, 16, 16))) + field(12, tensor_type(b"y", ()))
    return field(1, 7) + field(7, graph) + field(8, field(1, b"") + field(2, 13))


def card(digest: str, scores: Calibration) -> Card:
    names = ("border", "intensity", "metadata", "size")
    return Card(
        reader="from-elsewhere",
        version="1",
        called="a bright picture",
        kind=ViewKind.LIMB_XRAY,
        ages=None,
        finding=Code(scheme="99TEST", value="1", meaning="Bright"),
        alpha=0.05,
        features="own",
        head=digest,
        calibration=scores.digest(),
        statistics="",
        people=(400, 400),
        images=800,
        calibrated=(len(scores.seen), len(scores.not_seen)),
        inside=GOOD,
        external=(External(name="there", auc=GOOD, people=(100, 100)),),
        probes=tuple(Probe(name=name, auc=FLAT) for name in names),
        covered=(0.95, 0.95),
        decided=0.9,
        brier=0.05,
    )


def declared(folder: Path, content: bytes, *, change: str = "") -> Declaration:
    """Write a plug-in; ``change`` is what is altered after it was pinned."""
    bright = tuple(np.linspace(0.6, 1.0, 60).tolist())
    dark = tuple(np.linspace(0.0, 0.5, 60).tolist())
    scores = Calibration(bright, dark)
    digest = hashlib.sha256(content).hexdigest()
    told = card(digest, scores)
    if change == "another head":
        told = replace(told, head="0" * 64)
    files = {
        "model.onnx": content,
        "card.json": told.to_bytes(),
        "calibration.json": scores.to_bytes(),
    }
    pins = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    if change in files:
        files[change] += b" "
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return Declaration(
        folder=folder,
        model=pins["model.onnx"],
        card=pins["card.json"],
        calibration=pins["calibration.json"],
        side=16,
    )


def test_a_model_with_its_card_reads(tmp_path: Path) -> None:
    reader = open_plugin(declared(tmp_path, model()))
    assert reader.state is State.VALIDATED
    dark, bright = np.zeros((30, 20), np.uint8), np.full((30, 20), 255, np.uint8)
    assert reader.score(dark) == 0.0
    assert reader.score(bright) == pytest.approx(1.0)
    assert reader.name == "from-elsewhere"


@pytest.mark.parametrize("change", ["model.onnx", "card.json", "calibration.json", "another head"])
def test_what_was_changed_after_pinning_is_refused(tmp_path: Path, change: str) -> None:
    with pytest.raises(UnreadableInputError):
        open_plugin(declared(tmp_path, model(), change=change))


@pytest.mark.parametrize(
    "content",
    [
        model(b"Loop"),
        model(b"RandomNormal"),
        model(b"ReduceMean", domain=b"com.example"),
        model(node=field(5, field(1, b"body") + field(6, b""))),
        model(extra=field(5, field(1, 4) + field(14, 1))),
        model(extra=field(5, field(13, b"\x0a\x01a"))),
        model(extra=field(15, b"")),
        model(node=field(5, field(1, b"value") + field(22, b""))),
        model(node=field(5, field(1, b"values") + field(23, b""))),
        model(node=field(5, field(1, b"values") + field(10, field(14, 1)))),
        model() + field(25, b""),
        model() + field(8, field(1, b"com.example")),
        model()[:-3],
        b"",
        b"\x80" * 40,
        b"(dp0\n.",
        struct.pack("<Q", 0),
    ],
)
def test_models_that_are_not_allowed_never_run(content: bytes) -> None:
    with pytest.raises(UnreadableInputError):
        inspect(content)


def test_models_that_are_too_large_never_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    huge = field(1, 1 << 20) + field(1, 1 << 20)
    with pytest.raises(LimitExceededError):
        inspect(model(extra=field(5, huge)))
    with pytest.raises(LimitExceededError):
        inspect(model(node=field(5, field(1, b"value") + field(5, huge))))
    monkeypatch.setattr(plugin, "MOST_BYTES", 10)
    with pytest.raises(LimitExceededError):
        open_plugin(declared(tmp_path, model()))


def test_a_model_that_fails_is_an_error_and_no_crash(tmp_path: Path) -> None:
    reader = open_plugin(declared(tmp_path, model(b"Relu")))
    with pytest.raises(UnreadableInputError, match="plug-in's model"):
        reader.score(np.zeros((16, 16), np.uint8))


def test_entry_points_give_declarations_or_nothing() -> None:
    point = EntryPoint("odd", "math:pi", "safelight.readers")
    with pytest.raises(SettingsError, match="no declaration"):
        plugin.load(point)
    gone = EntryPoint("gone", "no_such_module_anywhere:x", "safelight.readers")
    with pytest.raises(SafelightError, match="cannot be imported"):
        plugin.load(gone)


class Point(EntryPoint):
    """An entry point that gives what it is told to."""

    def load(self) -> object:
        if FOUND[self.name] is None:
            raise SystemExit(3)
        return FOUND[self.name]


FOUND: dict[str, object] = {}


@pytest.mark.parametrize(
    "change",
    [{"folder": "/"}, {"side": "16"}, {"side": 16.5}, {"model": None}, {"deep": "card.json"}, {}],
)
def test_a_plugin_that_is_wrong_takes_no_other_reader_with_it(
    tmp_path: Path, change: dict[str, object]
) -> None:
    told = declared(tmp_path, model())
    if "deep" in change:
        deep = b"[" * 200_000
        (tmp_path / "card.json").write_bytes(deep)
        change = {"card": hashlib.sha256(deep).hexdigest()}
    FOUND["odd"] = replace(told, **change) if change else None  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(SafelightError):
        plugin.load(Point("odd", "odd:odd", "safelight.readers"))


def test_a_card_that_counts_other_people_is_refused(tmp_path: Path) -> None:
    told = declared(tmp_path, model())
    few = Calibration((0.9,), (0.1,))
    held = (
        card(told.model, few)
        .to_bytes()
        .replace(b'"calibrated": [\n  1,\n  1', b'"calibrated": [\n  60,\n  60')
    )
    assert b"60" in held
    (tmp_path / "card.json").write_bytes(held)
    (tmp_path / "calibration.json").write_bytes(few.to_bytes())
    pins = {
        "card": hashlib.sha256(held).hexdigest(),
        "calibration": hashlib.sha256(few.to_bytes()).hexdigest(),
    }
    with pytest.raises(UnreadableInputError, match="other people"):
        open_plugin(replace(told, **pins))


@pytest.mark.parametrize("name", ["tuberculosis@5", "../x", "From Elsewhere", ""])
def test_a_card_with_a_name_of_another_kind_is_refused(tmp_path: Path, name: str) -> None:
    told = declared(tmp_path, model())
    held = (tmp_path / "card.json").read_bytes().replace(b"from-elsewhere", name.encode())
    (tmp_path / "card.json").write_bytes(held)
    with pytest.raises(UnreadableInputError, match="name"):
        open_plugin(replace(told, card=hashlib.sha256(held).hexdigest()))
