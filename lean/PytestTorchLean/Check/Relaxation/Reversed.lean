prelude
import PytestTorchLean.Check.Relaxation.ReversedRows
/-!
# Rows in reverse order times columns as they were decoded

A product of polynomials needs one factor in reverse order. Where few rows meet a large matrix, it is cheaper
to reverse the rows than the matrix. The decoded columns have digits of `C` bits, wider than the products
need: `q` neighbouring columns share their digits, so that one multiplication serves all of them.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open Natural Matrix

/-! ### All products -/

theorem tally_upTo {m n : Nat} (h : m ≤ n) (f g : Nat → Nat) :
    (tally n fun j => upTo m f j * upTo m g j) = tally m fun j => f j * g j := by
  obtain ⟨k, rfl⟩ := Nat.exists_of_le h
  rw [← total_tally, total_split,
      total_zero (n := k) (fun j _ => by rw [upTo_new f (Nat.le_add_right m j), Nat.zero_mul]), Nat.add_zero,
      total_tally]
  exact tally_congr fun j hj => by rw [upTo_old f hj, upTo_old g hj]
theorem tally_scale (n c : Nat) (f : Nat → Nat) : (tally n fun j => c * f j) = c * tally n f := by
  rw [← total_tally, ← total_tally]; exact total_mul n c f
/-- A row times `q` columns at once. -/
theorem tally_sharing (b m : Nat) (f : Nat → Nat) : (q : Nat) → (V : Nat → Nat → Nat) →
    (tally m fun i => f i * pack b q fun t => V t i) = pack b q fun t => tally m fun i => f i * V t i
  | 0, _ => by
    show (tally m fun i => f i * 0) = 0
    exact Nat.eq_zero_of_le_zero
      (Nat.le_trans (tally_le (c := 0) fun i _ => Natural.le_of_eq (Nat.mul_zero (f i)))
        (Natural.le_of_eq (Nat.mul_zero m)))
  | q + 1, V => by
    have ih := tally_sharing b m f q fun t => V (t + 1)
    rw [pack_succ, ← ih, ← tally_scale, ← tally_add]
    refine tally_congr fun i _ => ?_
    show f i * (V 0 i + 2 ^ b * pack b q fun t => V (t + 1) i) = _
    rw [Nat.mul_add, Nat.mul_left_comm]

/-- `q` digits of which none exceeds `d`. -/
theorem sharing_le {b q d : Nat} {f : Nat → Nat} (hf : ∀ t, f t ≤ d) (hd : d < 2 ^ b) :
    pack b (q + 1) f ≤ 2 ^ (b * q) * (d + 1) := by
  rw [pack_append b q 1]
  have one : pack b 1 (fun t => f (q + t)) = f q := by
    show f (q + 0) + 2 ^ b * 0 = f q
    rw [Nat.mul_zero, Nat.add_zero, Nat.add_zero]
  rw [one, Nat.mul_succ, Nat.add_comm]
  exact Nat.add_le_add (Nat.mul_le_mul Nat.le.refl (hf q))
    (Natural.le_of_lt (pack_lt fun t _ => lt_of_le_of_lt (hf t) hd))

theorem known_shares {b q C m c R n count : Nat} {V : Nat → Nat → Nat} {ys : List Nat} {D : Nat → Nat → Nat}
    (h : ∀ g,
      dot C c R n count (pack C m (sharing b q V g)) ys = side C c R (D g) ∧ ∀ r, r < R → D g r < 2 ^ C) :
    (vs : List Nat) → Shares b q C m V vs → Known C c R n count ys vs fun u => D (vs.length - 1 - u)
  | [], _ => trivial
  | v :: vs, hv => by
    obtain ⟨e, hv⟩ := hv
    have ih := known_shares h vs hv
    have later : (fun u => D ((v :: vs).length - 1 - (u + 1))) =
      fun u => D (vs.length - 1 - u) := funext fun u => congrArg D (by
      show vs.length - (u + 1) = vs.length - 1 - u
      cases vs.length with
      | zero =>
        exact (Nat.sub_eq_zero_of_le (Nat.zero_le _)).trans (Nat.sub_eq_zero_of_le (Nat.zero_le u)).symm
      | succ n => exact Nat.succ_sub_succ n u)
    refine ⟨?_, (h vs.length).2, ?_⟩
    · rw [e]; exact (h vs.length).1
    · rw [later]; exact ih

/-- All rows of the grid `x` of `R` rows, `w` digits of `b` bits apart, times all `count` columns of digits of
    `C` bits, `p + 1` columns at once. -/
def reversedDots (b w C R l c tiles p height levels wide x : Nat) (columns : List Nat) : Nat :=
  evaluated (pieces C (Nat.pow 2 l) c R height (reversedRows b w C R l height levels x) tiles) fun ys =>
    force (fun found => respaced b (Nat.mul (Nat.succ p) wide) w height found)
      (narrow C (Nat.mul b (Nat.succ p)) levels 1
          (results C wide c R height (Nat.pow 2 l) tiles ys (shared b (Nat.succ p) columns 0 0 List.nil) 0 0
            0))

theorem reversedDots_eq {b w C R l c tiles p height levels wide count m a e : Nat} {f V : Nat → Nat → Nat}
    {columns : List Nat}
    (hb : 0 < b)
    (hC : b * (p + 1) ≤ C)
    (hm : 0 < m)
    (hw : m ≤ w)
    (hl : m ≤ 2 ^ l)
    (hh : R ≤ 2 ^ height)
    (h1 : 2 ^ l * R ≤ 2 ^ levels)
    (h2 : wide * R ≤ 2 ^ levels)
    (hc : 0 < c)
    (ht : c * tiles = 2 ^ l)
    (hcw : c ≤ wide)
    (hcount : count ≤ w)
    (pos : 0 < count)
    (hwide : count + (p + 1) < (p + 1) * (wide + 1))
    (hf : ∀ r, r < R → ∀ j, j < m → f r j ≤ a)
    (ha : a < 2 ^ b)
    (hV : ∀ k, k < count → ∀ i, i < m → V k i ≤ e)
    (he : e < 2 ^ b)
    (room : m * (a * e) < 2 ^ b)
    (fits : 2 ^ l * (a * (2 ^ (b * p) * (e + 1))) < 2 ^ C)
    (hd : 2 ^ (b * p) * (e + 1) < 2 ^ C)
    (hv : Vectors C m columns V)
    (hlen : columns.length = count) :
    reversedDots b w C R l c tiles p height levels wide (grid b w m R f) columns =
    grid b w count R fun r k => tally m fun i => f r i * V k i := by
  have bC : b ≤ C := by
    have g := Nat.mul_le_mul (Nat.le.refl (n := b)) (Nat.succ_le_succ (Nat.zero_le p))
    rw [Nat.mul_one] at g; exact Nat.le_trans g hC
  have C0 : 0 < C := Nat.le_trans hb bC
  have W0 : 0 < 2 ^ l := two_pow_pos l
  have w0 : 0 < w := Nat.le_trans hm hw
  have bp : 0 < b * (p + 1) := Nat.mul_pos hb (Nat.succ_le_succ (Nat.zero_le p))
  -- no column behind the last one
  let U : Nat → Nat → Nat := fun k i => upTo count (fun k => V k i) k
  have Uold : ∀ k, k < count → ∀ i, U k i = V k i := fun k hk i => upTo_old _ hk
  have Unew : ∀ k i, U (count + k) i = 0 := fun k i => upTo_new _ (Nat.le_add_right count k)
  have Ule : ∀ i, i < m → ∀ k, U k i ≤ e := fun i hi k => by
    cases le_or_lt count k with
    | inl g => obtain ⟨j, rfl⟩ := Nat.exists_of_le g; rw [Unew]; exact Nat.zero_le e
    | inr g => rw [Uold k g]; exact hV k g i hi
  obtain ⟨s1, d, s2, s3⟩ := shared_eq (b := b) (q := p + 1) (C := C) (m := m) (V := U) columns 0 0 []
    (Nat.succ_le_succ (Nat.zero_le p))
    (vectors_congr columns _ _ (fun k hk i _ => by
      have z : (p + 1) * ([] : List Nat).length + 0 + k = k := Nat.zero_add k
      rw [z]; exact (Uold k (by rw [← hlen]; exact hk) i).symm) hv)
    (fun k i => by
      have z : (p + 1) * ([] : List Nat).length + 0 + columns.length + k = count + k := by
        rw [hlen]
        exact congrArg (fun y => y + k) (Nat.zero_add count)
      rw [z]; exact Unew k i)
    (pack_zero C m).symm trivial
  have s3 : (p + 1) * (shared b (p + 1) columns 0 0 []).length = count + d := by
    rw [s3, hlen]; exact congrArg (fun y => y + d) (Nat.zero_add count)
  have narrowEnough : (shared b (p + 1) columns 0 0 []).length ≤ wide := by
    cases le_or_lt (wide + 1) (shared b (p + 1) columns 0 0 []).length with
    | inr g => exact Nat.le_of_succ_le_succ g
    | inl g =>
      have t := Nat.mul_le_mul (Nat.le.refl (n := p + 1)) g
      rw [s3] at t
      exact absurd (lt_of_lt_of_le hwide (Nat.le_trans t (Nat.add_le_add Nat.le.refl s2))) (Nat.lt_irrefl _)
  unfold reversedDots
  have same : shared b (Nat.succ p) columns 0 0 [] = shared b (p + 1) columns 0 0 [] := rfl
  rw [evaluated_eq, force_eq,
      reversedRows_eq hb bC hm hw hl hh h1 (fun r hr j hj => lt_of_le_of_lt (hf r hr j hj) ha), same]
  generalize shared b (p + 1) columns 0 0 [] = vs at *
  let T : Nat → Nat → Nat := fun r k => tally m fun i => f r i * U k i
  let D : Nat → Nat → Nat := fun g r => pack b (p + 1) fun t => T r ((p + 1) * g + t)
  have Tlt : ∀ r, r < R → ∀ k, T r k < 2 ^ b := fun r hr k =>
    lt_of_le_of_lt (tally_le fun i hi => Nat.mul_le_mul (hf r hr i hi) (Ule i hi k)) room
  have Tnew : ∀ r k, T r (count + k) = 0 := fun r k => Nat.eq_zero_of_le_zero
    (Nat.le_trans (tally_le (c := 0) fun i _ => by rw [Unew]; exact Natural.le_of_eq (Nat.mul_zero _))
        (Natural.le_of_eq (Nat.mul_zero m)))
  have Dlt : ∀ g r, r < R → D g r < 2 ^ (b * (p + 1)) := fun g r hr => pack_lt fun t _ => Tlt r hr _
  have one : ∀ g, dot C c R (2 ^ l) tiles (pack C m (sharing b (p + 1) U g))
      (pieces C (2 ^ l) c R height (grid C (2 ^ l) (2 ^ l) R fun r j => upTo m (f r) (2 ^ l - 1 - j)) tiles) =
            side C c R (D g) ∧ ∀ r, r < R → D g r < 2 ^ C := fun g => by
    refine ⟨?_, fun r hr => lt_of_lt_of_le (Dlt g r hr) (two_pow_le hC)⟩
    rw [← pack_upTo hl (sharing b (p + 1) U g)]
    have le : ∀ r, r < R → ∀ j, upTo m (f r) j ≤ a := fun r hr j => by
      cases le_or_lt m j with
      | inl h => rw [upTo_new _ h]; exact Nat.zero_le a
      | inr h => rw [upTo_old _ h]; exact hf r hr j h
    have vle : ∀ j, upTo m (sharing b (p + 1) U g) j ≤ 2 ^ (b * p) * (e + 1) := fun j => by
      cases le_or_lt m j with
      | inl h => rw [upTo_new _ h]; exact Nat.zero_le _
      | inr h => rw [upTo_old _ h]; exact sharing_le (fun t => Ule j h _) he
    refine (dot_eq (levels := height) C0 hc hh (le_of_eq ht.symm) (le_of_eq ht) (fun r hr j _ => le r hr _)
        (fun j _ => vle j) (lt_of_lt_of_le ha (two_pow_le bC)) hd fits).trans (side_congr fun r _ => ?_)
    rw [total_tally]
    refine (tally_congr fun j hj => ?_).trans
      ((tally_upTo hl (f r) (sharing b (p + 1) U g)).trans
        (tally_sharing b m (f r) (p + 1) fun t => U ((p + 1) * g + t)))
    obtain ⟨k, hk⟩ := Nat.exists_of_le hj
    have e1 : 2 ^ l - 1 - j = k := by
      have e : 2 ^ l - 1 = j + k := sub_eq_of_add_eq (by rw [hk, Nat.succ_add])
      rw [e, Natural.add_sub_cancel_left]
    have e2 : 2 ^ l - 1 - k = j := by
      have e : 2 ^ l - 1 = k + j := sub_eq_of_add_eq (by rw [hk, Nat.succ_add, Nat.add_comm k])
      rw [e, Natural.add_sub_cancel_left]
    rw [e1, e2]
  have all := results_eq (w := wide) (levels := height) C0 hc hcw hh vs _ (known_shares one vs s1) 0 0
    (fun _ _ => 0) hc (fun _ _ i hi => absurd hi (Nat.not_succ_le_zero i))
  have empty : grid C c 0 R (fun _ _ => 0) = 0 := grid_zero C c 0 R
  have empty' : grid C wide 0 R (fun _ _ => 0) = 0 := grid_zero C wide 0 R
  rw [empty, empty', Nat.zero_mul, Nat.zero_add, Nat.zero_mul, Nat.zero_add] at all
  have order : (grid C wide vs.length R fun r i => D (vs.length - 1 - (vs.length - 1 - i)) r) =
      grid C wide vs.length R fun r i => D i r :=
    grid_congr fun r _ i hi => by
      obtain ⟨k, hk⟩ := Nat.exists_of_le hi
      have e1 : vs.length - 1 - i = k := by
        have e : vs.length - 1 = i + k := sub_eq_of_add_eq (by rw [hk, Nat.succ_add])
        rw [e, Natural.add_sub_cancel_left]
      have e2 : vs.length - 1 - k = i := by
        have e : vs.length - 1 = k + i := sub_eq_of_add_eq (by rw [hk, Nat.succ_add, Nat.add_comm k])
        rw [e, Natural.add_sub_cancel_left]
      rw [e1, e2]
  have all : results C wide c R height (Nat.pow 2 l) tiles _ vs 0 0 0 =
    grid C wide vs.length R fun r i => D i r := all.trans order
  have closed : narrow C (b * (p + 1)) levels 1 (grid C wide vs.length R fun r i => D i r) =
      grid (b * (p + 1)) wide vs.length R fun r i => D i r := by
    rw [grid_flat narrowEnough, grid_flat narrowEnough]
    exact narrow_pack hC C0 h2
      (flat_all (w := wide) (P := fun x => x < 2 ^ (b * (p + 1))) (two_pow_pos _) fun r hr i _ => Dlt i r hr)
  have groups : (grid (b * (p + 1)) wide vs.length R fun r i => D i r) =
      pack (b * ((p + 1) * wide)) R fun r => pack b count (T r) := by
    have size : b * (p + 1) * wide = b * ((p + 1) * wide) := Nat.mul_assoc _ _ _
    show pack (b * (p + 1) * wide) R _ = _
    rw [size]
    refine pack_congr fun r _ => ?_
    refine (Decode.pack_group b (p + 1) vs.length (T r)).symm.trans ?_
    rw [s3]
    exact Dense.pack_tail_zero fun k => Tnew r k
  have reach : count ≤ (p + 1) * wide := by
    refine Nat.le_trans (Nat.le_add_right count d) ?_
    rw [← s3]; exact Nat.mul_le_mul Nat.le.refl narrowEnough
  refine
    (congrArg (fun y => respaced b ((p + 1) * wide) w height (narrow C (b * (p + 1)) levels 1 y)) all).trans
    ?_
  refine (congrArg (respaced b ((p + 1) * wide) w height) (closed.trans groups)).trans ?_
  refine (respaced_eq hb (Nat.le_trans pos reach) w0 hh (fun r hr => row_lt reach fun k _ => Tlt r hr k)
      (fun r hr => row_lt hcount fun k _ => Tlt r hr k)).trans ?_
  refine grid_congr fun r _ k hk => tally_congr fun i _ => ?_
  rw [Uold k hk]
end Relaxation
end PytestTorchLean
