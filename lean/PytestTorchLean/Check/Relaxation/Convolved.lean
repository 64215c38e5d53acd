prelude
import PytestTorchLean.Check.Relaxation.Positions
/-!
# What the columns of a convolution add up to
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- The value of the slot in a place. -/
def inPlace (s : Scale) (slots : Nat → K) (places j : Nat) : K := natural s.unit * slots (word places j)

/-- The state while the columns are passed: the coefficients of the places so far and the constants. -/
def Collected (s : Scale) (x : Convolution) (slots goal extra : Nat → K) (low limit grid gain loss : Nat)
    (A : Nat → Nat → Nat) (c d : Nat → Nat) : Prop :=
  grid =
    Matrix.grid x.field.frame.digit x.field.frame.width x.count (x.field.frame.rows + x.field.frame.rows) A ∧
  gain = side x.field.frame.digit x.field.frame.width x.field.frame.rows c ∧
    loss = side x.field.frame.digit x.field.frame.width x.field.frame.rows d ∧
  (∀ r, r < x.field.frame.rows + x.field.frame.rows → ∀ j, A r j ≤ low) ∧
  ∀ r, r < x.field.frame.rows → c r ≤ limit ∧ d r ≤ limit ∧
    natural x.field.weight *
          (form x.count (A r) (A (x.field.frame.rows + r)) (inPlace s slots x.places) + extra r) +
        natural (c r) ≤ goal r + natural (d r)

/-- What the columns still ahead contribute to row `r`, at all positions. -/
def toCome (s : Scale) (slots : Nat → K) (x : Convolution) (t : Nat → Nat → Nat → Nat)
    (r remaining k sources : Nat) : K :=
  sum x.positions fun p => ahead s slots (fun k r => t k p r) x.field.frame.rows r remaining k
    fun i => word sources (x.columns * p + i)

theorem toCome_succ (s : Scale) (slots : Nat → K) (x : Convolution) (t : Nat → Nat → Nat → Nat)
    (r remaining k sources : Nat) :
    toCome s slots x t r (remaining + 1) k sources =
    (sum x.positions fun p => (natural (t k p r) - natural (t k p (x.field.frame.rows + r))) *
          (natural s.unit * slots (word sources (x.columns * p)))) +
      toCome s slots x t r remaining (k + 1) (Nat.shiftRight sources 32) := by
  unfold toCome
  rw [← sum_add]
  refine Columns.sum_congr fun p _ => ?_
  have later : (fun i => word sources (x.columns * p + (i + 1))) =
    fun i => word (Nat.shiftRight sources 32) (x.columns * p + i) :=
      funext fun i => (word_succ sources (x.columns * p + i)).symm
  rw [← later]
  rfl

/-- All columns are the rows' combinations at all positions. -/
theorem toCome_all {s : Scale} {slots : Nat → K} {x : Convolution} {C size bits offset step sources r : Nat}
    {ds : List Digits} {f : Nat → Nat → Nat}
    (ok : Convolves x C size bits offset step ds f)
    (len : ds.length = x.columns)
    (hr : r < x.field.frame.rows) :
    toCome s slots x (coefficientAt x f offset ds) r x.columns 0 sources =
    form (x.rows * x.positions) (f r) (f (x.field.frame.rows + r)) fun j => natural s.unit *
      Linear.combination slots ds (fun k => word sources (x.columns * (j / x.rows) + k)) (j % x.rows) := by
  unfold toCome form
  rw [sum_grouped]
  refine Columns.sum_congr fun p _ => ?_
  rw [← len]
  refine Eq.trans (ahead_eq (m := x.rows) (f := fun i => f r (x.rows * p + i))
      (g := fun i => f (x.field.frame.rows + r) (x.rows * p + i)) ds 0 _ (fun j hj => ?_)) ?_
  · rw [Nat.zero_add]
    exact coefficient_sub (bound := 0) hr (f := fun r i => f r (x.rows * p + i))
      (fun i hi => ((ok.columns j (by rw [← len]; exact hj)).2 i hi).2)
  · unfold form
    refine Columns.sum_congr fun i hi => ?_
    show _ * (natural s.unit * Linear.combination slots ds (fun k => word sources (ds.length * p + k)) i) =
      _ * (natural s.unit * Linear.combination slots ds
              (fun k => word sources (ds.length * ((x.rows * p + i) / x.rows) + k))
              ((x.rows * p + i) % x.rows))
    have e1 : (x.rows * p + i) / x.rows = p := by rw [Nat.add_comm]; exact Natural.add_mul_div p hi
    have e2 : (x.rows * p + i) % x.rows = i := by rw [Nat.add_comm]; exact Natural.add_mul_mod p hi
    rw [e1, e2]

/-- A column that counts where it is marked. -/
theorem marked_sum {s : Scale} {slots : Nat → K} {x : Convolution} {bit t t' : Nat → Nat}
    {sources shift : Nat}
    (zero : natural s.unit * slots 0 = 0)
    (hb :
      ∀ p, p < x.positions → Marked x.columns x.rows sources (Nat.shiftRight x.places (32 * shift)) bit p) :
    (sum x.positions fun p =>
        (natural (bit p * t p) - natural (bit p * t' p)) * inPlace s slots x.places (shift + x.rows * p)) =
    sum x.positions fun p =>
      (natural (t p) - natural (t' p)) * (natural s.unit * slots (word sources (x.columns * p))) := by
  refine Columns.sum_congr fun p hp => ?_
  cases hb p hp with
  | inl h =>
    obtain ⟨h1, h2⟩ := h
    rw [h1, h2, zero, Nat.zero_mul, Nat.zero_mul, mul_zero]
    show ((0 : K) - 0) * _ = 0
    exact (ring1 K v, (0 - 0) * v, 0) _
  | inr h =>
    obtain ⟨h1, h2⟩ := h
    rw [word_shift] at h2
    rw [h1, h2, Nat.one_mul, Nat.one_mul]
    rfl

theorem convolved_sound {s : Scale} {x : Convolution} {slots goal : Nat → K}
    {C size bits offset step each direct mirrored memory : Nat} {ds : List Digits} {f : Nat → Nat → Nat}
    {next : Nat → Nat → Nat → Bool}
    (half : 0 < s.half)
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (ok : Convolves x C size bits offset step ds f)
    (hn : x.count ≤ x.field.frame.width)
    (zero : natural s.unit * slots 0 = 0)
    (he : each = x.rows * (2 ^ size * (2 ^ bits + offset)) + offset * (x.rows * 2 ^ size)) :
    (remaining k : Nat) → k + remaining = x.columns →
    (sources shifts grid gain loss low limit : Nat) →
    (A : Nat → Nat → Nat) → (c d : Nat → Nat) →
    Collected s x slots goal (fun r => toCome s slots x (coefficientAt x f offset ds) r remaining k sources)
      low limit grid gain loss A c d →
    convolved s x direct mirrored memory remaining k sources shifts grid gain loss next = true →
    ∃ grid' gain' loss' A' c' d', Collected s x slots goal (fun _ => 0) (low + remaining * each)
        (limit + remaining * (x.field.weight * (step * (s.top + s.top)))) grid' gain' loss' A' c' d' ∧
      next grid' gain' loss' = true := by
  intro remaining
  induction remaining with
  | zero =>
    intro k _ sources shifts grid gain loss low limit A c d hx h
    obtain ⟨x1, x2, x3, x4, x5⟩ := hx
    refine ⟨grid, gain, loss, A, c, d,
        ⟨x1, x2, x3, fun r hr j => by rw [Nat.zero_mul]; exact x4 r hr j, fun r hr => ?_⟩, h⟩
    obtain ⟨y1, y2, y3⟩ := x5 r hr
    have z : toCome s slots x (coefficientAt x f offset ds) r 0 k sources = 0 := sum_zero x.positions
    have y3 : natural x.field.weight * (_ + toCome s slots x (coefficientAt x f offset ds) r 0 k sources) +
        natural (c r) ≤ goal r + natural (d r) := y3
    rw [z] at y3
    rw [Nat.zero_mul]
    exact ⟨y1, y2, y3⟩
  | succ remaining smaller =>
    intro k hk sources shifts grid gain loss low limit A c d hx h
    have here : k < x.columns := by
      rw [← hk]
      exact Nat.add_le_add (Nat.le.refl (n := k)) (Nat.succ_le_succ (Nat.zero_le remaining))
    have hk' : k + 1 + remaining = x.columns := by rw [← hk, Nat.add_assoc, Nat.add_comm 1]
    have grow : ∀ a y : Nat, a + y + remaining * y = a + (remaining + 1) * y := fun a y => by
      rw [Nat.succ_mul, Nat.add_assoc, Nat.add_comm y]
    have keep : ∀ a y : Nat, a + remaining * y ≤ a + (remaining + 1) * y := fun a y => by
      rw [Nat.succ_mul]
      exact Nat.add_le_add Nat.le.refl (Nat.le_add_right _ _)
    obtain ⟨x1, x2, x3, x4, x5⟩ := hx
    rw [convolved_succ] at h
    cases steadyOr_true h with
    | inl h =>
      obtain ⟨h1, h⟩ := both_true h
      obtain ⟨h2, h⟩ := both_true h
      have alikes := alike_sound x.positions sources h1
      have h2 : word sources 0 < memory := Nat.le_of_ble_eq_true h2
      obtain ⟨e1, e2⟩ := ok.together_eq here
      rw [e1] at h
      obtain ⟨c', d', h, hr⟩ := settle_sound half sf hm h2 ok.digit ok.width e2 ok.fits x2 x3 h
      have inv : Collected s x slots goal
        (fun r =>
          toCome s slots x (coefficientAt x f offset ds) r remaining (k + 1) (Nat.shiftRight sources 32)) low
          (limit + x.field.weight * (step * (s.top + s.top))) grid
            (side x.field.frame.digit x.field.frame.width x.field.frame.rows c')
          (side x.field.frame.digit x.field.frame.width x.field.frame.rows d') A c' d' := by
        refine ⟨x1, rfl, rfl, x4, fun r hr' => ?_⟩
        obtain ⟨y1, y2, y3⟩ := x5 r hr'
        obtain ⟨z1, z2, z3⟩ := hr r hr'
        refine ⟨Nat.le_trans z1 (Nat.add_le_add y1 Nat.le.refl),
            Nat.le_trans z2 (Nat.add_le_add y2 Nat.le.refl), ?_⟩
        have y3 : natural x.field.weight * (form x.count (A r) (A (x.field.frame.rows + r))
                    (inPlace s slots x.places) +
                  toCome s slots x (coefficientAt x f offset ds) r (remaining + 1) k sources) +
            natural (c r) ≤ goal r + natural (d r) := y3
        have all : (sum x.positions fun p => (natural (coefficientAt x f offset ds k p r) -
              natural (coefficientAt x f offset ds k p (x.field.frame.rows + r))) *
              (natural s.unit * slots (word sources (x.columns * p))) : K) =
            (natural (coefficient x.field.frame.rows (x.rows * x.positions) f offset
                        (Convolves.spread x.rows ds k) 0 r) -
                    natural (coefficient x.field.frame.rows (x.rows * x.positions) f offset
                        (Convolves.spread x.rows ds k) 0 (x.field.frame.rows + r))) *
                (natural s.unit * slots (word sources 0)) := by
          rw [ok.together_sub here hr', mul_comm, ← sum_mul]
          refine Columns.sum_congr fun p hp => ?_
          rw [alikes p hp, mul_comm]
        rw [toCome_succ, all, mul_add, mul_add] at y3
        rw [mul_add]
        refine le_cert ?_ (add_nonneg (sub_nonneg y3) (sub_nonneg z3))
        exact
          (ring8 K f y v g c d p q, g + q - (f + v + p), g + d - (f + (y + v) + c) + (y + c + q - (p + d))) _
          _ _ _ _ _ _ _
      obtain ⟨grid', gain', loss', A', c'', d'', r1, r2⟩ := smaller (k + 1) hk' _ _ _ _ _ _ _ _ _ _ inv h
      rw [grow] at r1
      obtain ⟨q1, q2, q3, q4, q5⟩ := r1
      exact ⟨grid', gain', loss', A', c'', d'',
          ⟨q1, q2, q3, fun r hr j => Nat.le_trans (q4 r hr j) (keep _ _), q5⟩, r2⟩
    | inr h =>
      obtain ⟨h1, h⟩ := both_true h
      have h1 : word shifts 0 + x.rows * x.positions ≤ x.count := Nat.le_of_ble_eq_true h1
      generalize word shifts 0 = shift at h1 h
      obtain ⟨bit, b1, h⟩ := marksOf_sound (Natural.lt_of_le_of_lt (Nat.zero_le k) here) ok.rows h
      have bits : ∀ p, p < x.positions → bit p = 0 ∨ bit p = 1 := fun p hp => by
        cases b1 p hp with
        | inl g => exact Or.inl g.1
        | inr g => exact Or.inr g.1
      rw [ok.column_eq here bits, shiftLeft_eq] at h
      have wide : shift + x.rows * x.positions ≤ x.count := h1
      have added : grid + 2 ^ (x.field.frame.digit * shift) *
          (pack (x.field.frame.digit * x.field.frame.width) (x.field.frame.rows + x.field.frame.rows) fun r =>
            pack (x.field.frame.digit * x.rows) x.positions
              fun p => bit p * coefficientAt x f offset ds k p r) =
          Matrix.grid x.field.frame.digit x.field.frame.width x.count
              (x.field.frame.rows + x.field.frame.rows) fun r j =>
            A r j + scattered x.rows shift x.positions (fun p => bit p * coefficientAt x f offset ds k p r) j
                  := by
        rw [grid_add, ← x1, ← pack_mul]
        refine congrArg (fun y => grid + y) (pack_congr fun r _ => ?_)
        exact pack_scattered x.positions shift _ wide ok.rows
      rw [added] at h
      have small : ∀ r, r < x.field.frame.rows + x.field.frame.rows →
          ∀ p, p < x.positions → bit p * coefficientAt x f offset ds k p r ≤ each := fun r hr p hp => by
        cases bits p hp with
        | inl g => rw [g, Nat.zero_mul]; exact Nat.zero_le _
        | inr g => rw [g, Nat.one_mul, he]; exact ok.coefficient_le here hp hr
      have inv : Collected s x slots goal
        (fun r =>
          toCome s slots x (coefficientAt x f offset ds) r remaining (k + 1) (Nat.shiftRight sources 32))
        (low + each) limit
          (Matrix.grid x.field.frame.digit x.field.frame.width x.count
              (x.field.frame.rows + x.field.frame.rows) fun r j =>
            A r j + scattered x.rows shift x.positions (fun p => bit p * coefficientAt x f offset ds k p r) j)
            gain loss
          (fun r j => A r j +
                scattered x.rows shift x.positions (fun p => bit p * coefficientAt x f offset ds k p r) j) c d
              := by
        refine ⟨rfl, x2, x3, fun r hr j =>
            Nat.add_le_add (x4 r hr j) (scattered_le ok.rows x.positions shift _ (small r hr) j).1,
            fun r hr => ?_⟩
        obtain ⟨y1, y2, y3⟩ := x5 r hr
        refine ⟨y1, y2, ?_⟩
        have y3 : natural x.field.weight * (form x.count (A r) (A (x.field.frame.rows + r))
                    (inPlace s slots x.places) +
                  toCome s slots x (coefficientAt x f offset ds) r (remaining + 1) k sources) +
            natural (c r) ≤ goal r + natural (d r) := y3
        rw [toCome_succ, ← marked_sum (t := fun p => coefficientAt x f offset ds k p r)
            (t' := fun p => coefficientAt x f offset ds k p (x.field.frame.rows + r)) zero b1,
            ← form_scattered x.positions shift _ _ wide ok.rows, ← add_assoc, ← form_add] at y3
        exact y3
      obtain ⟨grid', gain', loss', A', c'', d'', r1, r2⟩ := smaller (k + 1) hk' _ _ _ _ _ _ _ _ _ _ inv h
      rw [grow] at r1
      obtain ⟨q1, q2, q3, q4, q5⟩ := r1
      refine ⟨grid', gain', loss', A', c'', d'', ⟨q1, q2, q3, q4, fun r hr => ?_⟩, r2⟩
      obtain ⟨y1, y2, y3⟩ := q5 r hr
      exact ⟨Nat.le_trans y1 (keep _ _), Nat.le_trans y2 (keep _ _), y3⟩

end Relaxation
end PytestTorchLean
