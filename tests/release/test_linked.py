"""What a program is linked to, from its bytes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from small_programs import elf, mach_o, pe


def test_small_programs() -> None:
    from linked import Linked, linked

    assert linked(
        elf(["libc.so.6", "libx.so"], ["GLIBC_2.4", "GLIBC_2.17", "GLIBC_2.2.5", "X_9.9"])
    ) == Linked("elf", ("libc.so.6", "libx.so"), (2, 17))
    assert linked(elf([])) == Linked("elf", ())
    assert linked(mach_o(["@rpath/libx.dylib", "/usr/lib/libSystem.B.dylib"], (11, 3))) == Linked(
        "mach-o", ("@rpath/libx.dylib", "/usr/lib/libSystem.B.dylib"), (11, 3)
    )
    assert linked(pe(["KERNEL32.dll", "libx.dll"])) == Linked("pe", ("KERNEL32.dll", "libx.dll"))


@pytest.mark.parametrize("program", [elf(["libc.so.6"], ["GLIBC_2.17"]), mach_o(["x"], (11, 0)), pe(["x"])])
def test_a_program_that_is_cut_off_is_noticed_or_read(program: bytes) -> None:
    from linked import UnknownFormat, linked

    noticed = 0
    for length in range(len(program)):
        try:
            linked(program[:length])
        except UnknownFormat:
            noticed += 1
    assert noticed > len(program) / 2


def test_a_text_is_no_program() -> None:
    from linked import UnknownFormat, linked

    with pytest.raises(UnknownFormat):
        linked(b"#!/bin/sh\n")


def test_a_program_of_this_machine() -> None:
    from linked import UnknownFormat, linked

    try:
        found = linked(Path(sys.executable).resolve().read_bytes())
    except UnknownFormat:
        pytest.skip("Python here is no ELF, Mach-O or PE program of 64 bit")
    assert found.needed
