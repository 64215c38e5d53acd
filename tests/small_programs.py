"""The least bytes that are a linked program: ELF, Mach-O and PE, each of 64 bit."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def elf(needed: Sequence[str], versions: Sequence[str] = ()) -> bytes:
    """An ELF file whose addresses are its offsets plus 0x1000."""
    base = 0x1000
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in (*needed, *versions))

    def name(text: str) -> int:
        return strings.index(b"\0" + text.encode() + b"\0") + 1

    header, table = 64, 2 * 56
    dynamic_size = 16 * (len(needed) + 4)
    dynamic = header + table
    string_place = dynamic + dynamic_size
    need_place = string_place + len(strings)
    entries = [(1, name(one)) for one in needed]
    entries += [(5, base + string_place)]
    entries += [(0x6FFFFFFE, base + need_place), (0x6FFFFFFF, 1)] if versions else [(0, 0)] * 2
    entries += [(0, 0)]
    need = struct.pack("<HHIII", 1, len(versions), 0, 16, 0) if versions else b""
    for k, version in enumerate(versions):
        need += struct.pack("<IHHII", 0, 0, 0, name(version), 16 if k + 1 < len(versions) else 0)
    total = need_place + len(need)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    head = ident + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, header, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, total, total, 0x1000)
    linked = struct.pack("<IIQQQQQQ", 2, 6, dynamic, base + dynamic, 0, dynamic_size, dynamic_size, 8)
    body = b"".join(struct.pack("<qQ", *entry) for entry in entries)
    return head + load + linked + body + strings + need


def mach_o(needed: Sequence[str], minimum: tuple[int, int]) -> bytes:
    """A Mach-O file that loads these libraries on macOS of at least this version."""
    commands = [struct.pack("<6I", 0x32, 24, 1, minimum[0] << 16 | minimum[1] << 8, 0, 0)]
    for name in needed:
        padded = name.encode() + b"\0" * (8 - len(name) % 8)
        commands.append(struct.pack("<6I", 0xC, 24 + len(padded), 24, 0, 0, 0) + padded)
    size = sum(map(len, commands))
    return struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 2, len(commands), size, 0, 0) + b"".join(commands)


def pe(needed: Sequence[str]) -> bytes:
    """A PE32+ file with one section that holds the import table at address 0x2000."""
    base, raw = 0x2000, 0x400
    table_size = 20 * (len(needed) + 1)
    names = b""
    table = b""
    for name in needed:
        table += struct.pack("<5I", 1, 0, 0, base + table_size + len(names), 0)
        names += name.encode() + b"\0"
    table += bytes(20)
    section = table + names
    optional = (
        struct.pack("<H", 0x20B) + bytes(110) + bytes(8) + struct.pack("<II", base, table_size) + bytes(112)
    )
    head = b"MZ" + bytes(58) + struct.pack("<I", 64)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, len(optional), 0)
    row = b".rdata\0\0" + struct.pack("<IIII", len(section), base, len(section), raw) + bytes(16)
    start = head + coff + optional + row
    return start + bytes(raw - len(start)) + section
