prelude
import PytestTorchLean.Thm.Nearest
/-!
# The rounding function: correct, unique, monotone, exact where it can be, and how far off it is
-/
set_option linter.all false
namespace PytestTorchLean
namespace Binary32
open Natural

/-! ### Distances -/

theorem distance_up (a k : Nat) : distance a (a + k) = k := by
  unfold distance
  rw [Nat.sub_eq_zero_of_le (Nat.le_add_right a k), Nat.zero_add, add_sub_cancel_left]
theorem distance_down (a k : Nat) : distance (a + k) a = k := by
  unfold distance
  rw [Nat.sub_eq_zero_of_le (Nat.le_add_right a k), add_sub_cancel_left]; rfl

theorem le_of_twice {a b : Nat} (h : 2 * a ≤ 2 * b) : a ≤ b := Midpoints.le.cancel_le (c := 2) (by decide) h

/-- A number from the midpoint on is nearer to the larger end. -/
theorem near_larger {a b n : Nat} (h : a < b) (g : a + b ≤ 2 * n) :
    distance n b ≤ distance n a ∧ (distance n b = distance n a → a + b = 2 * n) := by
  obtain ⟨k, rfl⟩ := Nat.exists_of_le (le_of_lt h)
  have hk : 0 < k := by
    cases k with
    | zero => exact absurd h (Nat.lt_irrefl a)
    | succ k => exact Nat.succ_pos k
  have ha : a ≤ n := by
    refine le_of_twice (Nat.le_trans ?_ g)
    rw [two_mul, ← Nat.add_assoc]; exact Nat.le_add_right _ k
  obtain ⟨j, rfl⟩ := Nat.exists_of_le ha
  rw [distance_down, Nat.mul_add, two_mul a, ← Nat.add_assoc] at *
  cases Nat.le_total j k with
  | inl l =>
    obtain ⟨i, rfl⟩ := Nat.exists_of_le l
    rw [← Nat.add_assoc, distance_up]
    rw [← Nat.add_assoc, two_mul j, ← Nat.add_assoc] at g
    refine ⟨?_, fun e => ?_⟩
    · refine Nat.le_of_add_le_add_right (a + a + j) ?_
      rw [Nat.add_comm i, Nat.add_comm j (a + a + j)]; exact g
    · rw [e, two_mul, ← Nat.add_assoc]
  | inr l =>
    obtain ⟨i, rfl⟩ := Nat.exists_of_le l
    rw [← Nat.add_assoc a k i, distance_down]
    refine ⟨Nat.le_add_left i k, fun e => ?_⟩
    have z : k = 0 := by
      refine Nat.add_right_cancel i ?_
      rw [Nat.zero_add]; exact e.symm
    exact absurd hk (by rw [z]; exact Nat.lt_irrefl 0)

/-- A number up to the midpoint is nearer to the smaller end. -/
theorem near_smaller {a b n : Nat} (h : a < b) (g : 2 * n ≤ a + b) :
    distance n a ≤ distance n b ∧ (distance n a = distance n b → 2 * n = a + b) := by
  obtain ⟨k, rfl⟩ := Nat.exists_of_le (le_of_lt h)
  have hk : 0 < k := by
    cases k with
    | zero => exact absurd h (Nat.lt_irrefl a)
    | succ k => exact Nat.succ_pos k
  cases Nat.le_total n a with
  | inl l =>
    obtain ⟨i, rfl⟩ := Nat.exists_of_le l
    rw [distance_up, Nat.add_assoc, distance_up]
    refine ⟨Nat.le_add_right i k, fun e => ?_⟩
    have z : k = 0 := Nat.add_left_cancel i e.symm
    exact absurd hk (by rw [z]; exact Nat.lt_irrefl 0)
  | inr l =>
    obtain ⟨j, rfl⟩ := Nat.exists_of_le l
    rw [Nat.mul_add, two_mul a, ← Nat.add_assoc] at g
    have jk : j ≤ k := by
      refine Nat.le_trans ?_
        (Nat.le_of_add_le_add_right (a + a) (by rw [Nat.add_comm (2 * j), Nat.add_comm k]; exact g))
      rw [two_mul]; exact Nat.le_add_right j j
    obtain ⟨i, rfl⟩ := Nat.exists_of_le jk
    rw [distance_down, ← Nat.add_assoc, distance_up]
    rw [two_mul j, ← Nat.add_assoc, ← Nat.add_assoc] at g
    refine ⟨?_, fun e => ?_⟩
    · refine Nat.le_of_add_le_add_right (a + a + j) ?_
      rw [Nat.add_comm j (a + a + j), Nat.add_comm i]; exact g
    · rw [← e, Nat.mul_add, two_mul, two_mul, ← Nat.add_assoc, ← Nat.add_assoc, ← Nat.add_assoc]

/-! ### Correctness -/

theorem Midpoints.nearest {n d p : Nat} (hd : 0 < d) (h : Midpoints n d p) (finite : p < infinity) :
    Nearest n d p := by
  refine ⟨finite, fun q hq => ?_⟩
  cases Nat.lt_or_ge q p with
  | inl l =>
    obtain ⟨m1, m2⟩ := h.below q l
    rw [Nat.mul_add] at m1 m2
    obtain ⟨n1, n2⟩ := near_larger (mul_lt_mul_left hd (magnitude_lt l h.bounded)) m1
    exact ⟨n1, fun _ e => m2 (n2 e)⟩
  | inr g =>
    cases Nat.lt_or_ge p q with
    | inr g' => rw [Nat.le_antisymm g' g]; exact ⟨Nat.le_refl _, fun ne => absurd rfl ne⟩
    | inl l =>
      obtain ⟨m1, m2⟩ := h.above q l (le_of_lt hq)
      rw [Nat.mul_add] at m1 m2
      obtain ⟨n1, n2⟩ := near_smaller (mul_lt_mul_left hd (magnitude_lt l (le_of_lt hq))) m1
      exact ⟨n1, fun _ e => m2 (n2 e)⟩

theorem Midpoints.rounds {n d p : Nat} (hd : 0 < d) (h : Midpoints n d p) : RoundsMagnitude n d p := by
  cases Nat.lt_or_ge n (d * overflowThreshold) with
  | inr g => exact Or.inr ⟨g, h.unique hd (infinity_midpoints hd g)⟩
  | inl l =>
    refine Or.inl ⟨l, h.nearest hd ?_⟩
    cases Nat.lt_or_ge p infinity with
    | inl f => exact f
    | inr g =>
      have e := Nat.le_antisymm h.bounded g
      subst e
      have m := (h.below (255 * 2 ^ 23 - 1) (Natural.le_of_eq infinity_midpoints.last.symm)).1
      rw [infinity_midpoints.largest_pattern, infinity_midpoints.infinity_magnitude, Nat.mul_left_comm] at m
      exact absurd (le_of_twice m) (Nat.not_le_of_lt l)

/-- **The rounding function rounds correctly.** -/
theorem roundMagnitude_rounds (n : Nat) {d : Nat} (hd : 0 < d) : RoundsMagnitude n d (roundMagnitude n d) :=
  (roundMagnitude_midpoints n hd).rounds hd

theorem Nearest.le {n d p q : Nat} (hd : 0 < d) (h : Nearest n d p) (g : Nearest n d q) : q ≤ p := by
  refine (Nat.lt_or_ge p q).elim (fun l => ?_) id
  have finite := le_of_lt g.1
  have finite' := finite
  have ne : q ≠ p := fun e => Nat.lt_irrefl p (by rw [e] at l; exact l)
  have same := Nat.le_antisymm (h.2 q g.1).1 (g.2 p h.1).1
  have even_p := (h.2 q g.1).2 ne same
  have even_q := (g.2 p h.1).2 ne.symm same.symm
  have ordered := mul_lt_mul_left hd (magnitude_lt l finite)
  have middle : 2 * n ≤ d * magnitude p + d * magnitude q := by
    cases Nat.le_total (d * magnitude p + d * magnitude q) (2 * n) with
    | inr u => exact u
    | inl u => exact Natural.le_of_eq ((near_larger ordered u).2 same.symm).symm
  have between : p + 1 < q := Nat.lt_of_not_le fun w => by
    rw [Nat.le_antisymm w l] at even_q
    exact Midpoints.le.odd_even even_p even_q
  have nextFinite : p + 1 < infinity := lt_of_lt_of_le between finite'
  have strict := mul_lt_mul_left hd (magnitude_step h.1)
  have beyond : 2 * n < d * magnitude (p + 1) + d * magnitude q :=
    lt_of_le_of_lt middle (Midpoints.le.add_lt strict)
  obtain ⟨n1, n2⟩ := near_smaller (mul_lt_mul_left hd (magnitude_lt between finite)) (le_of_lt beyond)
  have e := n2 (Nat.le_antisymm n1 (g.2 _ nextFinite).1)
  exact absurd (Natural.le_of_eq e.symm) (Nat.not_le_of_lt beyond)

/-- **Correct rounding leaves no choice.** -/
theorem RoundsMagnitude.unique {n d p q : Nat} (hd : 0 < d) (h : RoundsMagnitude n d p)
    (g : RoundsMagnitude n d q) :
    p = q := by
  cases h with
  | inl h => cases g with
    | inl g => exact Nat.le_antisymm (g.2.le hd h.2) (h.2.le hd g.2)
    | inr g => exact absurd h.1 (Nat.not_lt_of_le g.1)
  | inr h => cases g with
    | inl g => exact absurd g.1 (Nat.not_lt_of_le h.1)
    | inr g => rw [h.2, g.2]

/-- So whatever rounds correctly is the rounding function. -/
theorem RoundsMagnitude.eq {n d p : Nat} (hd : 0 < d) (h : RoundsMagnitude n d p) : p = roundMagnitude n d :=
  h.unique hd (roundMagnitude_rounds n hd)

theorem roundMagnitude_le_infinity (n : Nat) {d : Nat} (hd : 0 < d) : roundMagnitude n d ≤ infinity :=
  (roundMagnitude_midpoints n hd).bounded

/-- The result is finite exactly below the threshold. -/
theorem roundMagnitude_finite {n d : Nat} (hd : 0 < d) :
    roundMagnitude n d < infinity ↔ n < d * overflowThreshold := by
  cases roundMagnitude_rounds n hd with
  | inl h => exact ⟨fun _ => h.1, fun _ => h.2.1⟩
  | inr h =>
    refine ⟨fun f => ?_, fun l => absurd l (Nat.not_lt_of_le h.1)⟩
    rw [h.2] at f; exact absurd f (Nat.lt_irrefl _)

/-- **Monotone**: if `n / d ≤ n' / d'` then so for what they are rounded to. -/
theorem roundMagnitude_monotone {n d n' d' : Nat} (hd : 0 < d) (hd' : 0 < d') (h : n * d' ≤ n' * d) :
    roundMagnitude n d ≤ roundMagnitude n' d' :=
  (roundMagnitude_midpoints n hd).le hd hd' (roundMagnitude_midpoints n' hd') h

/-- **Exact on binary32 numbers.** -/
theorem roundMagnitude_exact {d p : Nat} (hd : 0 < d) (hp : p < infinity) :
    roundMagnitude (d * magnitude p) d = p := by
  have nothing : distance (d * magnitude p) (d * magnitude p) = 0 := distance_up _ 0
  refine (roundMagnitude_midpoints _ hd).unique hd ⟨le_of_lt hp, fun q hq => ?_, fun q hq hi => ?_⟩
  · have l := mul_lt_mul_left hd (Midpoints.le.add_lt (c := magnitude p) (magnitude_lt hq (le_of_lt hp)))
    rw [← two_mul, Nat.mul_left_comm] at l
    exact ⟨le_of_lt l, fun e => absurd (Natural.le_of_eq e.symm) (Nat.not_le_of_lt l)⟩
  · have l := mul_lt_mul_left hd (Midpoints.le.add_lt (c := magnitude p) (magnitude_lt hq hi))
    rw [← two_mul, Nat.mul_left_comm, Nat.add_comm (magnitude q)] at l
    exact ⟨le_of_lt l, fun e => absurd (Natural.le_of_eq e.symm) (Nat.not_le_of_lt l)⟩

/-! ### The error -/

theorem middle_sum {d m e : Nat} :
    d * (m * 2 ^ e + (m + 1) * 2 ^ e) = d * (m * 2 ^ e) + d * (m * 2 ^ e) + d * 2 ^ e := by
  rw [Nat.succ_mul, Nat.mul_add, Nat.mul_add, Nat.add_assoc]

/-- Half a last place is at most `2^-24` of the number, or half a unit. -/
theorem Midpoints.error {n d p : Nat} (hd : 0 < d) (h : Midpoints n d p) (finite : p < infinity) :
    2 ^ 24 * n ≤ 2 ^ 24 * (d * magnitude p) + (n + 2 ^ 23 * d) ∧
    2 ^ 24 * (d * magnitude p) ≤ 2 ^ 24 * n + (n + 2 ^ 23 * d) := by
  have double : ∀ x, 2 ^ 24 * x = 2 ^ 23 * (2 * x) := fun x => by rw [← Nat.mul_assoc, ← Nat.pow_succ]
  cases Nat.le_total (d * magnitude p) n with
  | inl le =>
    refine ⟨?_, Nat.le_trans (Nat.mul_le_mul (Nat.le_refl _) le) (Nat.le_add_right _ _)⟩
    have up := (h.above (p + 1) (Nat.le_refl _) finite).1
    obtain ⟨e, m, rfl, hm, low, he⟩ := grid_cases finite
    rw [Nat.add_assoc, magnitude_grid hm (low.elim Or.inl fun g => Or.inr (Nat.le.step g)) he] at up
    rw [magnitude_grid (le_of_lt hm) low he] at up le ⊢
    rw [middle_sum, ← two_mul] at up
    rw [double, double (d * _)]
    refine Nat.le_trans (Nat.mul_le_mul (Nat.le_refl _) up) ?_
    rw [Nat.mul_add]
    exact Nat.add_le_add (Nat.le_refl _) (place_small low le)
  | inr le =>
    refine ⟨Nat.le_trans (Nat.mul_le_mul (Nat.le_refl _) le) (Nat.le_add_right _ _), ?_⟩
    cases p with
    | zero =>
      have z : magnitude 0 = 0 := by decide +kernel
      rw [z, Nat.mul_zero, Nat.mul_zero]
      exact Nat.zero_le _
    | succ p =>
      have down := (h.below p (Nat.le_refl _)).1
      have before : p < infinity := Nat.lt_of_lt_of_le (Nat.le_refl (p + 1)) h.bounded
      have step := magnitude_step before
      have here : d * magnitude p ≤ n := by
        refine le_of_twice (Nat.le_trans ?_ down)
        rw [Nat.mul_left_comm, two_mul]
        exact Nat.mul_le_mul (Nat.le_refl d) (Nat.add_le_add (Nat.le_refl _) (le_of_lt step))
      obtain ⟨e, m, rfl, hm, low, he⟩ := grid_cases before
      have next : magnitude (2 ^ 23 * e + m + 1) = (m + 1) * 2 ^ e :=
        magnitude_grid (m := m + 1) hm (low.elim Or.inl fun g => Or.inr (Nat.le.step g)) he
      rw [magnitude_grid (le_of_lt hm) low he] at here down
      rw [next] at down ⊢
      have small := place_small low here
      rw [double, double n]
      refine Nat.le_trans (m := 2 ^ 23 * (2 * n + d * 2 ^ e)) (Nat.mul_le_mul (Nat.le_refl _) ?_) ?_
      · refine Nat.le_trans ?_ (Nat.add_le_add down (Nat.le_refl (d * 2 ^ e)))
        rw [middle_sum, two_mul, Nat.succ_mul m, Nat.mul_add, ← Nat.add_assoc,
            Natural.add_right_comm (d * (m * 2 ^ e))]
        exact Nat.le_refl _
      · rw [Nat.mul_add]
        exact Nat.add_le_add (Nat.le_refl _) small

/-- **The error of rounding**: `2^24 |r - x| ≤ |x| + 2^23` for `x = n / d` and the result `r`, in units; both
    sides times `d`. -/
theorem roundMagnitude_error {n d : Nat} (hd : 0 < d) (finite : roundMagnitude n d < infinity) :
    2 ^ 24 * n ≤ 2 ^ 24 * (d * magnitude (roundMagnitude n d)) + (n + 2 ^ 23 * d) ∧
    2 ^ 24 * (d * magnitude (roundMagnitude n d)) ≤ 2 ^ 24 * n + (n + 2 ^ 23 * d) :=
  (roundMagnitude_midpoints n hd).error hd finite

end Binary32
end PytestTorchLean
