prelude
import PytestTorchLean.Check.Relaxation.Sweep
/-!
# Multipliers

A slot never exceeds its upper bound, so a row that has gained a multiple of the slot, less the same multiple
of that bound, is no larger than it was; the same with the lower bound, the other way round. Such a row is no
weaker where the bound is the case of a split, a ReLU's phase say: what the split tells is then used by every
slot that the row still goes back through. The multiples are chosen by the certificate (the multipliers of
Lagrange, called beta in beta-CROWN); any choice is sound.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- `amount` times (slot - upper bound), or `amount` times (lower bound - slot), is added to one row. The slot
    is the `place`-th of those that the batch is about. -/
structure Multiplier where
  row : Nat
  place : Nat
  amount : Nat
  upper : Bool

namespace Multiplier
/-- Coefficients below `cap` and constants of at most `limit`, as `Batch.HoldsOver` states them. -/
def Loaded (frame : Frame) (count weight scale : Nat) (v goal : Nat → K)
    (cap limit positive negative gain loss : Nat) : Prop :=
  ∃ f g : Nat → Nat → Nat, ∃ c d : Nat → Nat,
    positive = grid frame.digit frame.width count frame.rows f ∧
      negative = grid frame.digit frame.width count frame.rows g ∧
    gain = side frame.digit frame.width frame.rows c ∧ loss = side frame.digit frame.width frame.rows d ∧
    ∀ r, r < frame.rows → (∀ j, j < count → f r j < cap ∧ g r j < cap) ∧ c r ≤ limit ∧ d r ≤ limit ∧
      natural weight * form count (f r) (g r) v + natural (c r) ≤ natural scale * goal r + natural (d r)

/-- The bound that a multiplier uses, as the memory stores it: the mirrored one of an upper bound. -/
def bound (s : Scale) (start direct mirrored : Nat) (m : Multiplier) : Nat :=
  Bool.casesOn (motive := fun _ => Nat) m.upper (lows s direct (Nat.add start m.place) 1)
    (lows s mirrored (Nat.add start m.place) 1)

/-- What it adds to one side of the coefficients. -/
def entry (frame : Frame) (m : Multiplier) (amount : Nat) : Nat :=
  Nat.mul amount (Nat.mul (Nat.pow 2 (Nat.mul (Nat.mul frame.digit frame.width) m.row))
      (Nat.pow 2 (Nat.mul frame.digit m.place)))
def above (m : Multiplier) : Nat := Bool.casesOn (motive := fun _ => Nat) m.upper 0 m.amount
def below (m : Multiplier) : Nat := Bool.casesOn (motive := fun _ => Nat) m.upper m.amount 0

/-- One multiplier after the other; `next` is handed what has come of the cap, the limit, the coefficients and
    the constants. -/
def add (s : Scale) (frame : Frame) (start count weight direct mirrored : Nat) (ms : List Multiplier) :
    Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Nat → Nat → Nat → Bool) → Bool :=
  List.rec
    (motive := fun _ => Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Nat → Nat → Nat → Bool) → Bool)
    (fun cap limit positive negative gain loss next => next cap limit positive negative gain loss)
    (fun m _ rest cap limit positive negative gain loss next =>
      both (both (Nat.ble (Nat.succ m.row) frame.rows) (Nat.ble (Nat.succ m.place) count))
        (force (fun unit => force (fun cap' => force (fun limit' =>
                  force (fun positive' => force (fun negative' => force (fun gain' => force (fun loss' =>
            rest cap' limit' positive' negative' gain' loss' next)
          (Nat.add loss (Nat.mul unit s.center)))
            (Nat.add gain (Nat.mul unit (bound s start direct mirrored m))))
          (Nat.add negative (entry frame m (below m)))) (Nat.add positive (entry frame m (above m))))
          (Nat.add limit (Nat.mul (Nat.mul weight m.amount) s.top))) (Nat.add cap m.amount))
          (Nat.mul (Nat.mul weight m.amount) (Nat.pow 2 (Nat.mul (Nat.mul frame.digit frame.width) m.row)))))
          ms

theorem add_cons (s : Scale) (frame : Frame)
    (start count weight direct mirrored cap limit positive negative gain loss : Nat) (m : Multiplier)
    (ms : List Multiplier) (next : Nat → Nat → Nat → Nat → Nat → Nat → Bool) :
    add s frame start count weight direct mirrored (m :: ms) cap limit positive negative gain loss next =
    both (both (Nat.ble (Nat.succ m.row) frame.rows) (Nat.ble (Nat.succ m.place) count))
      (add s frame start count weight direct mirrored ms (cap + m.amount) (limit + weight * m.amount * s.top)
        (positive + entry frame m (above m)) (negative + entry frame m (below m))
        (gain + weight * m.amount * 2 ^ (frame.digit * frame.width * m.row) * bound s start direct mirrored m)
        (loss + weight * m.amount * 2 ^ (frame.digit * frame.width * m.row) * s.center) next) := by
  unfold add
  simp only [force_eq]
  rfl

theorem indicator_self (i : Nat) : indicator i i = 1 := by unfold indicator; rw [Nat.beq_refl]; rfl
theorem indicator_other {i j : Nat} (h : Nat.beq i j = false) : indicator i j = 0 := by
  unfold indicator
  rw [h]
  rfl
theorem indicator_le (i j : Nat) : indicator i j ≤ 1 := by
  unfold indicator
  cases Nat.beq i j with
  | true => exact Nat.le.refl
  | false => exact Nat.zero_le 1

theorem above_le (m : Multiplier) : above m ≤ m.amount := by
  obtain ⟨_, _, _, upper⟩ := m
  cases upper with
  | true => exact Nat.le.refl
  | false => exact Nat.zero_le _
theorem below_le (m : Multiplier) : below m ≤ m.amount := by
  obtain ⟨_, _, _, upper⟩ := m
  cases upper with
  | true => exact Nat.zero_le _
  | false => exact Nat.le.refl

/-- A coefficient in one place of one row. -/
theorem entry_eq {frame : Frame} {m : Multiplier} {count amount : Nat} (hr : m.row < frame.rows)
    (hp : m.place < count) :
    entry frame m amount =
    grid frame.digit frame.width count frame.rows
      fun r j => amount * indicator m.row r * indicator m.place j := by
  rw [← side_mul_pack, pack_indicator _ _ _ hp, side_mul]
  show _ = amount * pack (frame.digit * frame.width) frame.rows (indicator m.row) * _
  rw [pack_indicator _ _ _ hr, Nat.mul_assoc]
  rfl
theorem constant_eq {frame : Frame} {m : Multiplier} (a b : Nat) (hr : m.row < frame.rows) :
    a * 2 ^ (frame.digit * frame.width * m.row) * b =
    side frame.digit frame.width frame.rows fun r => a * b * indicator m.row r := by
  rw [side_mul]
  show _ = a * b * pack (frame.digit * frame.width) frame.rows (indicator m.row)
  rw [pack_indicator _ _ _ hr]
  simp only [Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]

/-- What a bound says: `amount` times (slot - upper bound), or (lower bound - slot), is not positive. -/
theorem bound_sound {s : Scale} {slots : Nat → K} {start count memory direct mirrored : Nat} {m : Multiplier}
    (half : 0 < s.half)
    (sf : s.Fits)
    (inside : start + count ≤ memory)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hp : m.place < count) :
    bound s start direct mirrored m ≤ s.top ∧
    (natural (above m) - natural (below m)) * values s slots start m.place +
        natural (m.amount * bound s start direct mirrored m) ≤ (natural (m.amount * s.center) : K) := by
  have h : start + m.place + 1 ≤ memory :=
    Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := start)) hp : start + (m.place + 1) ≤ start + count) inside
  obtain ⟨l, u, e1, e2, hv⟩ := lows_hold (start := start + m.place) (n := 1) half sf h hm
  obtain ⟨v1, v2, v3, v4⟩ := hv 0 Nat.le.refl
  have one : ∀ g : Nat → Nat,
      pack s.stride 1 g = g 0 := fun g => by show g 0 + 2 ^ s.stride * 0 = g 0; rw [Nat.mul_zero]; rfl
  rw [one] at e1 e2
  obtain ⟨row, place, amount, upper⟩ := m
  cases upper with
  | true =>
    have e : bound s start direct mirrored ⟨row, place, amount, true⟩ = u 0 := e2
    rw [e]
    refine ⟨v2, ?_⟩
    have k := mul_le_left (natural_nonneg (K := K) amount) v4
    show (natural amount - 0) * values s slots start place + natural (amount * u 0) ≤
      natural (amount * s.center)
    rw [natural_mul, natural_mul]
    refine le_cert ?_ (sub_nonneg k)
    exact (ring4 K a y b e, a * e - ((a - 0) * y + a * b), a * e - a * (y + b)) _ _ _ _
  | false =>
    have e : bound s start direct mirrored ⟨row, place, amount, false⟩ = l 0 := e1
    rw [e]
    refine ⟨v1, ?_⟩
    have k := mul_le_left (natural_nonneg (K := K) amount) v3
    show (0 - natural amount) * values s slots start place + natural (amount * l 0) ≤
      natural (amount * s.center)
    rw [natural_mul, natural_mul]
    refine le_cert ?_ (sub_nonneg k)
    exact (ring4 K a y b e, a * e - ((0 - a) * y + a * b), a * (y + e) - a * b) _ _ _ _

/-- One multiplier more. -/
theorem loaded {s : Scale} {frame : Frame} {slots goal : Nat → K}
    {start count memory weight scale direct mirrored cap limit positive negative gain loss : Nat}
    {m : Multiplier}
    (half : 0 < s.half)
    (sf : s.Fits)
    (inside : start + count ≤ memory)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hr : m.row < frame.rows)
    (hp : m.place < count)
    (h : Loaded frame count weight scale (values s slots start) goal cap limit positive negative gain loss) :
    Loaded frame count weight scale (values s slots start) goal (cap + m.amount)
    (limit + weight * m.amount * s.top) (positive + entry frame m (above m))
    (negative + entry frame m (below m))
    (gain + weight * m.amount * 2 ^ (frame.digit * frame.width * m.row) * bound s start direct mirrored m)
    (loss + weight * m.amount * 2 ^ (frame.digit * frame.width * m.row) * s.center) := by
  obtain ⟨f, g, c, d, e1, e2, e3, e4, hold⟩ := h
  obtain ⟨b1, b2⟩ := bound_sound half sf inside hm hp
  refine ⟨fun r j => f r j + above m * indicator m.row r * indicator m.place j,
      fun r j => g r j + below m * indicator m.row r * indicator m.place j,
      fun r => c r + weight * m.amount * bound s start direct mirrored m * indicator m.row r,
      fun r => d r + weight * m.amount * s.center * indicator m.row r, ?_, ?_, ?_, ?_, fun r hr' => ?_⟩
  · rw [e1, entry_eq hr hp, ← grid_add]
  · rw [e2, entry_eq hr hp, ← grid_add]
  · rw [e3, constant_eq _ _ hr, ← side_add]
  · rw [e4, constant_eq _ _ hr, ← side_add]
  · obtain ⟨q1, q2, q3, q4⟩ := hold r hr'
    have some : ∀ {a : Nat},
        a ≤ m.amount → ∀ j, a * indicator m.row r * indicator m.place j ≤ m.amount := fun ha j => by
      have e := Nat.mul_le_mul (Nat.mul_le_mul ha (indicator_le m.row r)) (indicator_le m.place j)
      rw [Nat.mul_one, Nat.mul_one] at e; exact e
    have less : ∀ {x y a b : Nat}, x < y → a ≤ b → x + a < y + b := fun h1 h2 => by
      have e := Nat.add_le_add h1 h2
      rw [Nat.succ_add] at e; exact e
    have once : ∀ {a b : Nat},
        a ≤ b → weight * m.amount * a * indicator m.row r ≤ weight * m.amount * b := fun h => by
      have e :=
        Nat.mul_le_mul (Nat.mul_le_mul (Nat.le.refl (n := weight * m.amount)) h) (indicator_le m.row r)
      rw [Nat.mul_one] at e; exact e
    refine ⟨fun j hj => ⟨less (q1 j hj).1 (some (above_le m) j), less (q1 j hj).2 (some (below_le m) j)⟩,
      Nat.add_le_add q2 (once b1), Nat.add_le_add q3 (once (Nat.le_add_right s.center s.center)), ?_⟩
    show natural weight * form count (fun j => f r j + above m * indicator m.row r * indicator m.place j)
        (fun j => g r j + below m * indicator m.row r * indicator m.place j) (values s slots start) +
      natural (c r + weight * m.amount * bound s start direct mirrored m * indicator m.row r) ≤
      natural scale * goal r + natural (d r + weight * m.amount * s.center * indicator m.row r)
    rw [form_add, form_indicator _ _ count m.place _ hp]
    have k := mul_le_left (natural_nonneg (K := K) (weight * indicator m.row r)) b2
    have e5 : weight * m.amount * bound s start direct mirrored m * indicator m.row r =
        weight * indicator m.row r * (m.amount * bound s start direct mirrored m) := by
      simp only [Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]
    have e6 : weight * m.amount * s.center * indicator m.row r =
        weight * indicator m.row r * (m.amount * s.center) := by
      simp only [Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]
    rw [e5, e6, natural_add (c r), natural_add (d r), natural_mul (weight * indicator m.row r),
        natural_mul (weight * indicator m.row r), natural_mul (above m), natural_mul (below m),
        natural_mul weight]
    rw [natural_mul weight] at k
    have e7 : (natural (above m) * natural (indicator m.row r) -
          natural (below m) * natural (indicator m.row r)) * values s slots start m.place =
        (natural (indicator m.row r) : K) *
            ((natural (above m) - natural (below m)) * values s slots start m.place) :=
      (ring4 K a b i y, (a * i - b * i) * y, i * ((a - b) * y)) _ _ _ _
    rw [e7, ← add_assoc (natural scale * goal r)]
    refine le_cert ?_ (add_nonneg (sub_nonneg k) (sub_nonneg q4))
    generalize (natural (above m) - natural (below m) : K) * values s slots start m.place = z
    generalize natural scale * goal r + natural (d r) = o
    exact (ring8 K w i F z p q c o, o + w * i * q - (w * (F + i * z) + (c + w * i * p)),
        w * i * q - w * i * (z + p) + (o - (w * F + c))) (natural weight) (natural (indicator m.row r))
      (form count (f r) (g r) (values s slots start)) _ (natural (m.amount * bound s start direct mirrored m))
      (natural (m.amount * s.center)) (natural (c r)) _

theorem add_sound {s : Scale} {frame : Frame} {slots goal : Nat → K}
    {start count memory weight scale direct mirrored : Nat} {next : Nat → Nat → Nat → Nat → Nat → Nat → Bool}
    (half : 0 < s.half)
    (sf : s.Fits)
    (inside : start + count ≤ memory)
    (hm : (Memory.mk direct mirrored).Holds s slots memory) :
    (ms : List Multiplier) → (cap limit positive negative gain loss : Nat) →
    Loaded frame count weight scale (values s slots start) goal cap limit positive negative gain loss →
    add s frame start count weight direct mirrored ms cap limit positive negative gain loss next = true →
    ∃ cap limit positive negative gain loss, Loaded frame count weight scale (values s slots start) goal cap
        limit positive negative gain loss ∧ next cap limit positive negative gain loss = true
  | [], cap, limit, positive, negative, gain, loss, hl, h =>
    ⟨cap, limit, positive, negative, gain, loss, hl, h⟩
  | m :: ms, cap, limit, positive, negative, gain, loss, hl, h => by
    rw [add_cons] at h
    obtain ⟨hc, h⟩ := both_true h
    obtain ⟨hr, hp⟩ := both_true hc
    exact add_sound half sf inside hm ms _ _ _ _ _ _
      (loaded half sf inside hm (Nat.le_of_ble_eq_true hr) (Nat.le_of_ble_eq_true hp) hl) h
end Multiplier

/-- The batch with multipliers in its rows; afterwards coefficients have at most `size` bits. -/
def multiply (s : Scale) (frame : Frame) (multipliers : List Multiplier) (size direct mirrored memory : Nat)
    (x : Batch) (next : Batch → Bool) : Bool :=
  both (fits s frame memory x)
    (Multiplier.add s frame x.start x.count x.weight direct mirrored multipliers (Nat.pow 2 x.size) x.limit
        x.positive x.negative x.gain x.loss
      fun cap limit positive negative gain loss =>
        both (both (Nat.ble cap (Nat.pow 2 size)) (Nat.ble (Nat.succ size) frame.digit))
          (force (fun p => force
                (fun q => next ⟨x.scale, x.weight, limit, x.start, x.count, size, p, q, gain, loss⟩)
                (minus frame.digit frame.width x.count frame.rows size negative positive))
              (minus frame.digit frame.width x.count frame.rows size positive negative)))

/-- Multipliers keep every row below its goal. -/
theorem multiply_sound {s : Scale} {frame : Frame} {slots goal : Nat → K} {multipliers : List Multiplier}
    {size direct mirrored memory : Nat} {x : Batch} {next : Batch → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hx : x.Holds s frame slots goal)
    (h : multiply s frame multipliers size direct mirrored memory x next = true) :
    ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true := by
  obtain ⟨hc, h⟩ := both_true h
  have ok := fits_sound hc
  obtain ⟨cap, limit, positive, negative, gain, loss, ⟨f, g, c, d, e1, e2, e3, e4, hold⟩, h⟩ :=
    Multiplier.add_sound ok.half sf ok.inside hm multipliers _ _ _ _ _ _ hx h
  obtain ⟨hb, h⟩ := both_true h
  obtain ⟨hb, hd⟩ := both_true hb
  have hb : cap ≤ 2 ^ size := Nat.le_of_ble_eq_true hb
  have hd : size + 1 ≤ frame.digit := Nat.le_of_ble_eq_true hd
  have p1 : ∀ r, r < frame.rows →
    ∀ j, j < x.count → f r j < 2 ^ size := fun r hr j hj => Natural.lt_of_lt_of_le ((hold r hr).1 j hj).1 hb
  have p2 : ∀ r, r < frame.rows →
    ∀ j, j < x.count → g r j < 2 ^ size := fun r hr j hj => Natural.lt_of_lt_of_le ((hold r hr).1 j hj).2 hb
  rw [force_eq, force_eq] at h
  rw [e1, e2, minus_eq ok.width hd p1 p2, minus_eq ok.width hd p2 p1] at h
  refine ⟨_, ?_, h⟩
  refine ⟨_, _, c, d, rfl, rfl, e3, e4, fun r hr => ?_⟩
  obtain ⟨_, q2, q3, q4⟩ := hold r hr
  refine ⟨fun j hj => ⟨Natural.lt_of_le_of_lt (Natural.sub_le _ _) (p1 r hr j hj),
        Natural.lt_of_le_of_lt (Natural.sub_le _ _) (p2 r hr j hj)⟩, q2, q3, ?_⟩
  rw [form_cancel]
  exact q4

end Relaxation
end PytestTorchLean
