prelude
import PytestTorchLean.Check.Forward.Tree
import PytestTorchLean.Check.Forward.LaneRows
/-!
# The inputs of many parts side by side

Parts of the same widths have the same deviations up to their magnitudes: they differ in the constants of the
inputs' forms alone.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural
variable {K : Type u} [OrderedRing K]

/-! ### What is computed -/

def middlesAt (wide : Nat) : List Range → Nat
  | [] => 0
  | r :: ranges => Nat.add (middle r) (Nat.shiftLeft (middlesAt wide ranges) wide)
/-- The middles of all parts, the first input's first. -/
def middlesBeside (b wide : Nat) : List (List Range) → Nat
  | [] => 0
  | part :: parts => Nat.add (middlesAt wide part) (Nat.shiftLeft (middlesBeside b wide parts) b)

/-- The ranges are as many as the magnitudes and reach no further. -/
def fitsIn (s : Scale) : List Nat → List Range → Bool
  | [], [] => true
  | w :: magnitudes, r :: ranges =>
    both (Nat.ble (middle r) s.top)
      (both (Nat.ble (Nat.sub r.upper (middle r)) w) (fitsIn s magnitudes ranges))
  | [], _ :: _ => false
  | _ :: _, [] => false
def allFit (s : Scale) (magnitudes : List Nat) : List (List Range) → Bool
  | [] => true
  | part :: parts => both (fitsIn s magnitudes part) (allFit s magnitudes parts)

/-- The columns of the inputs. -/
def columnsBeside (s : Scale) (fraction lanes n : Nat) : Nat → Nat → (List Memory → Bool) → Bool
  | 0, _, next => next []
  | Nat.succ count, k, next =>
    paired s (Nat.mul lanes n)
      (Nat.mul (Nat.succ (Nat.pow 2 s.half))
        (Nat.add (Nat.mul s.center (ones s.stride (Nat.mul lanes n)))
          (Nat.mul (Nat.pow 2 fraction)
            (Nat.mul (Nat.pow 2 (Nat.mul (Nat.mul s.stride lanes) k)) (ones s.stride lanes)))))
      fun c => columnsBeside s fraction lanes n count (Nat.succ k) fun columns => next (c :: columns)

/-! ### The constants -/

def partAt : List (List Range) → Nat → List Range
  | [], _ => []
  | part :: _, 0 => part
  | _ :: parts, l + 1 => partAt parts l
theorem middlesAt_eq (wide : Nat) : (ranges : List Range) →
    middlesAt wide ranges = pack wide ranges.length (middles ranges)
  | [] => rfl
  | r :: ranges => by
    show middle r + Nat.shiftLeft (middlesAt wide ranges) wide = _
    rw [middlesAt_eq wide ranges, NatEquations.shiftLeft_eq, Nat.mul_comm]; rfl
theorem fitsIn_length {s : Scale} : (magnitudes : List Nat) → (ranges : List Range) →
    fitsIn s magnitudes ranges = true → ranges.length = magnitudes.length
  | [], [], _ => rfl
  | w :: magnitudes, r :: ranges, h =>
    congrArg Nat.succ (fitsIn_length magnitudes ranges (both_true (both_true h).2).2)
  | [], _ :: _, h => Bool.noConf_tf (Eq.symm h)
  | _ :: _, [], h => Bool.noConf_tf (Eq.symm h)
theorem fitsIn_top {s : Scale} : (magnitudes : List Nat) → (ranges : List Range) →
    fitsIn s magnitudes ranges = true → ∀ i, middles ranges i ≤ s.top
  | [], [], _, _ => Nat.zero_le _
  | w :: magnitudes, r :: ranges, h, 0 => Nat.le_of_ble_eq_true (both_true h).1
  | w :: magnitudes, r :: ranges, h, i + 1 => fitsIn_top magnitudes ranges (both_true (both_true h).2).2 i
  | [], _ :: _, h, _ => Bool.noConf_tf (Eq.symm h)
  | _ :: _, [], h, _ => Bool.noConf_tf (Eq.symm h)
theorem fitsIn_small {s : Scale} : (magnitudes : List Nat) → (ranges : List Range) → (ds : List K) →
    fitsIn s magnitudes ranges = true → Small (magnitudesOf ranges) ds → Small magnitudes ds
  | [], [], [], _, _ => trivial
  | [], [], _ :: _, _, h => h
  | w :: magnitudes, r :: ranges, [], _, h => h
  | w :: magnitudes, r :: ranges, d :: ds, h, ⟨h1, h2⟩ =>
    ⟨AtMost.weaken h1 (natural_le (Nat.le_of_ble_eq_true (both_true (both_true h).2).1)),
      fitsIn_small magnitudes ranges ds (both_true (both_true h).2).2 h2⟩
  | [], _ :: _, _, h, _ => Bool.noConf_tf (Eq.symm h)
  | _ :: _, [], _, h, _ => Bool.noConf_tf (Eq.symm h)
theorem allFit_at {s : Scale} {magnitudes : List Nat} : (parts : List (List Range)) →
    allFit s magnitudes parts = true → (l : Nat) → l < parts.length →
    fitsIn s magnitudes (partAt parts l) = true
  | [], _, l, hl => absurd hl (Nat.not_succ_le_zero l)
  | _ :: _, h, 0, _ => (both_true h).1
  | _ :: parts, h, l + 1, hl => allFit_at parts (both_true h).2 l (Nat.le_of_succ_le_succ hl)
theorem middlesBeside_eq {s : Scale} {magnitudes : List Nat} (b wide : Nat) : (parts : List (List Range)) →
    allFit s magnitudes parts = true → middlesBeside b wide parts =
      pack b parts.length (fun l => pack wide magnitudes.length (middles (partAt parts l)))
  | [], _ => rfl
  | part :: parts, h => by
    obtain ⟨h1, h2⟩ := both_true h
    show middlesAt wide part + Nat.shiftLeft (middlesBeside b wide parts) b = _
    rw [middlesBeside_eq b wide parts h2, NatEquations.shiftLeft_eq, Nat.mul_comm, middlesAt_eq,
      fitsIn_length _ _ h1]
    rfl

theorem pack_swap (b wide n : Nat) : (m : Nat) → (f : Nat → Nat → Nat) →
    pack b m (fun l => pack wide n (f l)) = pack wide n (fun k => pack b m (fun l => f l k))
  | 0, _ => (pack_zero wide n).symm
  | m + 1, f => by
    show pack wide n (f 0) + 2 ^ b * pack b m (fun l => pack wide n (f (l + 1))) =
      pack wide n (fun k => f 0 k + 2 ^ b * pack b m (fun l => f (l + 1) k))
    rw [pack_swap b wide n m (fun l => f (l + 1)), pack_add, pack_mul]

/-- The digit of the middle of an input on a part. -/
def middleOf (parts : List (List Range)) (lanes v : Nat) : Nat :=
  middles (partAt parts (v % lanes)) (v / lanes)
theorem constant_eq {s : Scale} {magnitudes : List Nat} {parts : List (List Range)}
    (hl : 0 < parts.length) (h : allFit s magnitudes parts = true) :
    Nat.mul (Nat.succ (Nat.pow 2 s.half)) (middlesBeside s.stride (Nat.mul s.stride parts.length) parts) =
    pack s.stride (parts.length * magnitudes.length) (fun v =>
      Memory.directWord s (middleOf parts parts.length v) (middleOf parts parts.length v)) := by
  rw [middlesBeside_eq s.stride _ parts h]
  show (2 ^ s.half + 1) * pack s.stride parts.length
    (fun l => pack (s.stride * parts.length) magnitudes.length (middles (partAt parts l))) = _
  rw [pack_swap]
  refine Eq.trans ?_ (grid_eq hl s.stride magnitudes.length
    (fun l i => Memory.directWord s (middles (partAt parts l) i) (middles (partAt parts l) i))).symm
  rw [← pack_mul]
  refine pack_congr fun i _ => ?_
  rw [← pack_mul]
  refine pack_congr fun l _ => ?_
  show (2 ^ s.half + 1) * _ = _ + 2 ^ s.half * _
  rw [Nat.succ_mul, Nat.add_comm]

/-! ### The columns -/

/-- A band over values as a band over all digits. -/
def spreadBand (lanes : Nat) (b : Band) : Band := ⟨fun v => b.lower (v / lanes), fun v => b.upper (v / lanes)⟩
theorem columnsBeside_sound {s : Scale} {slope fraction lanes n : Nat} {magnitudes : List Nat}
    (r : Roomy s slope fraction magnitudes) (point : 2 ^ fraction ≤ s.center) (hl : 0 < lanes) :
    (count k : Nat) → (next : List Memory → Bool) →
    k + count = n → columnsBeside s fraction lanes n count k next = true →
    ∃ columns, Paired (Holds s (lanes * n)) columns
        (mapped (spreadBand lanes) (unitBands s fraction count k)) ∧ next columns = true
  | 0, _, next, _, h => ⟨[], trivial, h⟩
  | count + 1, k, next, hn, h => by
    unfold columnsBeside at h
    have hk : k < n := by rw [← hn]; exact Nat.succ_le_succ (Nat.le_add_right k count)
    have e : Nat.mul (Nat.succ (Nat.pow 2 s.half))
        (Nat.add (Nat.mul s.center (ones s.stride (Nat.mul lanes n)))
          (Nat.mul (Nat.pow 2 fraction)
            (Nat.mul (Nat.pow 2 (Nat.mul (Nat.mul s.stride lanes) k)) (ones s.stride lanes)))) =
        pack s.stride (lanes * n) (fun v => Memory.directWord s
          (s.center + 2 ^ fraction * Matrix.indicator k (v / lanes))
          (s.center + 2 ^ fraction * Matrix.indicator k (v / lanes))) := by
      have p : Nat.mul (Nat.pow 2 (Nat.mul (Nat.mul s.stride lanes) k)) (ones s.stride lanes) =
          pack s.stride (lanes * n) (fun v => Matrix.indicator k (v / lanes)) := by
        rw [grid_eq hl s.stride n (fun _ i => Matrix.indicator k i)]
        have i : Nat.pow 2 (Nat.mul (Nat.mul s.stride lanes) k) =
            pack (s.stride * lanes) n (Matrix.indicator k) :=
          (Matrix.pack_indicator (s.stride * lanes) k n hk).symm
        rw [i]
        show pack (s.stride * lanes) n (Matrix.indicator k) * ones s.stride lanes = _
        rw [Nat.mul_comm, ← pack_mul]
        refine pack_congr fun i _ => ?_
        rw [Nat.mul_comm, mul_ones r.stride]
      rw [p]
      show (2 ^ s.half + 1) *
        (s.center * ones s.stride (lanes * n) + 2 ^ fraction * pack s.stride (lanes * n) _) = _
      rw [mul_ones r.stride, ← pack_mul, ← pack_add, ← pack_mul]
      refine pack_congr fun i _ => ?_
      show (2 ^ s.half + 1) * _ = _ + 2 ^ s.half * _
      rw [Nat.succ_mul, Nat.add_comm]
    rw [e] at h
    have small : ∀ i, s.center + 2 ^ fraction * Matrix.indicator k i < 2 ^ (s.half - 1) := fun i => by
      refine Natural.lt_of_le_of_lt ?_ r.top_lt
      refine Nat.add_le_add (Nat.le.refl (n := s.center)) (Nat.le_trans ?_ point)
      have z := Nat.mul_le_mul (Nat.le.refl (n := 2 ^ fraction)) (indicator_le k i)
      rw [Natural.mul_one] at z; exact z
    obtain ⟨c, hc, h⟩ := paired_sound r (fun i _ => ⟨small (i / lanes), small (i / lanes)⟩) h
    obtain ⟨columns, hcs, h⟩ := columnsBeside_sound r point hl count (k + 1)
      (fun columns => next (c :: columns)) (by rw [← hn, Nat.add_assoc, Nat.add_comm 1]) h
    exact ⟨c :: columns, ⟨hc, hcs⟩, h⟩

/-- The inputs of one of the parts lie between their forms. -/
theorem inputs_beside {s : Scale} {slots : Nat → K} {fraction first l : Nat} {magnitudes : List Nat}
    {parts : List (List Range)} {constant : Memory} {columns : List Memory}
    (h : allFit s magnitudes parts = true)
    (hl : l < parts.length)
    (hr : RangesHold s slots first (partAt parts l))
    (hc : Holds s (parts.length * magnitudes.length) constant
      ⟨middleOf parts parts.length, middleOf parts parts.length⟩)
    (hcs : Paired (Holds s (parts.length * magnitudes.length)) columns
      (mapped (spreadBand parts.length) (unitBands s fraction magnitudes.length 0))) :
    EnclosedOn (fun v => v % parts.length = l) s (2 ^ fraction) (parts.length * magnitudes.length) magnitudes
    (deviationsOf s slots first (partAt parts l)) (fun v => slots (first + v / parts.length)) constant
    columns := by
  have pos : 0 < parts.length := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le l)) hl
  have fit := allFit_at parts h l hl
  refine ⟨⟨_, _, hc, hcs, fun v hv e => ?_⟩, fitsIn_small _ _ _ fit (deviations_small _ first hr)⟩
  have e : v % parts.length = l := e
  have z := inputs_forms (s := s) (slots := slots) (fraction := fraction) (first := first)
    (ranges := partAt parts l) (i := v / parts.length)
    (by rw [fitsIn_length _ _ fit]; exact Natural.div_lt pos hv)
  rw [fitsIn_length _ _ fit] at z
  unfold below above at z ⊢
  rw [combined_mapped, combined_mapped]
  have m : middleOf parts parts.length v = middles (partAt parts l) (v / parts.length) := by
    unfold middleOf; rw [e]
  show (natural (middleOf parts parts.length v) - natural s.center) * natural (2 ^ fraction) + _ ≤ _ ∧
    _ ≤ (natural (middleOf parts parts.length v) - natural s.center) * natural (2 ^ fraction) + _
  rw [m]
  exact z
end Forward
end PytestTorchLean
