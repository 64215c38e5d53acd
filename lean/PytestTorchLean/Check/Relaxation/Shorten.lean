prelude
import PytestTorchLean.Check.Box
import PytestTorchLean.Check.Rows
import PytestTorchLean.Check.Relaxation.Turn
/-!
# All rows of a matrix times a vector of long digits

The bounds of slots, or what a ReLU's upper line adds, are longer than the digits of a batch. Their lowest
bits are dropped, so many that the sums fit, and one product gives every row's sum, a little below or above
the exact one.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open Natural Matrix

/-- The digits of `v`, `m` of them with `C` bits each, divided by `2^t` and rounded down, plus `up`. -/
def shortened (C m t up v : Nat) : Nat :=
  Nat.add (Decode.field t (Nat.sub C t) v (ones C m)) (Nat.mul up (ones C m))
theorem shortened_eq {C m t up : Nat} {g : Nat → Nat} (hC : 0 < C) (ht : t ≤ C)
    (hg : ∀ j, j < m → g j < 2 ^ C) :
    shortened C m t up (pack C m g) = pack C m fun j => g j / 2 ^ t + up := by
  have e : t + (C - t) = C := by rw [Nat.add_comm]; exact Natural.sub_add_cancel ht
  have f : Decode.field t (Nat.sub C t) (pack C m g) (ones C m) = pack C m fun j => g j / 2 ^ t := by
    refine (Decode.field_pack (le_of_eq e) hC hg).trans (pack_congr fun j hj => mod_eq_self ?_)
    refine div_lt (two_pow_pos t) ?_
    show g j < 2 ^ t * 2 ^ (C - t)
    rw [← Natural.pow_add, e]; exact hg j hj
  unfold shortened
  rw [f]
  show _ + up * ones C m = _
  rw [mul_ones hC, ← pack_add]

theorem quotient_lt {C t up g : Nat} (hC : 0 < C) (hup : up ≤ 1) (ht : up ≤ t) (hg : g < 2 ^ C) :
    g / 2 ^ t + up < 2 ^ C := by
  have le := Rows.mul_div_le g (2 ^ t) (two_pow_pos t)
  cases up with
  | zero =>
    have one := Nat.mul_le_mul (two_pow_pos t) (Nat.le.refl (n := g / 2 ^ t))
    rw [Nat.one_mul] at one
    exact lt_of_le_of_lt (Nat.le_trans one le) hg
  | succ up =>
    have z : up = 0 := Nat.eq_zero_of_le_zero (Nat.le_of_succ_le_succ hup)
    subst z
    have two : 2 * (g / 2 ^ t) ≤ g :=
      Nat.le_trans (Nat.mul_le_mul (two_pow_le (Nat.le_trans Nat.le.refl ht) : 2 ^ 1 ≤ 2 ^ t) Nat.le.refl) le
    generalize g / 2 ^ t = x at two
    rw [Natural.two_mul] at two
    cases x with
    | zero => exact two_pow_le hC
    | succ x =>
      refine lt_of_le_of_lt (Nat.le_trans ?_ two) hg
      exact Nat.add_le_add (Nat.le.refl (n := x + 1)) (Nat.succ_le_succ (Nat.zero_le x))

/-- The place of the highest bit of `x`, which has at most `2^levels` bits, and `place` more: by halving, as
    the kernel would count `log2` bit by bit. -/
def highest (levels : Nat) : Nat → Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat) (fun _ place => place)
    (fun l rest x place => cond (Nat.ble (Nat.pow 2 (Nat.pow 2 l)) x)
        (rest (Nat.shiftRight x (Nat.pow 2 l)) (Nat.add place (Nat.pow 2 l))) (rest x place)) levels
/-- How many bits to drop so that `k` remain: the digits' sum is what is left of `v` on division by
    `2^C - 1`. -/
def dropped (C k v : Nat) : Nat := Nat.sub (Nat.succ (highest 10 (Nat.mod v (Nat.sub (Nat.pow 2 C) 1)) 0)) k

/-- Row after row the sum of the products of the row's first `m` digits, which are below `2^size`, with those
    of `v`, these rounded down (`up` 0) or up (`up` 1) to as many bits as there is room for. -/
def rounded (b w R m size C up v x : Nat) (next : Nat → Bool) : Bool :=
  force (fun k => force (fun t => force (fun u =>
      both (both (Nat.ble 1 m)
          (both (Nat.ble m w)
            (both (Nat.ble 1 b)
              (both (Nat.ble b C)
                (both (Nat.ble t C)
                  (both (Nat.ble k C)
                    (both (Nat.beq (Nat.land u (Nat.mul (Nat.sub (Nat.pow 2 k) 1) (ones C m))) u)
                      (Nat.ble (Nat.succ (Nat.mul m (Nat.mul (Nat.pow 2 size) (Nat.pow 2 k))))
                        (Nat.pow 2 b)))))))))
        (force next (Nat.mul (Nat.pow 2 t) (times b w R m x (turned C b m u)))))
    (shortened C m t up v)) (Nat.add (dropped C (Nat.sub k 1) v) up))
    (Nat.sub b (Nat.add size (Nat.succ (Nat.log2 m))))

theorem rounded_sound {b w R m size C up : Nat} {f : Nat → Nat → Nat} {g : Nat → Nat} {next : Nat → Bool}
    (hup : up ≤ 1)
    (hf : ∀ r, r < R → ∀ j, j < m → f r j < 2 ^ size)
    (hg : ∀ j, j < m → g j < 2 ^ C)
    (h : rounded b w R m size C up (pack C m g) (grid b w m R f) next = true) :
    ∃ t, t ≤ C ∧ next (side b w R fun r => 2 ^ t * tally m fun j => f r j * (g j / 2 ^ t + up)) = true := by
  unfold rounded at h
  simp only [force_eq] at h
  generalize Nat.sub b (Nat.add size (Nat.succ (Nat.log2 m))) = k at h
  have some : up ≤ Nat.add (dropped C (Nat.sub k 1) (pack C m g)) up := Nat.le_add_left _ _
  generalize Nat.add (dropped C (Nat.sub k 1) (pack C m g)) up = t at h some
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨c1, hc⟩ := both_true hc
  obtain ⟨c2, hc⟩ := both_true hc
  obtain ⟨c3, hc⟩ := both_true hc
  obtain ⟨c4, hc⟩ := both_true hc
  obtain ⟨c5, hc⟩ := both_true hc
  obtain ⟨c6, hc⟩ := both_true hc
  obtain ⟨c8, c9⟩ := both_true hc
  have c1 : 0 < m := Nat.le_of_ble_eq_true c1
  have c2 := Nat.le_of_ble_eq_true c2
  have c3 : 0 < b := Nat.le_of_ble_eq_true c3
  have c4 := Nat.le_of_ble_eq_true c4
  have c5 := Nat.le_of_ble_eq_true c5
  have c6 := Nat.le_of_ble_eq_true c6
  have c9 : m * (2 ^ size * 2 ^ k) < 2 ^ b := Nat.le_of_ble_eq_true c9
  have hC : 0 < C := lt_of_lt_of_le c3 c4
  have e := shortened_eq (up := up) hC c5 hg
  have small := (Box.masked_digits c6 hC (Nat.eq_of_beq_eq_true c8)).2
  have value : pack C m (digit C (shortened C m t up (pack C m g))) = pack C m fun j => g j / 2 ^ t + up := by
    rw [← (Box.masked_digits c6 hC (Nat.eq_of_beq_eq_true c8)).1, e]
  generalize digit C (shortened C m t up (pack C m g)) = d at *
  have bound : ∀ j, j < m → d j < 2 ^ k := small
  have wide : ∀ j, j < m → d j < 2 ^ b := fun j hj => by
    refine lt_of_lt_of_le (bound j hj) (Nat.le_trans ?_ (Natural.le_of_lt c9))
    have one := Nat.mul_le_mul c1 (Nat.mul_le_mul (two_pow_pos size) (Nat.le.refl (n := 2 ^ k)))
    rw [Nat.one_mul, Nat.one_mul] at one; exact one
  have turn : turned C b m (shortened C m t up (pack C m g)) = pack b m fun j => d (m - 1 - j) := by
    rw [e, ← value]; exact turned_eq c4 hC wide
  have t1 := times_turned (b := b) (w := w) (R := R) (f := f) (v := d) c1 c2 c3
    (fun r hr j hj => Natural.le_of_lt (hf r hr j hj)) (fun j hj => Natural.le_of_lt (bound j hj)) c9
  rw [turn] at h
  have t2 : times b w R m (grid b w m R f) (pack b m fun j => d (m - 1 - j)) = _ := t1
  rw [t2] at h
  refine ⟨t, c5, ?_⟩
  have z : Nat.mul (Nat.pow 2 t) (side b w R fun r => tally m fun j => f r j * d j) =
      side b w R fun r => 2 ^ t * tally m fun j => f r j * d j :=
    (side_mul b w R (2 ^ t) _).symm
  rw [z] at h
  have same : ∀ j, j < m → d j = g j / 2 ^ t + up := fun j hj => by
    have a := digit_pack (fun i hi => lt_of_lt_of_le (bound i hi) (two_pow_le c6)) hj
    have wideC : ∀ i, i < m → g i / 2 ^ t + up < 2 ^ C := fun i hi => quotient_lt hC hup some (hg i hi)
    rw [← a, value]
    exact digit_pack wideC hj
  have sums : (fun r => 2 ^ t * tally m fun j => f r j * d j) =
      fun r => 2 ^ t * tally m fun j => f r j * (g j / 2 ^ t + up) := funext fun r =>
    congrArg (fun y => 2 ^ t * y) (tally_congr fun j hj => by rw [same j hj])
  rw [← sums]; exact h

theorem tally_scaled (n c : Nat) (f : Nat → Nat) : tally n (fun i => c * f i) = c * tally n f := by
  induction n generalizing f with
  | zero => rfl
  | succ n ih =>
    show c * f 0 + tally n (fun i => c * f (i + 1)) = c * (f 0 + tally n _)
    rw [ih (fun i => f (i + 1)), Nat.mul_add]
theorem tally_le_tally {n : Nat} {f g : Nat → Nat} (h : ∀ j, j < n → f j ≤ g j) : tally n f ≤ tally n g := by
  induction n generalizing f g with
  | zero => exact Nat.le.refl
  | succ n ih =>
    exact Nat.add_le_add (forall_zero (p := fun i => f i ≤ g i) h)
      (ih (forall_succ (p := fun i => f i ≤ g i) h))
theorem rounded_below (m t : Nat) (f g : Nat → Nat) :
    2 ^ t * tally m (fun j => f j * (g j / 2 ^ t + 0)) ≤ tally m fun j => f j * g j := by
  rw [← tally_scaled]
  refine tally_le_tally fun j _ => ?_
  rw [Nat.mul_left_comm]
  exact Nat.mul_le_mul Nat.le.refl (Rows.mul_div_le (g j) _ (two_pow_pos t))
theorem rounded_above (m t : Nat) (f g : Nat → Nat) :
    tally m (fun j => f j * g j) ≤ 2 ^ t * tally m fun j => f j * (g j / 2 ^ t + 1) := by
  rw [← tally_scaled]
  refine tally_le_tally fun j _ => ?_
  rw [Nat.mul_left_comm]
  refine Nat.mul_le_mul Nat.le.refl ?_
  rw [Nat.mul_add, Nat.mul_one]
  exact Nat.le_trans (Rows.lt_mul_div (g j) _ (two_pow_pos t))
    (Nat.add_le_add Nat.le.refl (Natural.sub_le _ _))
/-- No sum is larger than this. -/
theorem rounded_le {m t size C : Nat} {f g : Nat → Nat} (ht : t ≤ C) (hf : ∀ j, j < m → f j < 2 ^ size)
    (hg : ∀ j, j < m → g j < 2 ^ C) :
    2 ^ t * tally m (fun j => f j * (g j / 2 ^ t + 1)) ≤ m * (2 ^ size * 2 ^ (C + 1)) := by
  rw [← tally_scaled]
  refine tally_le fun j hj => ?_
  rw [Nat.mul_left_comm]
  refine Nat.mul_le_mul (Natural.le_of_lt (hf j hj)) ?_
  rw [Nat.mul_add, Nat.mul_one, Natural.pow_succ, Natural.two_mul]
  exact Nat.add_le_add (Nat.le_trans (Rows.mul_div_le (g j) _ (two_pow_pos t)) (Natural.le_of_lt (hg j hj)))
    (two_pow_le ht)

/-- Row after row the sum of the row's digits. -/
theorem times_ones {b w n R a : Nat} {f : Nat → Nat → Nat} (hn : 0 < n) (hw : n ≤ w) (hb : 0 < b)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j ≤ a) (fits : n * a < 2 ^ b) :
    times b w R n (grid b w n R f) (ones b n) = side b w R fun r => tally n (f r) := by
  have t :=
    times_turned (v := fun _ => 1) hn hw hb hf (fun _ _ => Nat.le.refl) (by rw [Nat.mul_one]; exact fits)
  rw [← ones_eq hb] at t
  exact t.trans (side_congr fun r _ => tally_congr fun j _ => Natural.mul_one _)

end Relaxation
end PytestTorchLean
