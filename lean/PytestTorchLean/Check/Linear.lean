prelude
import PytestTorchLean.Check.Memory
import PytestTorchLean.Check.Recursors
/-!
# Interval bounds of linear combinations, one column at a time

A column of weights is two packed numbers, the positive and the negative parts, one digit per row.
Adding `word * positive + mirroredWord * negative` over the columns bounds all rows from below
(low half of each digit) and from above (high half) at once.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

/-- The digits of a column: the weight of row i is `positive i - negative i`. -/
structure Digits where
  positive : Nat → Nat
  negative : Nat → Nat

/-- The column's numbers hold these digits, `rows` of them, none above `bound`. -/
def Column.Packs (b rows bound : Nat) (c : Column) (d : Digits) : Prop :=
  c.positive = pack b rows d.positive ∧ c.negative = pack b rows d.negative ∧
  ∀ i, i < rows → d.positive i ≤ bound ∧ d.negative i ≤ bound

def Packed (b rows bound : Nat) : List Column → List Digits → Prop
  | [], [] => True
  | c :: cs, d :: ds => c.Packs b rows bound d ∧ Packed b rows bound cs ds
  | [], _ :: _ => False
  | _ :: _, [] => False

namespace Linear
variable {K : Type u} [OrderedRing K]

/-- Row `i` of the columns times the slots they read. -/
def combination (slots : Nat → K) : List Digits → (Nat → Nat) → Nat → K
  | [], _, _ => 0
  | d :: ds, source, i =>
    (natural (d.positive i) - natural (d.negative i)) * slots (source 0) +
      combination slots ds (fun k => source (k + 1)) i
/-- Sum of the absolute weights of a row. -/
def mass : List Digits → Nat → Nat
  | [], _ => 0
  | d :: ds, i => d.positive i + d.negative i + mass ds i
/-- The low half of a digit of `accumulate`. -/
def low (top : Nat) (l u : Nat → Nat) : List Digits → (Nat → Nat) → Nat → Nat
  | [], _, _ => 0
  | d :: ds, source, i =>
    l (source 0) * d.positive i + (top - u (source 0)) * d.negative i +
      low top l u ds (fun k => source (k + 1)) i
/-- The high half. -/
def high (top : Nat) (l u : Nat → Nat) : List Digits → (Nat → Nat) → Nat → Nat
  | [], _, _ => 0
  | d :: ds, source, i =>
    u (source 0) * d.positive i + (top - l (source 0)) * d.negative i +
      high top l u ds (fun k => source (k + 1)) i

/-- All rows' bounds; `sources` packs the slots in words of 32 bits. -/
def accumulate (stride direct mirrored : Nat) (columns : List Column) : Nat → Nat :=
  List.rec (motive := fun _ => Nat → Nat) (fun _ => 0)
    (fun c _ next sources => Column.rec (motive := fun _ => Nat) (fun positive negative =>
        Nat.add (Nat.add
            (Nat.mul (Nat.land
                  (Nat.shiftRight direct (Nat.mul stride (Nat.land sources (Nat.sub (Nat.pow 2 32) 1))))
                  (Nat.sub (Nat.pow 2 stride) 1)) positive)
            (Nat.mul (Nat.land
                  (Nat.shiftRight mirrored (Nat.mul stride (Nat.land sources (Nat.sub (Nat.pow 2 32) 1))))
                  (Nat.sub (Nat.pow 2 stride) 1)) negative))
          (next (Nat.shiftRight sources 32))) c) columns
theorem accumulate_cons (stride direct mirrored : Nat) (c : Column) (cs : List Column) (sources : Nat) :
    accumulate stride direct mirrored (c :: cs) sources =
    force (fun slot => Memory.lookup stride direct slot * c.positive +
        Memory.lookup stride mirrored slot * c.negative +
        force (accumulate stride direct mirrored cs) (Nat.shiftRight sources 32))
      (Nat.land sources (2 ^ 32 - 1)) := by
  rw [force_eq, force_eq]; rfl
/-- The memory from a slot on, if `rest` is the memory from slot `place` on: slots that mostly follow each
    other are found without another look at the whole memory. -/
@[inline] def restAt (stride packed place rest slot : Nat) : Nat :=
  match Nat.ble place slot with
  | true => Nat.shiftRight rest (Nat.mul stride (Nat.sub slot place))
  | false => Nat.shiftRight packed (Nat.mul stride slot)
theorem restAt_eq (stride packed place slot : Nat) :
    restAt stride packed place (Nat.shiftRight packed (stride * place)) slot =
    Nat.shiftRight packed (stride * slot) := by
  unfold restAt
  cases h : Nat.ble place slot with
  | true =>
    obtain ⟨k, rfl⟩ := Nat.exists_of_le (Nat.le_of_ble_eq_true h)
    show packed / 2 ^ (stride * place) / 2 ^ (stride * (place + k - place)) =
      packed / 2 ^ (stride * (place + k))
    rw [Natural.add_sub_cancel_left, Natural.shift_shift, ← Nat.mul_add]
  | false => rfl
/-- For the compiler, as in Core/Recursors: a loop that forms its masks once. -/
def accumulateLoop (stride mask wordMask direct mirrored : Nat) :
    List Column → (sources place rest mirroredRest sum : Nat) → Nat
  | [], _, _, _, _, sum => sum
  | ⟨positive, negative⟩ :: columns, sources, place, rest, mirroredRest, sum =>
    let slot := Nat.land sources wordMask
    let rest := restAt stride direct place rest slot
    let mirroredRest := restAt stride mirrored place mirroredRest slot
    accumulateLoop stride mask wordMask direct mirrored columns (Nat.shiftRight sources 32) slot rest
      mirroredRest (Nat.add sum
        (Nat.add (Nat.mul (Nat.land rest mask) positive) (Nat.mul (Nat.land mirroredRest mask) negative)))
def compiledAccumulate (stride direct mirrored : Nat) (columns : List Column) (sources : Nat) : Nat :=
  accumulateLoop stride (Nat.sub (Nat.pow 2 stride) 1) (Nat.sub (Nat.pow 2 32) 1) direct mirrored columns
    sources 0 direct mirrored 0
theorem accumulateLoop_eq (stride direct mirrored : Nat) :
    (columns : List Column) → (sources place sum : Nat) →
    accumulateLoop stride (2 ^ stride - 1) (2 ^ 32 - 1) direct mirrored columns sources place
        (Nat.shiftRight direct (stride * place)) (Nat.shiftRight mirrored (stride * place)) sum =
      sum + accumulate stride direct mirrored columns sources
  | [], _, _, _ => rfl
  | ⟨positive, negative⟩ :: columns, sources, place, sum => by
    have step : accumulate stride direct mirrored (⟨positive, negative⟩ :: columns) sources =
        Nat.land (Nat.shiftRight direct (stride * Nat.land sources (2 ^ 32 - 1))) (2 ^ stride - 1) *
            positive + Nat.land (Nat.shiftRight mirrored (stride * Nat.land sources (2 ^ 32 - 1)))
              (2 ^ stride - 1) * negative +
          accumulate stride direct mirrored columns (Nat.shiftRight sources 32) := rfl
    rw [step, ← Nat.add_assoc, ← accumulateLoop_eq stride direct mirrored columns (Nat.shiftRight sources 32)
        (Nat.land sources (2 ^ 32 - 1)), ← restAt_eq stride direct place (Nat.land sources (2 ^ 32 - 1)),
        ← restAt_eq stride mirrored place (Nat.land sources (2 ^ 32 - 1))]
    rfl
@[csimp] theorem compiledAccumulate_eq : @accumulate = @compiledAccumulate :=
  funext fun stride =>
      funext fun direct => funext fun mirrored => funext fun columns => funext fun sources => by
    have e := accumulateLoop_eq stride direct mirrored columns sources 0 0
    have zero : ∀ x : Nat, Nat.shiftRight x (stride * 0) = x := fun x => Natural.div_one _
    rw [zero, zero, Nat.zero_add] at e
    exact e.symm

/-- Packed sums of the absolute weights. -/
def masses (columns : List Column) : Nat :=
  List.rec (motive := fun _ => Nat) 0 (fun c _ next => Nat.add (Nat.add c.positive c.negative) next) columns

/-- The words of a packed number as a function. -/
def Reads (sources : Nat) (source : Nat → Nat) (count : Nat) : Prop :=
  ∀ k, k < count → source k = word sources k
theorem shiftRight_eq (n m : Nat) : Nat.shiftRight n m = n / 2 ^ m := rfl
theorem reads_head {sources count : Nat} {source : Nat → Nat} (h : Reads sources source (count + 1)) :
    Nat.land sources (2 ^ 32 - 1) = source 0 := by
  rw [word_zero, h 0 (Nat.succ_le_succ (Nat.zero_le _))]
theorem reads_tail {sources count : Nat} {source : Nat → Nat} (h : Reads sources source (count + 1)) :
    Reads (Nat.shiftRight sources 32) (fun k => source (k + 1)) count :=
  fun k hk => (h (k + 1) (Nat.succ_le_succ hk)).trans (word_succ sources k).symm

theorem masses_eq {b rows bound : Nat} : (cs : List Column) → (ds : List Digits) → Packed b rows bound cs ds →
    masses cs = pack b rows (mass ds)
  | [], [], _ => (pack_zero b rows).symm
  | c :: cs, d :: ds, h => by
    obtain ⟨⟨hp, hn, _⟩, ht⟩ := h
    show c.positive + c.negative + masses cs = pack b rows (fun i => d.positive i + d.negative i + mass ds i)
    rw [hp, hn, masses_eq cs ds ht, pack_add, pack_add]
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim

theorem regroup (S l u m v p n x y : Nat) :
    (l + S * u) * p + (m + S * v) * n + (x + S * y) = l * p + m * n + x + S * (u * p + v * n + y) := by
  simp only [Nat.add_mul, Nat.mul_add, Nat.mul_assoc, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]

theorem accumulate_eq {s : Scale} {b rows bound count : Nat} {l u : Nat → Nat} (fits : s.Fits)
    (hw : ∀ i, i < count → l i ≤ u i ∧ u i ≤ s.top) :
    (cs : List Column) → (ds : List Digits) → (sources : Nat) →
    (source : Nat → Nat) → Packed b rows bound cs ds →
    Reads sources source cs.length → (∀ k, k < cs.length → source k < count) →
    accumulate s.stride (pack s.stride count (fun i => Memory.directWord s (l i) (u i)))
        (pack s.stride count (fun i => Memory.mirroredWord s (l i) (u i))) cs sources =
      pack b rows (fun i => low s.top l u ds source i + 2 ^ s.half * high s.top l u ds source i)
  | [], [], _, _, _, _, _ => by
    show 0 = pack b rows (fun i => 0 + 2 ^ s.half * 0)
    rw [Nat.mul_zero, Nat.zero_add, pack_zero]
  | c :: cs, d :: ds, sources, source, h, hr, hs => by
    obtain ⟨⟨hp, hn, _⟩, ht⟩ := h
    rw [accumulate_cons, force_eq, force_eq, reads_head hr, hp, hn,
      Memory.lookup_pack (fun i hi => (Memory.word_lt fits (hw i hi).1 (hw i hi).2).1)
        (hs 0 (Nat.succ_le_succ (Nat.zero_le _))),
      Memory.lookup_pack (fun i hi => (Memory.word_lt fits (hw i hi).1 (hw i hi).2).2)
        (hs 0 (Nat.succ_le_succ (Nat.zero_le _)))]
    have ih := accumulate_eq fits hw cs ds (Nat.shiftRight sources 32) (fun k => source (k + 1)) ht
      (reads_tail hr) (fun k hk => hs (k + 1) (Nat.succ_le_succ hk))
    rw [ih, ← pack_mul, ← pack_mul, ← pack_add, ← pack_add]
    apply pack_congr
    intro i _
    exact regroup _ _ _ _ _ _ _ _ _
  | [], _ :: _, _, _, h, _, _ => h.elim
  | _ :: _, [], _, _, h, _, _ => h.elim

/-- One product: the word bounds the product from both sides. -/
theorem product_within {p n l u c t : K} {m v x : K} (hp : 0 ≤ p) (hn : 0 ≤ n) (hm : m = c + c - u)
    (hv : v = c + c - l) (hl : l ≤ t * x + c) (hu : t * x + c ≤ u) :
    l * p + m * n ≤ t * ((p - n) * x) + c * (p + n) ∧ t * ((p - n) * x) + c * (p + n) ≤ u * p + v * n := by
  subst hm; subst hv
  have a := add_nonneg (mul_nonneg (sub_nonneg hl) hp) (mul_nonneg (sub_nonneg hu) hn)
  have b := add_nonneg (mul_nonneg (sub_nonneg hu) hp) (mul_nonneg (sub_nonneg hl) hn)
  generalize e : t * x = y at *
  have e2 : t * ((p - n) * x) = (p - n) * y := by rw [← e, ← mul_assoc, mul_comm t, mul_assoc]
  rw [e2]
  constructor
  · refine le_cert ?_ a
    have r := (ring5 K p n l c y, (p - n) * y + c * (p + n) - (l * p + (c + c) * n),
        (y + c - l) * p + (- (y + c)) * n) p n l c y
    have r2 := (ring5 K p n u c y, (- (y + c)) * n + u * n, (u - (y + c)) * n) p n u c y
    rw [← r2, ← add_assoc, ← r]
    exact (ring5 K A p n c u, A + u * n, A + u * n) ((p - n) * y + c * (p + n) - (l * p + (c + c) * n)) p n c
        u |> fun _ => by
      rw [(ring5 K A l p n u, A - (l * p + u * n), A - l * p - u * n) ((p - n) * y + c * (p + n)) l p n
          (c + c - u)]
      rw [(ring5 K A B c n u, A - B - (c + c - u) * n, A - (B + (c + c) * n) + u * n)
          ((p - n) * y + c * (p + n)) (l * p) c n u]
  · refine le_cert ?_ b
    rw [(ring5 K A B c n l, B + (c + c - l) * n - A, B + (c + c) * n - A + -(l * n))
        ((p - n) * y + c * (p + n)) (u * p) c n l]
    rw [(ring5 K p n u c y, u * p + (c + c) * n - ((p - n) * y + c * (p + n)),
          (u - (y + c)) * p + (y + c) * n) p n u c y]
    exact (ring5 K A l c n y, A + (y + c) * n + -(l * n), A + (y + c - l) * n) ((u - (y + c)) * p) l c n y

theorem natural_sub {a b : Nat} (h : a ≤ b) : (natural (b - a) : K) = natural b - natural a := by
  obtain ⟨k, rfl⟩ := Nat.exists_of_le h
  rw [Natural.add_sub_cancel_left, natural_add]
  exact (ring2 K x y, y, x + y - x) _ _

/-- `low ≤ unit * combination + center * mass ≤ high` -/
theorem bracket {s : Scale} {slots : Nat → K} {count : Nat} {l u : Nat → Nat}
    (hw : ∀ i, i < count → l i ≤ u i ∧ u i ≤ s.top ∧ Within s (l i) (u i) (slots i)) (i : Nat) :
    (ds : List Digits) → (source : Nat → Nat) → (∀ k, k < ds.length → source k < count) →
    natural (low s.top l u ds source i) ≤
        natural s.unit * combination slots ds source i + natural s.center * natural (mass ds i) ∧
      natural s.unit * combination slots ds source i + natural s.center * natural (mass ds i) ≤
        natural (high s.top l u ds source i)
  | [], _, _ => by
    show (natural 0 : K) ≤ natural s.unit * 0 + natural s.center * natural 0 ∧
      natural s.unit * 0 + natural s.center * natural 0 ≤ natural 0
    have e : natural s.unit * 0 + natural s.center * (natural 0 : K) = natural 0 := by
      show natural s.unit * (0 : K) + natural s.center * 0 = 0
      rw [mul_zero, mul_zero, add_zer]
    rw [e]; exact ⟨le_refl _, le_refl _⟩
  | d :: ds, source, hs => by
    obtain ⟨h1, h2, h3, h4⟩ := hw (source 0) (hs 0 (Nat.succ_le_succ (Nat.zero_le _)))
    have ih := bracket hw i ds (fun k => source (k + 1)) (fun k hk => hs (k + 1) (Nat.succ_le_succ hk))
    have top : (natural s.top : K) = natural s.center + natural s.center := natural_add _ _
    have w := product_within (K := K) (p := natural (d.positive i)) (n := natural (d.negative i))
      (natural_nonneg _) (natural_nonneg _) (m := natural (s.top - u (source 0)))
      (v := natural (s.top - l (source 0))) (by rw [natural_sub h2, top])
      (by rw [natural_sub (Nat.le_trans h1 h2), top]) h3 h4
    have e : natural s.unit * ((natural (d.positive i) - natural (d.negative i)) * slots (source 0) +
          combination slots ds (fun k => source (k + 1)) i)
        + natural s.center * natural (d.positive i + d.negative i + mass ds i)
        = (natural s.unit * ((natural (d.positive i) - natural (d.negative i)) * slots (source 0)) +
            natural s.center * (natural (d.positive i) + natural (d.negative i)))
        + (natural s.unit * combination slots ds (fun k => source (k + 1)) i +
              natural s.center * natural (mass ds i)) := by
      rw [natural_add, natural_add, mul_add, mul_add, add_assoc, add_assoc]
      simp only [add_left_comm]
    have el :
      (natural (low s.top l u (d :: ds) source i) : K) = natural (l (source 0)) * natural (d.positive i)
        + natural (s.top - u (source 0)) * natural (d.negative i) +
            natural (low s.top l u ds (fun k => source (k + 1)) i) := by
      show natural (_ + _ + _) = _
      rw [natural_add, natural_add, natural_mul, natural_mul]
    have eh :
      (natural (high s.top l u (d :: ds) source i) : K) = natural (u (source 0)) * natural (d.positive i)
        + natural (s.top - l (source 0)) * natural (d.negative i) +
            natural (high s.top l u ds (fun k => source (k + 1)) i) := by
      show natural (_ + _ + _) = _
      rw [natural_add, natural_add, natural_mul, natural_mul]
    show natural (low s.top l u (d :: ds) source i) ≤
        natural s.unit * (_ + _) + natural s.center * natural (_ + _ + _) ∧
      _ + natural s.center * natural (_ + _ + _) ≤ _
    rw [el, eh]
    constructor
    · exact le_trans (add_le_add w.1 ih.1) (le_of_eq e.symm)
    · exact le_trans (le_of_eq e) (add_le_add w.2 ih.2)

end Linear
end PytestTorchLean
