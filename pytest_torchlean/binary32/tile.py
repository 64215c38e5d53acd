"""The inner loop of products: a tile of outputs that stays in vector registers, as LLVM instructions.

For every row i and column j of the tile, the accumulator starts at +0 and becomes fl(acc + fl(a[i, k] *
b[k, j])) for k ascending: one `fmul` and one `fadd` without flags, which LLVM may neither fuse nor reorder.
Columns fill the lanes of vectors, so that a row's factor meets whole vectors of the right operand.

Importing this module imports numba.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _shape() -> tuple[int, int]:
    """Lanes of a vector, and vectors per row, for this machine: 6 rows of them and their operands fit its
    registers."""
    try:
        features = llvm.get_host_cpu_features()
    except RuntimeError:
        # LLVM cannot tell on this platform
        return 4, 2
    if features.get("avx512f"):
        return 16, 4
    if features.get("avx2"):
        return 8, 2
    return (4, 4) if features.get("neon") else (4, 2)


ROWS = 6
"""Rows of the largest tile."""
LANES, VECTORS = _shape()
WIDTH = LANES * VECTORS
"""Columns of the widest tile, and of a panel."""

_WIDTHS = tuple(count for count in (1, 2, 4) if count <= VECTORS)

_I64 = ir.IntType(64)
_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)


def _tile(
    typing: Any,
    rows: Any,
    columns: Any,
    a: Any,
    a_step: Any,
    b: Any,
    steps: Any,
    depth: Any,
    out: Any,
    out_step: Any,
) -> Any:
    """Outputs of the first 1 <= rows <= ROWS rows of a and 1 <= columns <= WIDTH columns of b.

    a, b, steps, out: addresses. a[i, k] is the float at a + 4 * (i * a_step + k); b[k, j] the one at
    b + 4 * (steps[k] + j), where steps are 64-bit integers; out[i, j] goes to out + 4 * (i * out_step + j).
    Whole vectors are read and written: up to the next multiple of LANES, 2 LANES or 4 LANES columns.
    """
    signature = types.void(*[types.intp] * 9)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        done = builder.append_basic_block("tile_done")
        for width in _WIDTHS:
            for height in range(1, ROWS + 1):
                fits = builder.icmp_signed("==", arguments[0], _number(height))
                if width < _WIDTHS[-1]:
                    narrow = builder.icmp_signed("<=", arguments[1], _number(width * LANES))
                    fits = builder.and_(fits, narrow)
                chosen = builder.append_basic_block(f"tile_{height}_{width}")
                following = builder.append_basic_block("tile_next")
                builder.cbranch(fits, chosen, following)
                builder.position_at_end(chosen)
                builder.call(_function(builder.module, height, width), arguments[2:])
                builder.branch(done)
                builder.position_at_end(following)
        builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return signature, generate


tile: Any = intrinsic(_tile)


def _function(module: Any, height: int, width: int) -> Any:
    """The loop for one size of tile: a function of its own, so that it has all registers to itself."""
    name = f"torchlean_tile_{height}_{width}"
    if name in module.globals:
        return module.globals[name]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_I64] * 7), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    _emit(ir.IRBuilder(function.append_basic_block("entry")), height, width, function.args)
    return function


def _emit(builder: Any, height: int, width: int, arguments: Any) -> None:
    a, a_step, b, steps, depth, out, out_step = arguments
    floats = _FLOAT.as_pointer()
    first = builder.inttoptr(a, floats)
    rows = [builder.gep(first, [builder.mul(a_step, _number(i))]) for i in range(height)]
    right = builder.inttoptr(b, floats)
    table = builder.inttoptr(steps, _I64.as_pointer())
    zero = ir.Constant(_VECTOR, [0.0] * LANES)
    before = builder.block
    loop, after = builder.append_basic_block("depth"), builder.append_basic_block("store")
    builder.cbranch(builder.icmp_signed(">", depth, _number(0)), loop, after)

    builder.position_at_end(loop)
    k = builder.phi(_I64)
    k.add_incoming(_number(0), before)
    sums = [builder.phi(_VECTOR) for _ in range(height * width)]
    row = builder.gep(right, [builder.load(builder.gep(table, [k]))])
    vectors = [_load(builder, row, j) for j in range(width)]
    added = []
    for i in range(height):
        factor = _broadcast(builder, builder.load(builder.gep(rows[i], [k])))
        for j in range(width):
            added.append(builder.fadd(sums[i * width + j], builder.fmul(factor, vectors[j])))
    following = builder.add(k, _number(1))
    k.add_incoming(following, loop)
    for total, new in zip(sums, added, strict=True):
        total.add_incoming(zero, before)
        total.add_incoming(new, loop)
    builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)

    builder.position_at_end(after)
    results = []
    for new in added:
        result = builder.phi(_VECTOR)
        result.add_incoming(zero, before)
        result.add_incoming(new, loop)
        results.append(result)
    first = builder.inttoptr(out, floats)
    for i in range(height):
        row = builder.gep(first, [builder.mul(out_step, _number(i))])
        for j in range(width):
            stored = builder.store(results[i * width + j], _place(builder, row, j))
            stored.align = 4
    builder.ret_void()


def _number(value: int) -> Any:
    return ir.Constant(_I64, value)


def _place(builder: Any, row: Any, j: int) -> Any:
    return builder.bitcast(builder.gep(row, [_number(j * LANES)]), _VECTOR.as_pointer())


def _load(builder: Any, row: Any, j: int) -> Any:
    loaded = builder.load(_place(builder, row, j))
    loaded.align = 4
    return loaded


def _broadcast(builder: Any, number: Any) -> Any:
    index = ir.IntType(32)
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    single = builder.insert_element(undefined, number, ir.Constant(index, 0))
    return builder.shuffle_vector(single, undefined, ir.Constant(ir.VectorType(index, LANES), [0] * LANES))
