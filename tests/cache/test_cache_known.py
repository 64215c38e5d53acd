"""The content of entries: everything that is written comes back, everything else is refused."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlean.cache.key import key_of
from pytest_torchlean.cache.known import (
    Known,
    KnownBox,
    KnownPoint,
    KnownProof,
    known_point,
    pack,
    point_of,
    unpack,
)
from pytest_torchlean.certificate.binary import UnreadableDocument, Word
from pytest_torchlean.certificate.model import (
    ConcludeScript,
    DecodingData,
    DirectData,
    NodeScript,
    ScaleData,
    ScriptData,
    SplitScript,
    StepData,
)

DECODING = DecodingData(100, 4, 30)


def chain(length: int) -> ScriptData:
    script: ScriptData = ConcludeScript(DirectData(DECODING))
    for _ in range(length):
        script = NodeScript(StepData(DECODING, 2, 1 << 90), script)
    return script


def example(length: int = 3) -> Known:
    scripts = (chain(length), SplitScript(3, 1 << 70, chain(1), chain(2)))
    boxes = (KnownBox(Word(4), Word(0), Word(0), Word(1)), KnownBox(Word(9), Word(2), Word(0), Word(0)))
    proof = KnownProof(ScaleData(1 << 33, 1 << 40, 128), scripts, boxes)
    return Known((proof,), (known_point(7, np.array([1.5, -0.0], np.float32)),))


def test_what_is_written_comes_back() -> None:
    for known in (example(), Known(), Known(points=example().points)):
        assert unpack(pack(known)) == known
    assert set(example().boxes) == {4, 9}


def test_a_chain_of_thousands_comes_back() -> None:
    packed = pack(example(5000))
    assert pack(unpack(packed)) == packed


def test_points_keep_their_bits() -> None:
    point = np.array([0.0, -0.0, 1e-45, 3.4e38], np.float32)
    again = point_of(known_point(0, point), 4)
    assert np.array_equal(again.view(np.uint32), point.view(np.uint32))


@pytest.mark.parametrize(
    ("known", "size"),
    [
        (known_point(0, np.array([1, 2], np.float32)), 3),
        (KnownPoint(Word(0), Word(2), 1 << 64), 2),
        (KnownPoint(Word(0), Word(1), 0x7F800000), 1),
        (KnownPoint(Word(0), Word(1), 0x7FC00000), 1),
    ],
)
def test_a_point_that_fits_no_input_is_refused(known: KnownPoint, size: int) -> None:
    with pytest.raises(ValueError, match="point"):
        point_of(known, size)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_damaged_content_is_refused_or_another_content(data: st.DataObject) -> None:
    """No other exception than one, whatever bytes are changed, left out or put in."""
    content = bytearray(pack(example()))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        how = data.draw(st.integers(0, 2))
        if how == 0:
            content[place] ^= data.draw(st.integers(1, 255))
        elif how == 1:
            del content[place : place + data.draw(st.integers(1, 16))]
            content = content or bytearray(b"x")
        else:
            content[place:place] = data.draw(st.binary(min_size=1, max_size=16))
    try:
        found = unpack(bytes(content))
    except UnreadableDocument:
        return
    assert pack(found) == bytes(content)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_bytes_from_anywhere_are_refused(content: bytes) -> None:
    with contextlib.suppress(UnreadableDocument):
        assert pack(unpack(content)) == content


def test_shifts_that_would_fill_the_memory_are_refused() -> None:
    (proof,) = example().proofs
    large = KnownProof(ScaleData(1, 2, 1 << 40), proof.scripts, proof.boxes)
    with pytest.raises(UnreadableDocument, match="half"):
        unpack(pack(Known((large,))))
    script = ConcludeScript(DirectData(DecodingData(1, 0, 1 << 50)))
    with pytest.raises(UnreadableDocument, match="bits"):
        unpack(pack(Known((KnownProof(proof.scale, (script,), ()),))))


def test_boxes_must_make_sense() -> None:
    (proof,) = example().proofs
    beyond = KnownBox(Word(1), Word(0), Word(0), Word(2))
    for boxes, word in (((beyond,), "not there"), ((proof.boxes[0],) * 2, "twice")):
        with pytest.raises(UnreadableDocument, match=word):
            unpack(pack(Known((KnownProof(proof.scale, proof.scripts, boxes),))))
    with pytest.raises(UnreadableDocument, match="more than one"):
        unpack(pack(Known((proof, proof))))


def test_scripts_that_share_parts_do_not_explode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_torchlean.cache.known.MOST_BYTES", 1 << 16)
    script: ScriptData = ConcludeScript(DirectData(DECODING))
    for slot in range(64):
        script = SplitScript(slot, 1, script, script)
    with pytest.raises(ValueError, match="too long"):
        pack(Known((KnownProof(ScaleData(1, 2, 64), (script,), ()),)))


def test_the_key_depends_on_every_part_and_on_the_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    parts: dict[str, object] = {"model": "a", "property": {"epsilon": "1/8"}}
    first = key_of(parts)
    assert first == key_of(dict(reversed(parts.items())))
    assert first != key_of(parts | {"model": "b"})
    assert first != key_of(parts | {"property": {"epsilon": "1/9"}})
    assert first != key_of(parts | {"digests": {}})
    monkeypatch.setattr("pytest_torchlean.cache.key.tool_digest", lambda: "another release")
    assert first != key_of(parts)
