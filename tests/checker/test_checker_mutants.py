"""Mutants of the checker: one definition changed, and the library's proofs no longer go through.

Each changed definition is well-formed, and accepts more than it should. The first module in which a proof
fails is named; everything before it compiles. Only that module is compiled, against the built library.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_torchlean.checker import BuiltLibrary, LeanInstall
from pytest_torchlean.checker.lean_process import run_lean
from pytest_torchlean.checker.library import OPTIONS
from pytest_torchlean.checker.messages import Message, parse_messages
from pytest_torchlean.checker.sources import ROOT, module_path, source_directory


@dataclass(frozen=True)
class Mutant:
    """`old` becomes `new`, once, after the first `after`; a proof fails in `fails` (default: in `module`)."""

    name: str
    module: str
    old: str
    new: str
    after: str = ""
    fails: str = ""


SOUNDNESS = "Thm.Soundness"
MUTANTS = (
    # decoding weights
    Mutant(
        "infinities-pass",
        "Check.Decode",
        "(Nat.beq (field 8 1 (exponents + u) u) 0)",
        "true",
        fails="Check.DecodeWords",
    ),
    Mutant(
        "no-leading-one",
        "Check.Decode",
        "(fractions + 2 ^ 23 * normal)",
        "fractions",
        "def words",
        "Check.DecodeWords",
    ),
    Mutant(
        "tiles-exchanged",
        "Check.DecodeTiles",
        "some (abreast first second)",
        "some (abreast second first)",
        "def tiles",
    ),
    # sums of products
    Mutant("negative-on-lower", "Check.Linear", "Nat.shiftRight mirrored", "Nat.shiftRight direct"),
    Mutant("sources-one-too-far", "Check.Apply", "(Nat.ble (Nat.succ (", "(Nat.ble ((", "def eachBelow"),
    Mutant("sources-one-too-far-at-once", "Check.Apply", "(Nat.sub limit 1)", "limit", "def allBelow"),
    Mutant(
        "sources-that-borrow",
        "Check.Apply",
        "(Decode.low 31 packed u)",
        "(Decode.low 32 packed u)",
        "def allBelow",
    ),
    # fixed point and rounding
    Mutant("upper-rounded-down", "Check.Row", "(Nat.sub e 1)) m) e)", "0) m) e)", "def push"),
    Mutant(
        "lower-rounded-up",
        "Check.Row",
        "(Nat.div (Nat.sub low m) e)",
        "(Nat.succ (Nat.div (Nat.sub low m) e))",
    ),
    Mutant(
        "above-the-top", "Check.Row", "(Nat.ble upper s.top)", "(Nat.ble upper (Nat.succ s.top))", "def push"
    ),
    Mutant(
        "packed-upper-rounded-down",
        "Check.Rows",
        "(Nat.add offset (Nat.sub (Nat.pow 2 k) 1))",
        "offset",
        "def divide",
    ),
    # nodes
    Mutant(
        "half-digits-overflow",
        "Check.AffineNode",
        "a.columns + 1) (2 ^ s.half)",
        "a.columns) (2 ^ s.half)",
        "def fits",
    ),
    Mutant(
        "sources-not-written-yet",
        "Check.AffineNode",
        "(wordsBelow start",
        "(wordsBelow (start + 1)",
        "def fits",
    ),
    Mutant("divisor-zero", "Check.AffineNode", "(Nat.ble 1 a.divisor)", "true", "def fits"),
    Mutant("wrong-power", "Check.AffineNode", "2 ^ (150 - d.base)", "2 ^ (149 - d.base)", "def run"),
    Mutant(
        "mass-forgotten",
        "Check.AffineNode",
        "(s.center * (Prepared.summed a d lanes).masses",
        "(s.unit * (Prepared.summed a d lanes).masses",
        "def run",
    ),
    Mutant("relu-without-zero", "Check.ReluNode", "(Nat.add zeros raised)", "raised", "namespace Relu"),
    Mutant("relu-reads-beyond", "Check.Script", "(Nat.ble (first + n) count)", "true", "namespace Node"),
    Mutant(
        "maximum-is-minimum", "Check.Extremum", "(Nat.sub x d) (Nat.add y d)", "(Nat.add y d) (Nat.sub x d)"
    ),
    Mutant("maximum-reads-beyond", "Check.Extremum", "(Nat.sub limit 1)", "limit", "def below"),
    # smooth activations
    Mutant("power-rounded-down", "Check.Exponential", "(Nat.mul bits 255)) extra)", "(Nat.mul bits 255)) 0)"),
    Mutant(
        "start-rounded-down",
        "Check.Exponential",
        "(Nat.succ (Nat.div (Nat.mul one",
        "(id (Nat.div (Nat.mul one",
    ),
    Mutant("lost-power", "Check.Exponential", "(Nat.pow b 256)", "(Nat.pow b 255)"),
    Mutant(
        "reciprocal-of-the-lower",
        "Check.Exponential",
        "(up bits count measure one (Nat",
        "(down bits count measure one (Nat",
        "def below",
    ),
    Mutant(
        "reciprocal-of-the-lower-in-place",
        "Check.Logistic",
        "(Exponential.up bits",
        "(Exponential.down bits",
        "def lowest",
    ),
    Mutant(
        "lowest-of-the-upper",
        "Check.Logistic",
        "(Exponential.down bits",
        "(Exponential.up bits",
        "def lowest",
    ),
    Mutant(
        "highest-rounded-down",
        "Check.Logistic",
        "next (Nat.succ (Nat.add base",
        "next (id (Nat.add base",
        "def highest",
    ),
    Mutant("products-of-others", "Check.Bilinear", "(Nat.mul 64 (Nat.mul terms index))", "0", "def results"),
    Mutant("products-unordered", "Check.Bilinear", "(Nat.ble lower upper)", "true", "def results"),
    Mutant("quotients-of-others", "Check.Quotient", "(Nat.mul 64 index)", "0", "def results"),
    Mutant("slots-one-too-far", "Check.Curve", "(Nat.add first m)", "first", "def each"),
    Mutant(
        "bounds-without-budget",
        "Check.CurveBounds",
        "widen center relative constant low high next",
        "next low high",
    ),
    Mutant(
        "fraction-rounded-down",
        "Check.Logistic",
        "(next (Nat.succ (Nat.add base",
        "(next (id (Nat.add base",
        "def upper",
    ),
    Mutant(
        "no-budget",
        "Check.CurveBounds",
        "widen s.center relative constant low high next",
        "next low high",
    ),
    Mutant(
        "budget-rounded-down",
        "Check.CurveBounds",
        "(Nat.succ (Nat.shiftRight (Nat.add (Nat.mul relative",
        "(id (Nat.shiftRight (Nat.add (Nat.mul relative",
    ),
    Mutant("tanh-of-x", "Check.Logistic", "| .tanh => 2", "| .tanh => 1", "def factor"),
    Mutant("integral-without-its-rest", "Check.Gauss", "(Nat.sub all rest) grown", "all grown", "def above"),
    Mutant("integral-rounded-up", "Check.Gauss", "series 0 twice", "series 1 twice", "def below"),
    Mutant(
        "error-function-by-another-limit",
        "Check.ErrorFunction",
        "(Nat.mul b limitAbove)",
        "(Nat.mul b limitBelow)",
        "def least",
    ),
    Mutant(
        "error-function-one-too-soon",
        "Check.ErrorFunction",
        "(next unit)",
        "(next (Nat.sub unit 1))",
        "def most",
    ),
    Mutant(
        "circle-without-its-rest",
        "Check.Circle",
        "(Nat.add m' (Nat.succ",
        "(Nat.add m' (Nat.mul 0",
        "def point",
    ),
    Mutant("turn-without-the-square", "Check.Turn", "(Nat.mul r r)", "0", "def spread"),
    Mutant("turn-by-one-side", "Check.Turn", "(Nat.sub center c)", "0", "def spread"),
    Mutant("turn-over-too-wide", "Check.Turn", "(Nat.ble r unit)", "true", "def middle"),
    Mutant("curve-above-the-top", "Check.Curve", "(Nat.ble high top)", "true", "def each"),
    Mutant("curve-reads-beyond", "Check.Curve", "(Nat.ble (Nat.add first n) count)", "true", "def run"),
    Mutant("curve-overflows", "Check.Curve", "(Nat.pow 2 127)", "(Nat.pow 2 129)", "def run"),
    Mutant("limit-unchecked", "Check.Curve", "(Nat.ble (Nat.succ limit) measure)", "true", "def run"),
    Mutant(
        "residual-without-budget",
        "Check.Residual",
        "(Nat.mul factor (Nat.succ (Nat.shiftRight",
        "(Nat.mul 0 (Nat.succ (Nat.shiftRight",
        "def settledOf",
    ),
    Mutant(
        "rise-rounded-down",
        "Check.ResidualPiece",
        "(Nat.succ (Nat.sub (Nat.div (Nat.mul factor",
        "(id (Nat.sub (Nat.div (Nat.mul factor",
        "def pieceOf",
    ),
    Mutant(
        "steep-ways-that-do-not-meet",
        "Check.ResidualPiece",
        "(Nat.mul up down)",
        "0",
        "def pieceOf",
    ),
    Mutant(
        "upper-meeting-rounded-down",
        "Check.ResidualPiece",
        "(Nat.succ (Nat.div (Nat.add",
        "(id (Nat.div (Nat.add",
    ),
    Mutant("one-piece-dropped", "Check.Residual", "(Nat.add hi (Nat.sub hi' hi))", "hi", "def cover"),
    Mutant("sign-known-at-zero", "Check.Sign", "(Nat.ble (Nat.succ center) l)", "(Nat.ble center l)"),
    Mutant("sign-known-below-zero", "Check.Sign", "(Nat.ble (Nat.succ u) center)", "(Nat.ble u center)"),
    Mutant("frame-too-narrow-before", "Check.Relaxation.Reframe", "(Nat.ble x.count frame.width)", "true"),
    Mutant("frame-too-narrow-behind", "Check.Relaxation.Reframe", "(Nat.ble x.count width)", "true"),
    Mutant("coefficients-beyond-a-digit", "Check.Relaxation.Reframe", "(Nat.ble x.size frame.digit)", "true"),
    Mutant("gains-beyond-the-frame", "Check.Relaxation.Reframe", "(Nat.succ x.limit) (Nat.pow 2 old)", "0 1"),
    Mutant(
        "gains-put-back-too-narrow", "Check.Relaxation.Reframe", "(Nat.succ limit) (Nat.pow 2 new)", "0 1"
    ),
    Mutant("losses-left-apart", "Check.Relaxation.Reframe", "(spaced new old frame.rows loss')", "loss'"),
    Mutant("tangent-beyond-the-end", "Check.Concave", "(Nat.ble t u)", "true"),
    Mutant("tangent-before-the-end", "Check.Concave", "(Nat.ble l t)", "true"),
    Mutant("logarithm-at-one-end", "Check.Concave", "(Nat.sub a (Nat.sub a b))", "a"),
    Mutant("logarithm-at-zero", "Check.Concave", "(Nat.ble (Nat.succ center) l)", "(Nat.ble center l)"),
    Mutant("tangent-off-one-way", "Check.Concave", "(Nat.sub t l))) p", "0)) p"),
    Mutant("tangent-rounded-down", "Check.Concave", "(Nat.succ (Nat.div (Nat.add", "(id (Nat.div (Nat.add"),
    Mutant(
        "steps-without-budget",
        "Check.Stepwise",
        "(Nat.mul factor (Nat.succ (Nat.shiftRight",
        "(Nat.mul 0 (Nat.succ (Nat.shiftRight",
        "def stepped",
    ),
    Mutant("one-step-dropped", "Check.Stepwise", "(Nat.add hi (Nat.sub hi' hi))", "hi", "def stepwise"),
    Mutant("step-by-the-wrong-end", "Check.Stepwise", "(Nat.sub top u)", "(Nat.sub top l)", "def stepwise"),
    Mutant("steps-above-the-top", "Check.Stepwise", "(Nat.ble u top)", "true", "def stepped"),
    Mutant(
        "residual-above-the-room",
        "Check.Relaxation.Residuals",
        "(Nat.ble hi (Nat.mul",
        "(Nat.ble 0 (Nat.mul",
        "def residuals",
    ),
    Mutant(
        "falling-step-by-the-wrong-end",
        "Check.Stepwise",
        "(Nat.mul fall u)",
        "(Nat.mul fall l)",
        "def stepwise",
    ),
    Mutant(
        "slopes-without-room",
        "Check.Relaxation.Residuals",
        "(Nat.ble total steep)",
        "(Nat.ble 0 steep)",
        "def residuals",
    ),
    Mutant(
        "falling-lines-dropped",
        "Check.Relaxation.Slanted",
        "(Nat.add (scaleColumns b w n R bits p lines) (scaleColumns b w n R bits q down))",
        "(scaleColumns b w n R bits p lines)",
        "def slanted",
    ),
    Mutant(
        "falling-lines-that-rise",
        "Check.Relaxation.Slanted",
        "(scaleColumns b w n R bits q down)",
        "(scaleColumns b w n R bits p down)",
        "def slanted",
    ),
    Mutant(
        "logistic-line-that-falls",
        "Check.Relaxation.Slide",
        "both (Nat.beq fall 0)",
        "both (Nat.beq 0 0)",
        "def slideLogistic",
    ),
    Mutant(
        "residuals-raised-too-little",
        "Check.Relaxation.Slanted",
        "(Nat.mul (Nat.add unit (Nat.pow 2 size)) s.center)",
        "(Nat.mul unit s.center)",
        "def slide ",
    ),
    Mutant(
        "line-of-another-node",
        "Check.Relaxation.Walk",
        "(Nat.beq x.start p.start)\n          (Rules.slide",
        "true\n          (Rules.slide",
    ),
    # sets of rules
    Mutant(
        "no-rules-accept",
        "Check.Rules",
        "_ _ _ _ _ _ _ _ => false",
        "_ _ _ _ _ _ _ _ => true",
        "def Rules.plain",
    ),
    Mutant(
        "relu-by-the-rules-for-curves",
        "Smooth",
        "(fun _ _ => false) (fun _ _ => false) (fun _ _ => false)",
        "(fun _ _ => true) (fun _ _ => false) (fun _ _ => false)",
        "def smoothNode",
    ),
    Mutant(
        "curve-stages-and-bits-are-slots",
        "Smooth",
        "step.radius step.first first n",
        "step.radius step.first n first",
        "def smoothNode",
    ),
    Mutant(
        "rows-through-products", "Smooth", "(fun _ _ _ => false)", "(fun _ _ _ => next x)", "def smoothSlide"
    ),
    # boxes
    Mutant("no-denominator", "Check.Box", "both (Nat.ble 1 b.denominator)", "both true", "def fits"),
    Mutant(
        "sides-exchanged",
        "Check.Box",
        "inputs b.lower b.upper direct",
        "inputs b.upper b.lower direct",
        "def run",
    ),
    Mutant("hull-without-its-margin", "Check.Hull", "(2 ^ 23 - 1)", "(2 ^ 23)", "def down"),
    # binary32
    Mutant(
        "rounding-error-rounded-down",
        "Check.Widen",
        "Nat.succ (Nat.div",
        "(Nat.div",
        "def errorFactor",
        "Check.Rounded",
    ),
    Mutant(
        "overflow-twice-as-high",
        "Check.Widen",
        "(2 ^ 48 * s.unit * overflow",
        "(2 ^ 49 * s.unit * overflow",
        fails="Check.Rounded",
    ),
    Mutant(
        "radius-unchecked", "Check.Rounded", "(slotsWithin s step.radius 0 2 direct)", "true", "def coarse"
    ),
    Mutant(
        "signed-error-rounded-down",
        "Check.SignedError",
        "(Nat.mul (Nat.sub (Nat.pow 2 48) 1) units)) units)",
        "(Nat.mul 0 units)) units)",
        "def signed",
    ),
    Mutant("smaller-side-charged", "Check.SignedError", "s.half up down", "s.half down up", "def signed"),
    Mutant(
        "one-rounding-less-for-each-sum",
        "Check.RowError",
        "(n - 1) * larger",
        "(n - 2) * larger",
        "def signedError",
    ),
    Mutant("products-not-rounded", "Check.RowError", "(weight + (n", "(0 * weight + (n", "def signedError"),
    Mutant(
        "roundings-that-do-not-grow", "Check.AnyOrderSigned", "2 ^ 24 + 2 * k", "2 ^ 24", "def roundingShare"
    ),
    Mutant(
        "slots-of-two-bounds-not-counted",
        "Check.LiveSlots",
        "(Nat.sub (Nat.shiftRight (Nat.sub bounds low) s.half) low))",
        "(Nat.sub low low))",
        "def differing",
    ),
    Mutant(
        "other-slots-counted",
        "Check.LiveSlots",
        "(Dense.consecutive n first a.sources)",
        "true",
        "def products",
    ),
    Mutant("one-position-counted", "Check.LiveSlots", "(Nat.beq a.positions 1)", "true", "def products"),
    Mutant(
        "later-columns-not-counted",
        "Check.LiveSlots",
        "(Columns.filled (Dense.drop n columns))",
        "0",
        "def products",
    ),
    Mutant(
        "columns-below-zero-not-counted",
        "Check.Live",
        "(Nat.beq (Nat.add c.positive c.negative) 0)",
        "(Nat.beq c.positive 0)",
        "def filled",
    ),
    Mutant("lower-bounds-not-lowered", "Check.Sides", "(Nat.sub direct lows)", "direct", "def withZero"),
    Mutant("upper-bounds-not-raised", "Check.Sides", "(Nat.pow 2 s.half) highs", "0 highs", "def withZero"),
    # cases
    Mutant("split-outside-the-bounds", "Check.Split", "(Nat.ble l value)", "true", "def run"),
    Mutant(
        "one-case-dropped", "Check.Split", "(set s slot direct mirrored l u value u above)", "true", "def run"
    ),
    Mutant("split-of-an-unwritten-slot", "Check.Split", "(Nat.succ slot) count", "slot count", "def run"),
    # multipliers
    Mutant(
        "the-other-bound",
        "Check.Relaxation.Multiply",
        "(lows s direct (Nat.add start m.place) 1) (lows s mirrored",
        "(lows s mirrored (Nat.add start m.place) 1) (lows s direct",
        "def bound",
    ),
    Mutant(
        "a-multiplier-for-nothing",
        "Check.Relaxation.Multiply",
        "(Nat.add loss (Nat.mul unit s.center))",
        "loss",
        "def add",
    ),
    Mutant(
        "multipliers-in-a-row-too-many",
        "Check.Relaxation.Multiply",
        "(Nat.succ m.row) frame.rows",
        "m.row frame.rows",
        "def add",
    ),
    # the property
    Mutant("weak-for-strict", "Check.Property", "(Nat.succ mass)", "mass", "def rowPositive"),
    Mutant("forms-at-many-positions", "Check.Property", "(Nat.beq p.forms.positions 1)", "true", "def run"),
    Mutant("a-clause-without-a-row", "Check.Clauses", "(both seen (rest", "(both true (rest", "def pass"),
    Mutant("no-alternatives", "Check.Clauses", "(Nat.ble 1 alternatives)", "true", "def run"),
    Mutant("errors-not-charged", "Check.Compose", "(mass + mass' + charged)", "(mass + mass')", "def run"),
    Mutant(
        "composed-columns-elsewhere",
        "Check.Compose",
        "(consecutive a.rows start p.forms.sources)",
        "true",
        "def fits",
    ),
    Mutant(
        "nodes-left-over",
        "Check.Script",
        "(fun _ _ _ => false) nodes)",
        "(fun _ _ _ => true) nodes)",
        "def run",
    ),
    # the whole
    # weights prepared once
    Mutant(
        "row-stands-still",
        "Check.Relaxation.RowProducts",
        "rowSum b mask ws (Nat.shiftRight x b) (cond",
        "rowSum b mask ws x (cond",
        "def rowSum",
    ),
    Mutant(
        "words-compared-modulo-the-first",
        "Check.Dense",
        "(ones 32 (Nat.succ count))) start)",
        "(ones 32 (Nat.succ count))) (Nat.land packed (Nat.sub (Nat.pow 2 32) 1)))",
        "def consecutive",
    ),
    Mutant(
        "words-that-overflow",
        "Check.Dense",
        "(Nat.ble (Nat.add start count) (Nat.pow 2 32))",
        "true",
        "def consecutive",
    ),
    Mutant(
        "run-not-compared",
        "Check.Relaxation.ByRows",
        "(Dense.consecutive n field.first sources)",
        "true",
        "def runs",
    ),
    Mutant(
        "other-columns-without-room",
        "Check.Relaxation.ByRows",
        "(Nat.ble (Nat.sub count n) field.frame.width)",
        "true",
        "def runs",
    ),
    Mutant(
        "another-nodes-weights",
        "Evaluated.Kept",
        "(both (Nat.beq a.sources b.sources) (Nat.beq a.weights b.weights))",
        "(Nat.beq a.sources b.sources)",
        "def sameAffine",
    ),
    Mutant(
        "another-decoding",
        "Evaluated.Kept",
        "both (Nat.beq d.base e.base) (both",
        "both true (both",
        "def sameDecoding",
    ),
    Mutant(
        "rows-of-other-digits",
        "Evaluated.Kept",
        "(both (Nat.beq k.digit digit) (Nat.beq k.count count))",
        "(both true (Nat.beq k.count count))",
        "def recallRows",
    ),
    Mutant(
        "composition-of-another-size",
        "Evaluated.Kept",
        "(both (Nat.beq k.size size) (both",
        "(both true (both",
        "def recallComposed",
    ),
    Mutant(
        "composition-of-another-property",
        "Evaluated.Kept",
        "(both (sameAffine k.forms forms) (sameAffine k.affine a))",
        "(sameAffine k.affine a)",
        "def recallComposed",
    ),
    # loops that take the place of the kernel's definitions in compiled code
    Mutant("memory-from-another-slot", "Check.Linear", "(Nat.sub slot place)", "slot", "def restAt"),
    Mutant(
        "mirrored-not-added",
        "Check.Linear",
        "mirroredRest mask) negative",
        "rest mask) negative",
        "def accumulateLoop",
    ),
    Mutant("more-ones-than-stored", "Check.Ones", "Nat.ble m s.digits", "true", "def findOnes"),
    Mutant(
        "slots-not-moved",
        "Check.AffineNode",
        "(Nat.shiftLeft tail (",
        "(Nat.mul tail (",
        "def compiledExtend",
    ),
    Mutant(
        "script-missing", "Check.Certificate", "=> Bool) false", "=> Bool) true", "def checkBoxes", SOUNDNESS
    ),
    Mutant(
        "claim-missing", "Check.Certificate", "=> Bool) false", "=> Bool) true", "def checkClaims", SOUNDNESS
    ),
    Mutant("unit-zero", "Check.Certificate", "(Nat.ble 1 s.unit)", "true", "def fitting"),
    Mutant("top-too-high", "Check.Certificate", "(s.top + 1)", "s.top", "def fitting"),
    Mutant(
        "box-not-its-hull", "Check.Certificate", "(Box.runHull ", "(Box.run ", "def checkCases", SOUNDNESS
    ),
    # backward rows
    Mutant(
        "row-weak-for-strict", "Check.Relaxation.Conclude", "(Nat.succ loss) gain", "loss gain", "def gains"
    ),
    Mutant("rows-without-scale", "Check.Relaxation.Conclude", "(Nat.ble 1 scale)", "true", "def conclude"),
    Mutant(
        "loss-not-charged", "Check.Relaxation.Reduce", "(Nat.add x.limit charge)", "x.limit", "def reduce"
    ),
    Mutant(
        "steep-lines",
        "Check.Relaxation.Bend",
        "(Nat.pow 2 bits) high)",
        "(Nat.pow 2 (Nat.succ bits)) high)",
        "def bend",
    ),
    Mutant(
        "upper-for-lower",
        "Check.Relaxation.GatherBounds",
        "(Nat.mul v (Nat.sub 1 (Nat.land goal 1)))",
        "v",
        "def gather",
    ),
    Mutant(
        "columns-in-each-other",
        "Check.Relaxation.Turn",
        "(Nat.mul (Nat.mul C m) (Nat.pow 2 l))",
        "(Nat.mul C (Nat.pow 2 l))",
        "def halved",
    ),
    Mutant(
        "turned-with-its-padding",
        "Check.Relaxation.Swap",
        "(Nat.mul c (Nat.sub (Nat.mul side count) n))",
        "0",
        "def turned",
    ),
    Mutant(
        "more-columns-than-a-tile-holds", "Check.Relaxation.Lane", "(Nat.ble count c)", "true", "def dotsOf"
    ),
    Mutant(
        "digit-next-to-the-product",
        "Check.Relaxation.Lane",
        "(Nat.mul b (Nat.sub m 1))",
        "(Nat.mul b m)",
        "def dotsBeside",
    ),
    Mutant(
        "mask-below-the-products",
        "Check.Relaxation.Lane",
        "(Nat.shiftLeft (Nat.mul (Nat.sub (Nat.pow 2 b) 1) (ones (Nat.mul b c) R)) down)",
        "(Nat.mul (Nat.sub (Nat.pow 2 b) 1) (ones (Nat.mul b c) R))",
        "def dotsBeside",
    ),
    # what the compiler puts in place of the kernel's definitions
    Mutant("an-odd-one-missing", "Check.Ones", "(Nat.mod m 2)", "0", "def onesDoubled"),
    Mutant("masks-a-bit-too-wide", "Check.Ones", "(Nat.shiftLeft u k)", "(Nat.shiftLeft u (Nat.succ k))"),
    Mutant(
        "words-of-another-part",
        "Check.Relaxation.Gathered",
        "(Nat.shiftRight places (Nat.mul 32 (Nat.mul 16 (Nat.pow 2 l))))",
        "places",
        "def inParts",
    ),
    Mutant(
        "parts-not-shifted",
        "Check.Relaxation.Gathered",
        "(Nat.mul stride (Nat.mul 16",
        "(Nat.mul 1 (Nat.mul 16",
        "def inParts",
    ),
    Mutant(
        "a-word-with-its-neighbour",
        "Check.Relaxation.Returned",
        "(2 ^ 32 - 1)",
        "(2 ^ 33 - 1)",
        "def maskedWord",
    ),
    Mutant("a-piece-from-elsewhere", "Check.Tiles", "(Nat.mul c t)", "c", "def compiledPiece"),
    # forms carried forward
    Mutant(
        "a-part-dropped",
        "Check.Forward.Parts",
        "(below (capped value ranges input))",
        "true",
        "def Cuts.run",
    ),
    Mutant("middle-above-the-top", "Check.Forward.Tree", "(Nat.ble m s.top)", "true", "def measure"),
    Mutant(
        "dropped-digits-not-charged",
        "Check.Forward.Product",
        "(Nat.succ (Nat.div (total magnitudes)",
        "(Nat.pred (Nat.div (total magnitudes)",
        "def substitute",
        fails="Check.Forward.Affine",
    ),
    Mutant(
        "offset-at-one-end",
        "Check.Forward.Relu",
        "(Matrix.multiply s.stride n (Nat.succ slope) positive",
        "(Matrix.multiply s.stride n (Nat.succ slope) negative",
        "def offsets",
    ),
    Mutant(
        "reach-not-charged",
        "Check.Forward.Finish",
        "(Nat.add (Nat.add a.mass a.restMass) reach)",
        "(Nat.add a.mass a.restMass)",
        "def finish",
    ),
    Mutant(
        "layers-from-elsewhere",
        "Check.Forward.Prepare",
        "both (Nat.beq first origin)",
        "both true",
        "def build",
    ),
    Mutant("layers-of-other-sizes", "Check.Forward.Prepare", "(Nat.beq count n)", "true", "def build"),
    Mutant(
        "ranges-not-written-yet",
        "Check.Forward.Conclude",
        "(Nat.ble (Nat.add origin inputs) memory)",
        "true",
        "def conclude",
    ),
    # functions that the kernel computes by name
    Mutant("land-is-lor", "Core.Data", "cond a b false", "cond a true b", "Nat.land", "Core.NatEquations"),
    Mutant(
        "remainder-of-another",
        "Core.Data",
        "Nat.sub n (Nat.mul m ",
        "Nat.sub m (Nat.mul m ",
        "Nat.mod",
        "Core.NatEquations",
    ),
)


def place_of(words: str, text: str, start: int) -> re.Match[str]:
    """Where the words stand first from `start` on, however their lines are broken."""
    found = re.compile(r"\s+".join(map(re.escape, re.split(r"\s+", words)))).search(text, start)
    if found is None:
        raise ValueError(words)
    return found


def mutated(mutant: Mutant) -> tuple[str, int, int]:
    """The changed text, and the first and last line of the definition that changed."""
    path = source_directory() / module_path(f"{ROOT}.{mutant.module}", ".lean")
    text = path.read_text(encoding="utf-8")
    start = place_of(mutant.after, text, 0).start()
    found = place_of(mutant.old, text, start)
    place = found.start()
    changed = text[:place] + mutant.new + text[found.end() :]
    assert changed != text
    first = text.count("\n", 0, place) + 1
    lines = changed.split("\n")
    last = first
    while lines[last].startswith((" ", "\t")):
        last += 1
    return changed, first, last


def compiled(
    lean: LeanInstall, module: str, text: str, folder: Path, oleans: Path, output: Path | None = None
) -> tuple[Message, ...]:
    """The errors of a module's text."""
    source = folder / "source" / module_path(f"{ROOT}.{module}", ".lean")
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(text, encoding="utf-8")
    arguments = ["--json", *OPTIONS, f"--root={folder / 'source'}"]
    if output is not None:
        arguments += ["-o", str(output)]
    result = run_lean(
        lean,
        [*arguments, str(source)],
        directory=folder,
        lean_path=[oleans],
        wall_seconds=120,
        memory_mb=3072,
        threads=1,
    )
    errors = tuple(m for m in parse_messages(result.stdout) if m.severity == "error")
    assert result.code == (1 if errors else 0)
    return errors


def overlay(library: BuiltLibrary, module: str, folder: Path) -> Path:
    """The built library with links to its files, the named module left out."""
    own = module_path(f"{ROOT}.{module}", ".olean")
    for known in library.modules:
        path = module_path(known, ".olean")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if path != own:
            os.symlink(library.olean_directory / path, folder / path)
    return folder


def outcome(mutant: Mutant, lean: LeanInstall, library: BuiltLibrary, folder: Path) -> str:
    """Empty if a proof fails where it should, otherwise what happened instead."""
    folder.mkdir()
    try:
        text, first, last = mutated(mutant)
    except ValueError:
        return "finds nothing to change"
    if not mutant.fails:
        errors = compiled(lean, mutant.module, text, folder, library.olean_directory)
        if not errors:
            return "is accepted"
        inside = [error for error in errors if first <= error.line <= last]
        return f"is no definition: {inside[0].text}" if inside else ""
    oleans = overlay(library, mutant.module, folder / "oleans")
    own = oleans / module_path(f"{ROOT}.{mutant.module}", ".olean")
    errors = compiled(lean, mutant.module, text, folder, oleans, own)
    if errors:
        return f"fails in its own module: {errors[0].text}"
    later = source_directory() / module_path(f"{ROOT}.{mutant.fails}", ".lean")
    errors = compiled(lean, mutant.fails, later.read_text(encoding="utf-8"), folder, oleans)
    return "" if errors else f"is accepted by {mutant.fails}"


@pytest.fixture(scope="module")
def outcomes(
    lean: LeanInstall, library: BuiltLibrary, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """What became of every mutant, two at a time."""
    folder = tmp_path_factory.mktemp("mutants")
    with ThreadPoolExecutor(max_workers=2) as pool:
        found = pool.map(lambda mutant: outcome(mutant, lean, library, folder / mutant.name), MUTANTS)
        yield dict(zip((mutant.name for mutant in MUTANTS), found, strict=True))


def test_no_proof_survives_a_changed_definition(outcomes: dict[str, str]) -> None:
    assert {name: said for name, said in outcomes.items() if said} == {}
    assert len(outcomes) == len(MUTANTS) >= 25


def test_the_unchanged_module_compiles(lean: LeanInstall, library: BuiltLibrary, tmp_path: Path) -> None:
    for module in ("Check.Split", SOUNDNESS):
        text = (source_directory() / module_path(f"{ROOT}.{module}", ".lean")).read_text(encoding="utf-8")
        assert compiled(lean, module, text, tmp_path, library.olean_directory) == ()


def test_a_definition_that_is_none_does_not_count(
    lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    broken = Mutant("broken", "Check.Split", "(Nat.ble l value)", "(Nat.ble l)", "def run")
    harmless = Mutant("harmless", "Check.Split", "lies at or below", "is at most")
    assert "is no definition" in outcome(broken, lean, library, tmp_path / "broken")
    assert outcome(harmless, lean, library, tmp_path / "harmless") == "is accepted"
