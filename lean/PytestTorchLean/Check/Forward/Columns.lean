prelude
import PytestTorchLean.Check.Forward.Digits
/-!
# The columns of a layer's forms

For the constant and for every deviation there is a column, a pair of numbers as in the memory. What is done
to all columns alike is done by `every`; `radiusOf` is how far the forms reach from their constant.
-/
set_option linter.all false
universe u v
namespace PytestTorchLean
namespace Forward
open Natural

/-- The column holds the band, `n` digits of each form, none above the top. -/
def Holds (s : Scale) (n : Nat) (c : Memory) (b : Band) : Prop :=
  c.direct = pack s.stride n (fun i => Memory.directWord s (b.lower i) (b.upper i)) ∧
  c.mirrored = pack s.stride n (fun i => Memory.mirroredWord s (b.lower i) (b.upper i)) ∧
  ∀ i, i < n → b.lower i ≤ s.top ∧ b.upper i ≤ s.top

/-- The items of a list belong to the bands of another, one to one. -/
def Paired {α : Type} (r : α → Band → Prop) : List α → List Band → Prop
  | [], [] => True
  | c :: columns, b :: bands => r c b ∧ Paired r columns bands
  | [], _ :: _ => False
  | _ :: _, [] => False
theorem Paired.every {α : Type} {r : α → Band → Prop} {p : Band → Prop} (h : ∀ c b, r c b → p b) :
    (columns : List α) → (bands : List Band) → Paired r columns bands → Every p bands
  | [], [], _ => trivial
  | c :: columns, b :: bands, g => ⟨h c b g.1, Paired.every h columns bands g.2⟩
  | [], _ :: _, g => g.elim
  | _ :: _, [], g => g.elim

/-- Every item by `f`, one after the other. -/
def every {α β : Type} (f : α → (β → Bool) → Bool) : List α → (List β → Bool) → Bool :=
  List.rec (motive := fun _ => (List β → Bool) → Bool) (fun next => next [])
    (fun c _ rest next => f c fun c' => rest fun columns => next (c' :: columns))
theorem every_sound {α β : Type} {f : α → (β → Bool) → Bool} {r : α → Band → Prop} {r' : β → Band → Prop}
    {p : Band → Prop} {step : Band → Band}
    (hf : ∀ c b (next : β → Bool), r c b → f c next = true → ∃ c', r' c' (step b) ∧ p b ∧ next c' = true) :
    (columns : List α) → (bands : List Band) → (next : List β → Bool) →
    Paired r columns bands → every f columns next = true →
    ∃ columns', Paired r' columns' (mapped step bands) ∧ Every p bands ∧ next columns' = true
  | [], [], _, _, h => ⟨[], trivial, trivial, h⟩
  | c :: columns, b :: bands, next, g, h => by
    have h : f c (fun c' => every f columns fun columns => next (c' :: columns)) = true := h
    obtain ⟨c', r1, p1, h⟩ := hf c b _ g.1 h
    obtain ⟨columns', r2, p2, h⟩ := every_sound hf columns bands _ g.2 h
    exact ⟨c' :: columns', ⟨r1, r2⟩, ⟨p1, p2⟩, h⟩
  | [], _ :: _, _, g, _ => g.elim
  | _ :: _, [], _, g, _ => g.elim

/-- The sum of `f` of an item times the magnitude that belongs to it. -/
def radiusOf {α : Type} (f : α → Nat) : List α → List Nat → Nat :=
  List.rec (motive := fun _ => List Nat → Nat) (fun _ => 0)
    (fun c _ rest magnitudes => List.rec (motive := fun _ => Nat) 0
        (fun w later _ => Nat.add (Nat.mul w (f c)) (rest later)) magnitudes)
theorem radiusOf_eq {α : Type} {f : α → Nat} {r : α → Band → Prop} {b n : Nat} {g : Band → Nat → Nat}
    (hf : ∀ c band, r c band → f c = pack b n (g band)) :
    (columns : List α) → (bands : List Band) → (magnitudes : List Nat) →
    Paired r columns bands →
    radiusOf f columns magnitudes = pack b n (fun i => reachOf (fun band => g band i) bands magnitudes)
  | [], [], _, _ => (pack_zero b n).symm
  | _ :: _, _ :: _, [], _ => (pack_zero b n).symm
  | c :: columns, band :: bands, w :: magnitudes, h => by
    show w * f c + radiusOf f columns magnitudes =
      pack b n (fun i => w * g band i + reachOf (fun band => g band i) bands magnitudes)
    rw [hf c band h.1, radiusOf_eq hf columns bands magnitudes h.2, pack_add, pack_mul]
  | [], _ :: _, _, h => h.elim
  | _ :: _, [], _, h => h.elim

def total : List Nat → Nat := List.rec (motive := fun _ => Nat) 0 (fun w _ rest => Nat.add w rest)
theorem total_eq : (magnitudes : List Nat) → total magnitudes = totalOf magnitudes
  | [] => rfl
  | w :: magnitudes => by show w + total magnitudes = w + totalOf magnitudes; rw [total_eq magnitudes]

/-! ### The forms of a layer -/

variable {K : Type u} [OrderedRing K]
open OrderedRing

/-- The lower form of value `i`: `point` times its constant, and its coefficients times the deviations. -/
def below (s : Scale) (point : Nat) (constant : Band) (bands : List Band) (deviations : List K) (i : Nat) :
    K :=
  (natural (constant.lower i) - natural s.center) * natural point +
    combined (fun b => natural (b.lower i) - natural s.center) bands deviations
/-- The upper form. -/
def above (s : Scale) (point : Nat) (constant : Band) (bands : List Band) (deviations : List K) (i : Nat) :
    K :=
  (natural (constant.upper i) - natural s.center) * natural point +
    combined (fun b => natural (b.upper i) - natural s.center) bands deviations

/-- Of the `n` values `x` those with `p` lie between their forms, which the columns hold. -/
structure EnclosedOn (p : Nat → Prop) (s : Scale) (point n : Nat) (magnitudes : List Nat)
    (deviations : List K) (x : Nat → K) (constant : Memory) (columns : List Memory) : Prop where
  forms : ∃ (band : Band) (bands : List Band), Holds s n constant band ∧ Paired (Holds s n) columns bands ∧
    ∀ i, i < n → p i →
      below s point band bands deviations i ≤ natural point * (natural s.unit * x i) ∧
        natural point * (natural s.unit * x i) ≤ above s point band bands deviations i
  small : Small magnitudes deviations
/-- All of them do. -/
abbrev Enclosed (s : Scale) (point n : Nat) (magnitudes : List Nat) (deviations : List K) (x : Nat → K)
    (constant : Memory) (columns : List Memory) : Prop :=
  EnclosedOn (fun _ => True) s point n magnitudes deviations x constant columns

end Forward
end PytestTorchLean
