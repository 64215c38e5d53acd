"""What one property remembers from run to run: recalled before the search, checked like anything else found.

A kind asks `recall` once, with digests of what it read besides the model and the spec. It then registers what
was verified in this run: boxes that Lean accepted (`proved`) and inputs that were replayed (`broken`). Only
these are saved. That something was not found is never saved, so it is searched for again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.cache.key import key_of
from pytest_torchlean.cache.known import Known, KnownProof, known_point, pack, unpack
from pytest_torchlean.cache.store import Store
from pytest_torchlean.certificate.binary import UnreadableDocument
from pytest_torchlean.plaindata import to_plain

if TYPE_CHECKING:
    from pytest_torchlean.spec.document import InputShapes
    from pytest_torchlean.spec.model import PropertySpec
    from pytest_torchlean.spec.preprocess import PreprocessStep

State = Literal["off", "miss", "hit", "discarded"]

_NO_PART = ("name", "model", "span", "on_unknown", "at_least", "min_accuracy")
"""Fields of a property that no search depends on."""
_BY_DIGEST = ("data", "file", "provided", "values")
"""Fields that enter by the digest of what was read from them, or made of them."""


class Memory:
    """The entry of one property. Without a store nothing is recalled and nothing is saved."""

    def __init__(self, store: Store | None = None, parts: Mapping[str, object] | None = None) -> None:
        self._store = store
        self._parts = dict(parts or {})
        self._key: bytes | None = None
        self._content: bytes | None = None
        self._learnt = Known()
        self._aside = False
        self.asked = False
        self.state: State = "off"
        self.note = ""
        self.seconds = 0.0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Counts the time inside as the cache's own."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds += time.monotonic() - started

    def recall(self, **digests: str) -> Known:
        """What an earlier run verified; nothing where there is no entry that can be read."""
        self.asked = True
        self._learnt = Known()
        if self._store is None or self._aside:
            return Known()
        with self.timed():
            if self.state == "off":
                self.state = "miss"
            try:
                self._key = key_of({**self._parts, "digests": digests})
            except OSError as error:
                self.state, self.note = "off", f"the tool's own files cannot be read: {error}"
                return Known()
            content = self._store.read(self._key)
            if content is None:
                return Known()
            try:
                known = unpack(content)
            except (UnreadableDocument, MemoryError):
                self._drop("it could not be read")
                return Known()
            self.state, self._content = "hit", content
            return known

    def proved(self, proof: KnownProof | None) -> None:
        """Register boxes that Lean accepted."""
        if proof is not None:
            self._learnt = replace(self._learnt, proofs=(proof,))

    def broken(self, points: Mapping[int, NDArray[np.float32]]) -> None:
        """Register inputs that were replayed, by their place."""
        listed = tuple(known_point(place, points[place]) for place in sorted(points))
        self._learnt = replace(self._learnt, points=listed)

    def miss(self) -> None:
        """The entry was of no use in this run; what the run finds will replace it."""
        if self.state == "hit":
            self.state = "miss"

    def discard(self, why: str) -> None:
        """The entry misled: remove it, and do not look at any in what follows."""
        self._drop(why)
        self._aside = True

    def _drop(self, why: str) -> None:
        self.state, self.note, self._content = "discarded", why, None
        if self._store is not None and self._key is not None:
            self._store.discard(self._key)

    def save(self) -> None:
        """Write what was registered, if it says anything new."""
        if self._store is None or self._key is None or not self._learnt:
            return
        with self.timed():
            try:
                content = pack(self._learnt)
            except ValueError:
                return
            if content == self._content:
                self._store.touch(self._key)
            else:
                self._store.write(self._key, content)

    @property
    def effort(self) -> dict[str, str]:
        """What the record says about it."""
        if not self.asked:
            return {}
        return {"cache": self.state, **({"cache_note": self.note} if self.note else {})}


def property_parts(prop: PropertySpec) -> dict[str, Any]:
    """The part of a property that a search depends on, as plain data: neither its name nor its place."""
    plain = {
        field.name: to_plain(getattr(prop, field.name))
        for field in fields(prop)
        if field.name not in (*_NO_PART, *_BY_DIGEST)
    }
    return {"check": prop.check, **plain, "semantics": prop.chosen_semantics}


def memory_of(
    store: Store | None,
    model_sha256: str,
    inputs: InputShapes,
    preprocess: Sequence[PreprocessStep],
    prop: PropertySpec,
) -> Memory:
    """What the cache knows about a property of a model, under the given shapes and preprocessing."""
    if store is None:
        return Memory()
    parts = {
        "model": model_sha256,
        "inputs": repr(inputs.key) if inputs else "",
        "preprocess": repr([replace(step, span=None) for step in preprocess]),
        "property": property_parts(prop),
    }
    return Memory(store, parts)
