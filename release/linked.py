"""Which libraries a program is linked to, read from its own bytes: ELF, Mach-O and PE, 64 bit, little endian.

Only what a repackager needs: the names it loads, and the oldest system that can load it.
Standard library only.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_LINKED_COMMANDS = {0xC, 0x80000018, 0x8000001F, 0x80000023}
"""LC_LOAD_DYLIB and its weak, re-exported and upward forms."""


class UnknownFormat(ValueError):
    """The bytes are no program of one of the three formats, or are cut off."""


@dataclass(frozen=True)
class Linked:
    """`needed`: names as the file states them. `minimum`: the glibc that it asks for, or the oldest macOS."""

    format: str
    needed: tuple[str, ...]
    minimum: tuple[int, ...] = ()


def linked(data: bytes | memoryview) -> Linked:
    """What the program in these bytes is linked to. Raises UnknownFormat."""
    view = memoryview(data)
    try:
        if bytes(view[:6]) == b"\x7fELF\x02\x01":
            return _elf(view)
        if bytes(view[:4]) == b"\xcf\xfa\xed\xfe":
            return _mach_o(view)
        if bytes(view[:2]) == b"MZ":
            return _pe(view)
    except (struct.error, IndexError, StopIteration, UnicodeDecodeError) as error:
        raise UnknownFormat(f"the program is cut off or damaged: {error}") from error
    raise UnknownFormat("neither ELF, Mach-O nor PE of 64 bit")


def _text(view: memoryview, start: int) -> str:
    for length in range(4096):
        if view[start + length] == 0:
            return bytes(view[start : start + length]).decode("ascii")
    raise UnknownFormat("a name does not end")


def _elf(view: memoryview) -> Linked:
    offset, size, count = (struct.unpack_from("<Q", view, 32)[0], *struct.unpack_from("<HH", view, 54))
    segments = [struct.unpack_from("<IIQQQQQQ", view, offset + size * k) for k in range(count)]
    loads = [(at, address, length) for kind, _, at, address, _, length, _, _ in segments if kind == 1]

    def place(address: int) -> int:
        return next(
            int(at + address - start) for at, start, length in loads if start <= address < start + length
        )

    entries: list[tuple[int, int]] = []
    for kind, _, at, _, _, length, _, _ in segments:
        if kind == 2:
            entries = [struct.unpack_from("<qQ", view, at + 16 * k) for k in range(length // 16)]
    values = dict(entries)
    if not entries:
        return Linked("elf", ())
    strings = place(values[5])
    needed = tuple(_text(view, strings + value) for tag, value in entries if tag == 1)
    newest: tuple[int, ...] = ()
    at = place(values[0x6FFFFFFE]) if 0x6FFFFFFE in values else 0
    for _ in range(values.get(0x6FFFFFFF, 0)):
        _, number, _, first, following = struct.unpack_from("<HHIII", view, at)
        aux = at + first
        for _ in range(number):
            name, step = struct.unpack_from("<II", view, aux + 8)
            match = re.fullmatch(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?", _text(view, strings + name))
            if match:
                newest = max(newest, (int(match[1]), int(match[2])))
            aux += step
        at += following
    return Linked("elf", needed, newest)


def _mach_o(view: memoryview) -> Linked:
    (count,) = struct.unpack_from("<I", view, 16)
    needed: list[str] = []
    minimum: tuple[int, ...] = ()
    at = 32
    for _ in range(count):
        command, size = struct.unpack_from("<II", view, at)
        if size < 8:
            raise UnknownFormat("a load command has no size")
        if command in _LINKED_COMMANDS:
            needed.append(_text(view, at + struct.unpack_from("<I", view, at + 8)[0]))
        if command in (0x32, 0x24):
            (version,) = struct.unpack_from("<I", view, at + (12 if command == 0x32 else 8))
            minimum = (version >> 16, version >> 8 & 255)
        at += size
    return Linked("mach-o", tuple(needed), minimum)


def _pe(view: memoryview) -> Linked:
    (at,) = struct.unpack_from("<I", view, 60)
    if bytes(view[at : at + 4]) != b"PE\0\0" or struct.unpack_from("<H", view, at + 24)[0] != 0x20B:
        raise UnknownFormat("no PE program of 64 bit")
    sections, optional = struct.unpack_from("<H", view, at + 6)[0], struct.unpack_from("<H", view, at + 20)[0]
    table = at + 24 + optional
    spans = [struct.unpack_from("<IIII", view, table + 40 * k + 8) for k in range(sections)]

    def place(address: int) -> int:
        return next(
            int(start + address - begin)
            for size, begin, raw, start in spans
            if begin <= address < begin + max(size, raw)
        )

    def names(directory: int, step: int, field: int) -> Iterator[str]:
        (address,) = struct.unpack_from("<I", view, at + 24 + 112 + 8 * directory)
        if not address:
            return
        entry = place(address)
        while True:
            (name,) = struct.unpack_from("<I", view, entry + field)
            if not name:
                return
            yield _text(view, place(name))
            entry += step

    return Linked("pe", (*names(1, 20, 12), *names(13, 32, 4)))
