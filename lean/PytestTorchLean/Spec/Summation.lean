prelude
import PytestTorchLean.Algebra.Order
/-!
# Sums of products in binary32, in every order

Numbers here are counted in units of `2^-149`, the smallest positive binary32 number: a ring has no
fractions, and every finite binary32 number is a whole number of these units.

A runtime may add the products of a row in any order and grouping, with fused multiply-adds or without.
`Sums` is the relation of everything it may get; `IsSum` leaves out the products that are 0. Exponents are
unbounded above here; that no operation exceeds the largest finite number is a separate conclusion
(`Node.Finite` in Spec/Graph), so that an execution without overflow is exactly what IEEE-754 prescribes.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-- The absolute value of `x` is at most `a`. -/
def AtMost (x a : K) : Prop := x ≤ a ∧ -x ≤ a

/-- `r` is `s` rounded to binary32: half a unit in the last place, which is at most `2^-24 |s|` for normal
    numbers and half the smallest subnormal below them. (`a` stands for `|s|`.) -/
def Rounds (s r : K) : Prop :=
  ∀ a, AtMost s a → AtMost (natural (2 ^ 24) * (r - s)) (a + natural (2 ^ 23))

/-- `t` is `s` in another order. -/
inductive Reordered : List K → List K → Prop where
  | nil : Reordered [] []
  | cons (x : K) {s t : List K} : Reordered s t → Reordered (x :: s) (x :: t)
  | swap (x y : K) (s : List K) : Reordered (x :: y :: s) (y :: x :: s)
  | trans {s t v : List K} : Reordered s t → Reordered t v → Reordered s v

/-- One list after the other. -/
def joined : List K → List K → List K
  | [], t => t
  | x :: s, t => x :: joined s t

/-- Whether an operation's result has been rounded yet. -/
inductive Stage where
  | exact
  | rounded

/-- `Sums stage terms r`: `r` may be computed for the sum of the exact products `terms`.
    A product that is not rounded is an operand of a fused multiply-add. -/
inductive Sums : Stage → List K → K → Prop where
  | product (t : K) : Sums .exact [t] t
  | add {p q : Stage} {s t : List K} {a b : K} : Sums p s a → Sums q t b → Sums .exact (joined s t) (a + b)
  | round {s : List K} {a r : K} : Sums .exact s a → Rounds a r → Sums .rounded s r
  | reorder {p : Stage} {s t : List K} {r : K} : Reordered s t → Sums p s r → Sums p t r

/-- The exact sum. -/
def total : List K → K
  | [] => 0
  | t :: ts => t + total ts

/-- `kept` are the terms that are not 0, in their order. -/
def Nonzero : List K → List K → Prop
  | [], kept => kept = []
  | t :: terms, kept =>
    (t = 0 ∧ Nonzero terms kept) ∨ (¬ t = 0 ∧ ∃ rest, kept = t :: rest ∧ Nonzero terms rest)

/-- `r` may be computed for the sum of the exact products `terms`: the exact sum, or a rounded sum of those
    that are not 0. To add 0 changes no binary32 number, so it is no rounding. -/
def IsSum (terms : List K) (r : K) : Prop :=
  r = total terms ∨ ∃ kept, Nonzero terms kept ∧ Sums .rounded kept r

/-- `r` is `s` divided by `d`, or multiplied by the rounded reciprocal of `d`; for `d = 1`, `s` itself. -/
def Divides (d : Nat) (s r : K) : Prop :=
  (d = 1 → r = s) ∧
    ∀ a, AtMost s a → AtMost (natural (2 ^ 24) * (natural d * r - s)) (natural 3 * a + natural (d * 2 ^ 24))

/-- Half a unit in the last place above the largest finite binary32 number: from here on IEEE-754 rounds
    to infinity. In units of `2^-149`. -/
def overflowThreshold : Nat := 2 ^ 277 - 2 ^ 252

/-- No operation overflows, whichever order is taken: every sum of some of the terms, before it is rounded,
    stays below the threshold. -/
def NeverOverflows (terms : List K) : Prop :=
  ∀ part rest : List K, ∀ a : K, Reordered (joined part rest) terms → Sums .exact part a →
    a < natural overflowThreshold ∧ -a < natural overflowThreshold

end PytestTorchLean
