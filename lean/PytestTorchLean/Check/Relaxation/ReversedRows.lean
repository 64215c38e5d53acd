prelude
import PytestTorchLean.Check.Relaxation.Lane
import PytestTorchLean.Check.Relaxation.Substitute
/-!
# Rows in reverse order

A product of polynomials needs one factor in reverse order: here the rows of a batch, and the columns that
they meet.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open Natural Matrix

/-! ### The rows -/

/-- Rows `w` digits apart brought to a distance of `c` digits, whichever is larger; `2^levels` is at least
    their number. -/
def respaced (b w c levels x : Nat) : Nat :=
  Bool.casesOn (motive := fun _ => Nat) (Nat.ble c w) (wider b c w levels x) (closer b w c levels x)
theorem respaced_eq {b w c R levels : Nat} {f : Nat → Nat} (hb : 0 < b) (hw : 0 < w) (hc : 0 < c)
    (hl : R ≤ 2 ^ levels) (h1 : ∀ r, r < R → f r < 2 ^ (b * w)) (h2 : ∀ r, r < R → f r < 2 ^ (b * c)) :
    respaced b w c levels (pack (b * w) R f) = pack (b * c) R f := by
  unfold respaced
  cases e : Nat.ble c w with
  | true => exact closer_eq hb hc (Nat.le_of_ble_eq_true e) hl h2
  | false =>
    have le : w ≤ c :=
      (le_or_lt c w).elim (fun g => Bool.noConf_tf ((Nat.ble_eq_true_of_le g).symm.trans e)) Natural.le_of_lt
    exact wider_eq hb hw le hl h1

/-- All rows of a grid reversed, `2^l` digits of `C` bits each; `2^height` is at least the number of rows,
    `2^levels` that of all digits. -/
def reversedRows (b w C R l height levels x : Nat) : Nat :=
  force (fun y => force (fun z => Dense.spread C b levels 1 z) (turn R l b b y))
    (respaced b w (Nat.pow 2 l) height x)
theorem reversedRows_eq {b w C R l height levels m : Nat} {f : Nat → Nat → Nat}
    (hb : 0 < b)
    (hC : b ≤ C)
    (hm : 0 < m)
    (hw : m ≤ w)
    (hl : m ≤ 2 ^ l)
    (hh : R ≤ 2 ^ height)
    (hn : 2 ^ l * R ≤ 2 ^ levels)
    (hf : ∀ r, r < R → ∀ j, j < m → f r j < 2 ^ b) :
    reversedRows b w C R l height levels (grid b w m R f) =
    grid C (2 ^ l) (2 ^ l) R fun r j => upTo m (f r) (2 ^ l - 1 - j) := by
  have W0 : 0 < 2 ^ l := two_pow_pos l
  have all : ∀ r, r < R → ∀ j, upTo m (f r) j < 2 ^ b := fun r hr j => upTo_lt (hf r hr) j
  unfold reversedRows
  rw [force_eq, force_eq]
  have spaced : respaced b w (Nat.pow 2 l) height (grid b w m R f) =
      pack (b * 2 ^ l) R fun r => pack b (2 ^ l) (upTo m (f r)) := by
    have e : respaced b w (2 ^ l) height (pack (b * w) R fun r => pack b m (f r)) =
        pack (b * 2 ^ l) R fun r => pack b m (f r) :=
      respaced_eq hb (Nat.le_trans hm hw) W0 hh (fun r hr => row_lt hw (hf r hr))
        (fun r hr => row_lt hl (hf r hr))
    exact e.trans (pack_congr fun r _ => (pack_upTo hl (f r)).symm)
  have flatten : (pack (b * 2 ^ l) R fun r => pack b (2 ^ l) (upTo m (f r))) =
      pack b (R * 2 ^ l) fun i => upTo m (f (i / 2 ^ l)) (i % 2 ^ l) := by
    rw [Nat.mul_comm R, Decode.pack_group]
    exact pack_congr
        fun r _ => pack_congr fun j hj => by rw [Nat.add_comm (2 ^ l * r), add_mul_div r hj, add_mul_mod r hj]
  have small : ∀ i, i < R * 2 ^ l → upTo m (f (i / 2 ^ l)) (i % 2 ^ l) < 2 ^ b :=
    fun i hi => all _ (div_lt W0 (by rw [Nat.mul_comm]; exact hi)) _
  have inside : ∀ i, i < 2 ^ l → 2 ^ l - 1 - i < 2 ^ l :=
    fun i _ => lt_of_le_of_lt (Natural.sub_le _ _) (le_of_eq (succ_pred W0))
  have turns : turn R l b b (pack b (R * 2 ^ l) fun i => upTo m (f (i / 2 ^ l)) (i % 2 ^ l)) =
      grid b (2 ^ l) (2 ^ l) R fun r j => upTo m (f r) (2 ^ l - 1 - j) := by
    refine (turn_eq R l b b _ Nat.le.refl hb small).trans ?_
    exact pack_congr fun r _ => pack_congr
        fun i hi => by rw [Nat.add_comm (2 ^ l * r), add_mul_div r (inside i hi), add_mul_mod r (inside i hi)]
  rw [spaced, flatten, turns, grid_flat Nat.le.refl, grid_flat Nat.le.refl]
  refine Dense.spread_pack hC (lt_of_lt_of_le hb hC) hn fun i hi => ?_
  exact flat_lt (w := 2 ^ l) (fun r hr j hj => all r hr _) i hi

/-! ### The columns -/

/-- Columns of digits of `C` bits, `q` of them in one: column `t` of these is moved up by `t * b` bits. The
    last comes first. `z` columns are already in `y`. -/
def shared (b q : Nat) (columns : List Nat) : Nat → Nat → List Nat → List Nat :=
  List.rec (motive := fun _ => Nat → Nat → List Nat → List Nat) (fun _ y later => List.cons y later)
    (fun v _ rest z y later => force (fun z' => force (fun y' => Bool.casesOn (motive := fun _ => List Nat)
            (Nat.beq z' q) (rest z' y' later) (rest 0 0 (List.cons y' later)))
          (Nat.add y (Nat.shiftLeft v (Nat.mul b z)))) (Nat.succ z)) columns
theorem shared_cons (b q v : Nat) (vs : List Nat) (z y : Nat) (later : List Nat) :
    shared b q (v :: vs) z y later =
    Bool.casesOn (motive := fun _ => List Nat) (Nat.beq (z + 1) q)
      (shared b q vs (z + 1) (y + v * 2 ^ (b * z)) later)
      (shared b q vs 0 0 ((y + v * 2 ^ (b * z)) :: later)) := by
  unfold shared
  simp only [force_eq]
  rfl

/-- The digits of `q` columns from column `q * g` on, in one. -/
def sharing (b q : Nat) (V : Nat → Nat → Nat) (g i : Nat) : Nat := pack b q fun t => V (q * g + t) i
/-- These numbers hold all groups of columns below their number, the last one first. -/
def Shares (b q C m : Nat) (V : Nat → Nat → Nat) : List Nat → Prop
  | [] => True
  | y :: ys => y = pack C m (sharing b q V ys.length) ∧ Shares b q C m V ys

theorem vectors_congr {C m : Nat} :
    (xs : List Nat) → (V U : Nat → Nat → Nat) → (∀ k, k < xs.length → ∀ i, i < m → V k i = U k i) →
    Vectors C m xs V → Vectors C m xs U
  | [], _, _, _, _ => trivial
  | _ :: xs, V, U, h, hv => ⟨hv.1.trans (pack_congr fun i hi => h 0 (Nat.succ_le_succ (Nat.zero_le _)) i hi),
      vectors_congr xs (fun k => V (k + 1)) (fun k => U (k + 1)) (fun k hk => h (k + 1) (Nat.succ_le_succ hk))
        hv.2⟩

theorem shared_eq {b q C m : Nat} {V : Nat → Nat → Nat} :
    (vs : List Nat) → (z y : Nat) → (later : List Nat) →
    z < q → Vectors C m vs (fun k => V (q * later.length + z + k)) →
    (∀ k i, V (q * later.length + z + vs.length + k) i = 0) →
    y = pack C m (fun i => pack b z fun t => V (q * later.length + t) i) →
    Shares b q C m V later →
    Shares b q C m V (shared b q vs z y later) ∧
      ∃ e, e ≤ q ∧ q * (shared b q vs z y later).length = q * later.length + z + vs.length + e
  | [], z, y, later, hz, _, h0, hy, hl => by
    obtain ⟨k, hk⟩ := Nat.exists_of_le (Natural.le_of_lt hz)
    refine ⟨⟨hy.trans (pack_congr fun i _ => ?_), hl⟩, k, ?_, ?_⟩
    · show _ = pack b q _
      rw [hk]
      refine (Dense.pack_tail_zero (n := k) fun t => ?_).symm
      have e := h0 t i
      rw [Nat.add_assoc, Nat.add_assoc] at e
      rw [← hk]
      have z0 : ([] : List Nat).length + t = t := Nat.zero_add t
      rw [z0] at e; exact e
    · rw [hk]; exact Nat.le_add_left k z
    · show q * (later.length + 1) = q * later.length + z + 0 + k
      rw [Nat.mul_succ, Nat.add_zero, Nat.add_assoc, ← hk]
  | v :: vs, z, y, later, hz, hv, h0, hy, hl => by
    have next :
        y + v * 2 ^ (b * z) = pack C m fun i => pack b (z + 1) fun t => V (q * later.length + t) i := by
      rw [hy, hv.1, Nat.mul_comm _ (2 ^ (b * z)), ← pack_mul, ← pack_add]
      refine pack_congr fun i _ => ?_
      rw [pack_append b z 1]
      show _ + 2 ^ (b * z) * _ = _ + 2 ^ (b * z) * (_ + 2 ^ b * 0)
      rw [Nat.mul_zero]; rfl
    have count : z + (v :: vs).length = z + 1 + vs.length := by
      show z + (vs.length + 1) = _
      rw [Nat.add_assoc, Nat.add_comm 1]
    rw [shared_cons]
    cases e : Nat.beq (z + 1) q with
    | true =>
      have e : z + 1 = q := Nat.eq_of_beq_eq_true e
      have whole : q * later.length + q = q * (later.length + 1) := (Nat.mul_succ _ _).symm
      obtain ⟨s1, d, s2, s3⟩ :=
        shared_eq vs 0 0 ((y + v * 2 ^ (b * z)) :: later) (Natural.lt_of_le_of_lt (Nat.zero_le z) hz)
        (by
          refine vectors_congr vs _ _ (fun k _ i _ => ?_) hv.2
          show V (q * later.length + z + (k + 1)) i = V (q * (later.length + 1) + 0 + k) i
          have place : q * later.length + z + (k + 1) = q * (later.length + 1) + 0 + k := by
            have p : q * later.length + z + (k + 1) = q * later.length + (z + 1) + k := by
              simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
            rw [p, e, whole]; rfl
          rw [place])
        (fun k i => by
          have g := h0 k i
          rw [Nat.add_assoc (q * later.length), count, e, ← Nat.add_assoc, whole] at g
          exact g)
        (by
          refine (pack_zero C m).symm.trans (pack_congr fun i _ => rfl))
        ⟨by rw [next, e]; rfl, hl⟩
      refine ⟨s1, d, s2, ?_⟩
      rw [s3]
      show q * (later.length + 1) + 0 + vs.length + d = _
      rw [Nat.add_assoc (q * later.length) z, count, e, ← Nat.add_assoc (q * later.length), whole]; rfl
    | false =>
      have lt : z + 1 < q := (Natural.le_or_lt q (z + 1)).elim (fun g => by
        have same : z + 1 = q := Nat.le_antisymm hz g
        rw [same, Nat.beq_refl] at e; exact Bool.noConf_tf e) id
      obtain ⟨s1, d, s2, s3⟩ := shared_eq vs (z + 1) (y + v * 2 ^ (b * z)) later lt
        (by
          refine vectors_congr vs _ _ (fun k _ i _ => ?_) hv.2
          show V (q * later.length + z + (k + 1)) i = V (q * later.length + (z + 1) + k) i
          have place : q * later.length + z + (k + 1) = q * later.length + (z + 1) + k := by
            simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
          rw [place])
        (fun k i => by
          have g := h0 k i
          rw [Nat.add_assoc (q * later.length), count, ← Nat.add_assoc (q * later.length) (z + 1) vs.length]
            at g
          exact g)
        next hl
      refine ⟨s1, d, s2, ?_⟩
      rw [s3, Nat.add_assoc (q * later.length) z, count, ← Nat.add_assoc (q * later.length) (z + 1) vs.length]
end Relaxation
end PytestTorchLean
