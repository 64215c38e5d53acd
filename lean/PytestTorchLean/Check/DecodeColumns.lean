prelude
import PytestTorchLean.Check.DecodeWords
/-!
# Decoding binary32 weights: the columns of a matrix

The decoded vectors are cut into the columns of the matrix, group by group and lane by lane. `whole_sound`
says that the columns hold the values of the bit patterns, `whole_finite` that no pattern is an infinity or
NaN.
-/
set_option linter.all false
namespace PytestTorchLean
open Natural

namespace Decode

/-! ### Cutting into columns -/

/-- `f 0`, ..., `f (n - 1)`, then `rest` -/
def prepend (rest : List Column) : Nat → (Nat → Column) → List Column
  | 0, _ => rest
  | n + 1, f => f 0 :: prepend rest n (fun i => f (i + 1))
theorem prepend_add (rest : List Column) (m n : Nat) (f : Nat → Column) :
    prepend rest (m + n) f = prepend (prepend rest n (fun i => f (m + i))) m f := by
  induction m generalizing f with
  | zero =>
    have e : (fun i => f (0 + i)) = f := funext fun i => by rw [Nat.zero_add]
    show prepend rest (0 + n) f = prepend rest n (fun i => f (0 + i))
    rw [e, Nat.zero_add]
  | succ m ih =>
    have e : (fun i => f (m + 1 + i)) = fun i => f (m + i + 1) := funext fun i => by rw [Nat.succ_add]
    rw [Nat.succ_add]
    show f 0 :: prepend rest (m + n) (fun i => f (i + 1)) = f 0 :: _
    rw [ih, e]
theorem half_facts {n : Nat} (h : 1 < n) :
    1 ≤ n / 2 ∧ n / 2 + (n - n / 2) = n ∧ n / 2 < n ∧ 1 ≤ n - n / 2 := by
  obtain ⟨q, r, e, hr⟩ := euclid (two_pow_pos 1) n
  have hq : n / 2 = q := by rw [e]; exact add_mul_div q hr
  have e2 : n = q + (q + r) := by
    rw [e, Nat.add_comm r, ← Nat.add_assoc]
    exact congrArg (fun t => t + r) (two_mul q)
  have q_pos : 1 ≤ q := by
    cases q with
    | zero => rw [e] at h; exact absurd (lt_of_lt_of_le h (Nat.le_of_succ_le_succ hr)) (lt_irreflexive 1)
    | succ q => exact Nat.succ_le_succ (Nat.zero_le q)
  have hs : n - q = q + r := by rw [e2]; exact add_sub_cancel_left q (q + r)
  rw [hq, hs]
  have le : 1 ≤ q + r := Nat.le_trans q_pos (Nat.le_add_right q r)
  exact ⟨q_pos, e2.symm, by rw [e2]; exact Nat.add_le_add (Nat.le.refl (n := q)) le, le⟩
theorem split_step (width fuel n p q : Nat) (rest : List Column) :
    split width (fuel + 1) n p q rest = cond (Nat.ble n 1) (⟨p, q⟩ :: rest)
      (split width fuel (n / 2) (Nat.land p (2 ^ (width * (n / 2)) - 1))
        (Nat.land q (2 ^ (width * (n / 2)) - 1))
        (split width fuel (n - n / 2) (Nat.shiftRight p (width * (n / 2)))
          (Nat.shiftRight q (width * (n / 2)))
          rest)) := by
  show cond _ _ (force _ _) = _
  rw [force_eq, force_eq, share_eq, share_eq, share_eq, share_eq]; rfl
theorem split_eq {width : Nat} : (fuel n : Nat) → (p q : Nat → Nat) → (rest : List Column) →
    n ≤ fuel → (fuel = 0 ∨ 1 ≤ n) →
    (∀ i, i < n → p i < 2 ^ width) → (∀ i, i < n → q i < 2 ^ width) →
    split width fuel n (pack width n p) (pack width n q) rest = prepend rest n (fun i => ⟨p i, q i⟩) := by
  intro fuel
  induction fuel with
  | zero =>
    intro n p q rest hn _ _ _
    exact by rw [eq_zero_of_le_zero hn]; rfl
  | succ fuel smaller =>
    intro n p q rest hn h1 hp hq
    have h1 : 1 ≤ n := h1.elim (fun e => Nat.noConfusion e) id
    rw [split_step]
    cases e : Nat.ble n 1 with
    | true =>
      have e : n = 1 := Nat.le_antisymm (Nat.le_of_ble_eq_true e) h1
      subst e
      show (⟨pack width 1 p, pack width 1 q⟩ : Column) :: rest = ⟨p 0, q 0⟩ :: rest
      rw [pack_succ, pack_succ, pack_nil, pack_nil]; rfl
    | false =>
      have lt : 1 < n := (le_or_lt n 1).elim
        (fun g => Bool.noConf_tf ((Nat.ble_eq_true_of_le g).symm.trans e)) id
      obtain ⟨low_pos, sum, low_lt, high_pos⟩ := half_facts lt
      generalize n - n / 2 = high at *
      generalize n / 2 = low at *
      subst sum
      have below : low ≤ fuel := Nat.le_of_succ_le_succ (Nat.le_trans low_lt hn)
      have above : high ≤ fuel := Nat.le_of_succ_le_succ (Nat.le_trans
        (by rw [Nat.add_comm]; exact Nat.add_le_add Nat.le.refl low_pos) hn)
      have first : ∀ i, i < low → i < low + high := fun i hi => lt_of_lt_of_le hi (Nat.le_add_right _ _)
      have second : ∀ i, i < high → low + i < low + high :=
        fun i hi => Nat.add_le_add (Nat.le.refl (n := low)) hi
      show split width fuel low _ _ (split width fuel high _ _ rest) = _
      rw [land_pack_append (fun i hi => hp i (first i hi)), land_pack_append (fun i hi => hq i (first i hi)),
        shift_pack_append (fun i hi => hp i (first i hi)), shift_pack_append (fun i hi => hq i (first i hi)),
        smaller high _ _ rest above (Or.inr high_pos) (fun i hi => hp _ (second i hi))
          (fun i hi => hq _ (second i hi)),
        smaller low _ _ _ below (Or.inr low_pos) (fun i hi => hp i (first i hi))
          (fun i hi => hq i (first i hi)), prepend_add]

/-! ### Groups and lanes -/

/-- The list is group `k` of the matrix, decoded and cut into columns. -/
def GroupHolds (a : Affine) (d : Decoding) (g h k : Nat) (columns : List Column) : Prop :=
  ∃ p n : Nat → Nat,
    columns = prepend [] a.laneColumns (fun c =>
      ⟨pack (32 * g) (h * a.rows) (fun j => p (h * a.rows * c + j)),
       pack (32 * g) (h * a.rows) (fun j => n (h * a.rows * c + j))⟩) ∧
    ∀ i, i < h * a.rows * a.laneColumns → p i < 2 ^ d.bits ∧ n i < 2 ^ d.bits ∧
      Represents d.base (word a.weights (k + g * i)) (p i) (n i) ∧
      Binary32.exponent (word a.weights (k + g * i)) ≠ 255

/-- The groups from `k` on. -/
def GroupsHold (a : Affine) (d : Decoding) (g h : Nat) : Nat → List (List Column) → Prop
  | k, [] => k = g
  | k, columns :: rest => GroupHolds a d g h k columns ∧ GroupsHold a d g h (k + 1) rest

/-- What `whole` checks of the decoding itself. -/
structure Fits (d : Decoding) (g : Nat) : Prop where
  group : 0 < g
  base : 1 ≤ d.base ∧ d.base ≤ 255
  stages : 23 + 2 ^ d.stages ≤ 32 * g
  bits : d.bits ≤ 32 * g

theorem stride_ge {g : Nat} (h : 0 < g) : 32 ≤ 32 * g := by
  have e : 32 * 1 ≤ 32 * g := Nat.mul_le_mul Nat.le.refl h
  exact e
theorem stride_pos {g : Nat} (h : 0 < g) : 0 < 32 * g :=
  Nat.le_trans (Nat.succ_le_succ (Nat.zero_le 31)) (stride_ge h)

theorem split_group {b w columns : Nat} {p n : Nat → Nat} (hp : ∀ i, i < w * columns → p i < 2 ^ b)
    (hn : ∀ i, i < w * columns → n i < 2 ^ b) :
    split (b * w) columns columns (pack b (w * columns) p) (pack b (w * columns) n) []
      = prepend [] columns (fun c => ⟨pack b w (fun j => p (w * c + j)),
          pack b w (fun j => n (w * c + j))⟩) := by
  have inside : ∀ c, c < columns → ∀ j, j < w → w * c + j < w * columns := fun c hc j hj => by
    rw [Nat.add_comm]; exact add_mul_lt hj hc
  rw [pack_group, pack_group]
  refine split_eq columns columns _ _ [] Nat.le.refl ?_
    (fun c hc => pack_lt fun j hj => hp _ (inside c hc j hj))
    (fun c hc => pack_lt fun j hj => hn _ (inside c hc j hj))
  cases columns with
  | zero => exact Or.inl rfl
  | succ n => exact Or.inr (Nat.succ_le_succ (Nat.zero_le n))

theorem groups_sound {a : Affine} {d : Decoding} {g h : Nat} (fits : Fits d g) :
    (count k : Nat) → (found : List (List Column)) → k + count = g →
    groups d a.rows a.laneColumns g h a.weights count k = some found → GroupsHold a d g h k found
  | 0, k, found, hk, e => by
    have e : some [] = some found := e
    injection e with e
    rw [← e]; exact hk
  | count + 1, k, found, hk, e => by
    have e : share (fun x => words d (32 * g) (h * a.rows * a.laneColumns) x (fun p q =>
        Option.rec (motive := fun _ => Option (List (List Column))) none
          (fun rest => some (split (32 * g * (h * a.rows)) a.laneColumns a.laneColumns p q [] :: rest))
          (groups d a.rows a.laneColumns g h a.weights count (k + 1))))
        (every 32 g k 32 (h * a.rows * a.laneColumns) a.weights) = some found := e
    rw [share_eq, every_digit Nat.le.refl (Nat.succ_le_succ (Nat.zero_le 31)) fits.group] at e
    obtain ⟨p, n, e, hpn⟩ := words_sound (stride_ge fits.group) fits.base fits.stages fits.bits
      (fun i _ => mod_lt (two_pow_pos 32) _) e
    have ih := groups_sound (a := a) (h := h) fits count (k + 1)
    cases er : groups d a.rows a.laneColumns g h a.weights count (k + 1) with
    | none => rw [er] at e; cases e
    | some rest =>
      rw [er] at e
      have e : some (split (32 * g * (h * a.rows)) a.laneColumns a.laneColumns _ _ [] :: rest) =
        some found := e
      injection e with e
      rw [← e]
      refine ⟨⟨p, n, ?_, fun i hi => ?_⟩, ih rest (by rw [Nat.succ_add]; exact hk) er⟩
      · exact split_group (fun i hi => lt_of_lt_of_le (hpn i hi).1 (two_pow_le fits.bits))
          (fun i hi => lt_of_lt_of_le (hpn i hi).2.1 (two_pow_le fits.bits))
      · have t := hpn i hi
        have w : digit 32 a.weights (k + g * i) % 2 ^ 32 = word a.weights (k + g * i) :=
          mod_eq_self (mod_lt (two_pow_pos 32) _)
        rw [w] at t; exact t

theorem lane_prepend (d : Decoding) (rows g h l n : Nat) (f : Nat → Column) :
    lane d rows g h l (prepend [] n f) = prepend [] n (fun c =>
      ⟨every (32 * g) h l d.bits rows (f c).positive, every (32 * g) h l d.bits rows (f c).negative⟩) := by
  unfold lane
  rw [force_eq, share_eq]
  induction n generalizing f with
  | zero => rfl
  | succ n ih =>
    show share (fun p => share (fun q => (⟨p, q⟩ : Column) :: List.rec [] _ (prepend [] n fun i => f (i + 1)))
      (every (32 * g) h l d.bits rows (f 0).negative)) (every (32 * g) h l d.bits rows (f 0).positive) = _
    rw [share_eq, share_eq, ih]; rfl
theorem laneHolds_prepend {a : Affine} {d : Decoding} {lane : Nat} (n start : Nat) (f : Nat → Column)
    (hn : start + n = a.laneColumns) (h : ∀ c, c < n → (f c).Holds a d lane (start + c)) :
    LaneHolds a d lane start (prepend [] n f) := by
  induction n generalizing f start with
  | zero => exact hn
  | succ n ih =>
    refine ⟨h 0 (Nat.succ_le_succ (Nat.zero_le n)), ih (start + 1) _ (by rw [Nat.succ_add]; exact hn) ?_⟩
    intro c hc
    have t := h (c + 1) (Nat.succ_le_succ hc)
    rw [Nat.succ_add]; exact t

/-- lane `l` of a column of a group -/
theorem every_column {a : Affine} {d : Decoding} {g h l c : Nat} {p : Nat → Nat}
    (fits : Fits d g) (hl : l < h)
    (hc : c < a.laneColumns) (lanes : g * h = a.lanes)
    (hp : ∀ i, i < h * a.rows * a.laneColumns → p i < 2 ^ d.bits) :
    every (32 * g) h l d.bits a.rows (pack (32 * g) (h * a.rows) (fun j => p (h * a.rows * c + j)))
      = pack (32 * a.lanes) a.rows (fun r => p (h * a.rows * c + (l + h * r))) := by
  have pos : 0 < h := lt_of_le_of_lt (Nat.zero_le l) hl
  have inside : ∀ j, j < h * a.rows → h * a.rows * c + j < h * a.rows * a.laneColumns := fun j hj => by
    rw [Nat.add_comm]; exact add_mul_lt hj hc
  rw [every_digit fits.bits (stride_pos fits.group) pos, Nat.mul_assoc, lanes]
  refine pack_congr fun r hr => ?_
  have at_r : l + h * r < h * a.rows := add_mul_lt hl hr
  rw [digit_pack (fun j hj => lt_of_lt_of_le (hp _ (inside j hj)) (two_pow_le fits.bits)) at_r,
    mod_eq_self (hp _ (inside _ at_r))]

theorem lane_sound {a : Affine} {d : Decoding} {g h k l : Nat} {columns : List Column}
    (fits : Fits d g) (hl : l < h)
    (lanes : g * h = a.lanes) (hold : GroupHolds a d g h k columns) :
    LaneHolds a d (k + g * l) 0 (lane d a.rows g h l columns) := by
  obtain ⟨p, n, e, hpn⟩ := hold
  rw [e, lane_prepend]
  refine laneHolds_prepend a.laneColumns 0 _ (Nat.zero_add _) fun c hc => ?_
  refine ⟨_, _, every_column fits hl hc lanes (fun i hi => (hpn i hi).1),
    every_column fits hl hc lanes (fun i hi => (hpn i hi).2.1), fun r hr => ?_⟩
  have inside : h * a.rows * c + (l + h * r) < h * a.rows * a.laneColumns := by
    rw [Nat.add_comm]; exact add_mul_lt (add_mul_lt hl hr) hc
  have t := hpn _ inside
  have index : k + g * (h * a.rows * c + (l + h * r)) = k + g * l + a.lanes * (r + a.rows * (0 + c)) := by
    rw [← lanes, Nat.zero_add]
    simp only [Nat.mul_add, Nat.mul_assoc, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
  rw [index] at t
  exact ⟨t.1, t.2.1, t.2.2.1⟩

theorem interleave_sound {a : Affine} {d : Decoding} {g h : Nat} {found : List (List Column)}
    (fits : Fits d g)
    (lanes : g * h = a.lanes) (hold : GroupsHold a d g h 0 found) :
    (count l : Nat) → l + count = h → LanesHold a d (g * l) (interleave d a.rows g h found count l)
  | 0, l, hl => by
    show g * l = a.lanes
    rw [← lanes, ← hl]; rfl
  | count + 1, l, hl => by
    have next := interleave_sound fits lanes hold count (l + 1) (by rw [Nat.succ_add]; exact hl)
    have lt : l < h := by
      rw [← hl]
      exact Nat.add_le_add (Nat.le.refl (n := l)) (Nat.succ_le_succ (Nat.zero_le count))
    have each : ∀ (list : List (List Column)) (k : Nat), GroupsHold a d g h k list →
        LanesHold a d (k + g * l) (List.rec (motive := fun _ => List (List Column))
          (interleave d a.rows g h found count (l + 1))
          (fun columns _ rest => lane d a.rows g h l columns :: rest) list) := by
      intro list
      induction list with
      | nil =>
        intro k hk
        have hk : k = g := hk
        rw [hk, Nat.add_comm]; exact next
      | cons columns rest ih =>
        intro k hk
        have t := ih (k + 1) hk.2
        rw [Nat.succ_add] at t
        exact ⟨lane_sound fits lt lanes hk.1, t⟩
    have t := each found 0 hold
    rw [Nat.zero_add] at t; exact t

/-- What the checks of `whole` establish. -/
theorem whole_some {a : Affine} {d : Decoding} {lanes : List (List Column)} (h : whole a d = some lanes) :
    ∃ g height found, Fits d g ∧ g * height = a.lanes ∧ GroupsHold a d g height 0 found ∧
      lanes = interleave d a.rows g height found height 0 := by
  unfold whole at h
  rw [force_eq, force_eq, force_eq, force_eq] at h
  obtain ⟨h1, h⟩ := cond_some h
  obtain ⟨h2, h⟩ := cond_some h
  obtain ⟨h3, h⟩ := cond_some h
  obtain ⟨h4, h⟩ := cond_some h
  obtain ⟨h5, h⟩ := cond_some h
  generalize groupCount d a.lanes = g at *
  generalize a.lanes / g = height at *
  have stages := Nat.le_of_ble_eq_true h4
  have fits : Fits d g := by
    refine ⟨?_, ⟨Nat.le_of_ble_eq_true h2, Nat.le_of_ble_eq_true h3⟩, stages, Nat.le_of_ble_eq_true h5⟩
    cases g with
    | zero => exact absurd (Nat.le_trans (Nat.le_add_right 23 _) stages) (Nat.not_succ_le_zero 22)
    | succ g => exact Nat.succ_le_succ (Nat.zero_le g)
  cases e : groups d a.rows a.laneColumns g height a.weights g 0 with
  | none => rw [e] at h; cases h
  | some found =>
    rw [e] at h
    have h : some (interleave d a.rows g height found height 0) = some lanes := h
    injection h with h
    exact ⟨g, height, found, fits, Nat.eq_of_beq_eq_true h1,
      groups_sound fits g 0 found (Nat.zero_add g) e, h.symm⟩

theorem group_at {a : Affine} {d : Decoding} {g h : Nat} : (found : List (List Column)) → (k : Nat) →
    GroupsHold a d g h k found → ∀ j, k + j < g → ∃ columns, GroupHolds a d g h (k + j) columns
  | [], k, hold, j, hj => by
    have e : k = g := hold
    rw [e] at hj
    exact absurd (lt_of_le_of_lt (Nat.le_add_right g j) hj) (lt_irreflexive g)
  | columns :: _, k, hold, 0, _ => ⟨columns, hold.1⟩
  | _ :: rest, k, hold, j + 1, hj => by
    have t := group_at rest (k + 1) hold.2 j
    rw [Nat.succ_add] at t
    exact t hj

/-- What `whole` returns are the weights' values. -/
theorem whole_sound {a : Affine} {d : Decoding} {lanes : List (List Column)} (h : whole a d = some lanes) :
    LanesHold a d 0 lanes := by
  obtain ⟨g, height, found, fits, product, hold, rfl⟩ := whole_some h
  exact interleave_sound fits product hold height 0 (Nat.zero_add height)

/-- `whole` refuses infinities and NaN. -/
theorem whole_finite {a : Affine} {d : Decoding} {lanes : List (List Column)} (h : whole a d = some lanes)
    {row lane column : Nat} (hr : row < a.rows) (hl : lane < a.lanes) (hc : column < a.laneColumns) :
    Binary32.exponent (a.pattern row lane column) ≠ 255 := by
  obtain ⟨g, height, found, fits, product, hold, _⟩ := whole_some h
  obtain ⟨l, k, e, hk⟩ := euclid fits.group lane
  have hl : l < height := lt_of_mul_lt_mul_left (c := g)
    (lt_of_le_of_lt (Nat.le_add_left _ k) (by rw [← e, product]; exact hl))
  obtain ⟨_, p, n, _, all⟩ := group_at found 0 hold k (by rw [Nat.zero_add]; exact hk)
  have t := (all _ (add_mul_lt (add_mul_lt hl hr) hc)).2.2.2
  have index : 0 + k + g * (l + height * row + height * a.rows * column)
      = lane + a.lanes * (row + a.rows * column) := by
    rw [e, ← product, Nat.zero_add]
    simp only [Nat.mul_add, Nat.mul_assoc, Nat.add_assoc]
  rw [index] at t
  exact t
end Decode
end PytestTorchLean
