prelude
import PytestTorchLean.Check.Property
import PytestTorchLean.Check.Weigh
/-!
# Forms over the outputs of the last affine node, rewritten over its inputs

A row `sum_k c_k * y_k` with `E * y_k = sum_j w_kj * x_j` is `E` times smaller than
`sum_j (sum_k c_k * w_kj) * x_j`. The new weights are formed digit-wise for all rows at once, and
positive and negative parts are cancelled against each other before they are bounded.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Compose
open Vector Dense

/-! ### The decision -/

/-- The conditions on the numbers; `size` is a bound on the bits of the composed weights. -/
def fits (s : Scale) (a : Affine) (d : Decoding) (p : Property) (d' : Decoding) (size start : Nat) (tails : List Column) : Bool :=
  both (Affine.fits s a d start) (both (Nat.beq a.positions 1) (both (Nat.beq p.forms.positions 1)
    (both (Nat.ble (s.half + s.half) (32 * p.forms.lanes)) (both (Nat.ble (size + 1) (32 * p.forms.lanes)) (both (Nat.ble a.rows p.forms.columns)
      (both (consecutive a.rows start p.forms.sources) (both (wordsBelow start tails.length (Nat.shiftRight p.forms.sources (32 * a.rows)))
        (both (Nat.ble (d.bits + 1) (32 * a.lanes)) (both (Nat.ble (a.rows * (2 ^ d.bits * 2 ^ d'.bits + 2 ^ d.bits * 2 ^ d'.bits) + 1) (2 ^ size))
          (Nat.ble (Linear.reach s (2 ^ size) a.columns + Linear.reach s (a.divisor * 2 ^ (150 - d.base) * 2 ^ d'.bits) tails.length + 1) (2 ^ s.half)))))))))))

/-- The forms with the node substituted, from the bounds of the slots before the node. -/
def run (s : Scale) (p : Property) (d' : Decoding) (size : Nat) (a : Affine) (d : Decoding) (direct mirrored start : Nat) : Bool :=
  Option.rec (motive := fun _ => Bool) false
    (fun lanes => Option.rec (motive := fun _ => Bool) false
      (fun lanes' => both (fits s a d p d' size start (drop a.rows (Columns.flatten lanes')))
        (force (fun bounds => force (fun bounds' => force (fun mass => force (fun mass' =>
            clausesPositive s (32 * p.forms.lanes) p.strict p.alternatives p.forms.rows (bounds + bounds') (mass + mass'))
          (s.center * Linear.masses (scale (a.divisor * 2 ^ (150 - d.base)) (drop a.rows (Columns.flatten lanes')))))
          (s.center * Linear.masses (columns (32 * a.lanes) (32 * p.forms.lanes) p.forms.rows size (take a.rows (Columns.flatten lanes')) (Columns.flatten lanes))))
          (Linear.accumulate s.stride direct mirrored (scale (a.divisor * 2 ^ (150 - d.base)) (drop a.rows (Columns.flatten lanes'))) (Nat.shiftRight p.forms.sources (32 * a.rows))))
          (Dense.apply s.stride (32 * p.forms.lanes * p.forms.rows) direct mirrored start a.columns (columns (32 * a.lanes) (32 * p.forms.lanes) p.forms.rows size (take a.rows (Columns.flatten lanes')) (Columns.flatten lanes)) a.sources)))
      (decode p.forms d'))
    (decode a d)

theorem regroup2 (S a b c d : Nat) : a + S * b + (c + S * d) = (a + c) + S * (b + d) := by
  rw [Nat.mul_add]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]

theorem columns_length {b b' rows w : Nat} {heads : List Column} : (node : List Column) → (columns b b' rows w heads node).length = node.length
  | [] => rfl
  | c :: node => by rw [columns_cons]; exact congrArg Nat.succ (columns_length node)

theorem run_sound {s : Scale} {slots : Nat → K} {p : Property} {d' : Decoding} {size : Nat} {a : Affine} {d : Decoding} {direct mirrored start : Nat}
    (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots start) (hn : (Node.affine a).Holds .real slots start)
    (h : run s p d' size a d direct mirrored start = true) : p.Holds slots := by
  unfold run at h
  cases hd : decode a d with
  | none => rw [hd] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes =>
  rw [hd] at h
  cases hd' : decode p.forms d' with
  | none => rw [hd'] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes' =>
  rw [hd'] at h
  obtain ⟨hf, h⟩ := both_true h
  simp only [force_eq] at h
  obtain ⟨fa, hf⟩ := both_true hf
  obtain ⟨g1, hf⟩ := both_true hf
  obtain ⟨g2, hf⟩ := both_true hf
  obtain ⟨g3, hf⟩ := both_true hf
  obtain ⟨g4, hf⟩ := both_true hf
  obtain ⟨g5, hf⟩ := both_true hf
  obtain ⟨g6, hf⟩ := both_true hf
  obtain ⟨g7, hf⟩ := both_true hf
  obtain ⟨g8, hf⟩ := both_true hf
  obtain ⟨g9, g10⟩ := both_true hf
  obtain ⟨_, fa⟩ := both_true fa
  obtain ⟨f2, fa⟩ := both_true fa
  obtain ⟨f3, fa⟩ := both_true fa
  obtain ⟨f4, fa⟩ := both_true fa
  obtain ⟨_, f6⟩ := both_true fa
  have g1 := Nat.eq_of_beq_eq_true g1
  have g3 := Nat.le_of_ble_eq_true g3
  have g4 := Nat.le_of_ble_eq_true g4
  have g10 := Nat.le_of_ble_eq_true g10
  obtain ⟨alen, ds, hp, aform⟩ := Columns.decoded (K := K) (decode_sound hd)
  obtain ⟨plen, es, hp', pform⟩ := Columns.decoded (K := K) (decode_sound hd')
  obtain ⟨heads, tails, es_eq, hheads, htails, hlen, _⟩ := split_columns a.rows (Columns.flatten lanes') es hp' (by rw [plen]; exact Nat.le_of_ble_eq_true g5)
  have e_pos : 0 < a.divisor * 2 ^ (150 - d.base) :=
    Nat.mul_le_mul (a := 1) (c := 1) (Nat.le_of_ble_eq_true f4) (Natural.two_pow_pos (150 - d.base))
  generalize he : a.divisor * 2 ^ (150 - d.base) = e at *
  -- the node's rows over its sources
  have equation : ∀ k, k < a.rows → natural e * slots (start + k) = Linear.combination slots ds (word a.sources) k := fun k hk => by
    have y := hn 0 k (by rw [g1]; exact Nat.le.refl) hk
    have f := aform slots 0 k hk
    have src : (fun k => word a.sources (a.columns * 0 + k)) = word a.sources := funext fun k => by
      show word a.sources (0 + k) = _; rw [Nat.zero_add]
    rw [src] at f
    have q := Affine.equation (Nat.le_of_ble_eq_true f2) (Nat.le_of_ble_eq_true f3) y f
    rw [he] at q
    have slot : start + (k + a.rows * 0) = start + k := rfl
    rw [slot] at q; exact q
  -- the two groups of columns
  have limit_lt : 2 ^ d.bits < 2 ^ (32 * a.lanes) :=
    Nat.le_trans (Natural.mul_lt_mul_left (a := 1) (b := 2) (Natural.two_pow_pos d.bits) Nat.le.refl |> fun t => by
      rw [Natural.mul_one] at t; exact t) (Natural.two_pow_le (j := d.bits + 1) (Nat.le_of_ble_eq_true g8))
  rw [← hlen] at hp
  have packed1 := columns_packed g4 hheads limit_lt (by rw [hlen]; exact Nat.le_of_ble_eq_true g9) (Columns.flatten lanes) ds (by rw [hlen] at hp ⊢; exact hp)
  obtain ⟨packed2, len2⟩ := scale_packed e _ _ htails
  have len1 : (columns (32 * a.lanes) (32 * p.forms.lanes) p.forms.rows size (take a.rows (Columns.flatten lanes')) (Columns.flatten lanes)).length = a.columns := by
    rw [columns_length, alen]
  have below1 := wordsBelow_sound start _ _ f6
  rw [g1, Natural.mul_one] at below1
  have below2 := wordsBelow_sound start _ _ g7
  obtain ⟨lo1, hi1, a1, a2, q1⟩ := Linear.apply_columns (slots := slots) sf hm packed1 (sources := a.sources) (by rw [len1]; exact below1)
    (by rw [len1]; exact Nat.le_trans (Nat.succ_le_succ (Nat.le_add_right _ _)) g10)
  obtain ⟨lo2, hi2, b1, b2, q2⟩ := Linear.apply_columns (slots := slots) sf hm packed2 (sources := Nat.shiftRight p.forms.sources (32 * a.rows))
    (by rw [len2]; exact below2) (by rw [len2]; exact Nat.le_trans (Nat.succ_le_succ (Nat.le_add_left _ _)) g10)
  have d1 := Dense.apply_eq (sources := a.sources) sf hm packed1 (by rw [len1]; exact Nat.le_trans (Nat.succ_le_succ (Nat.le_add_right _ _)) g10) g3
  rw [len1] at d1
  rw [d1, a1, a2, b1, b2, ← pack_add, ← pack_add] at h
  rw [pack_congr (fun i _ => regroup2 (2 ^ s.half) (lo1 i) (hi1 i) (lo2 i) (hi2 i))] at h
  have total : ∀ {x y : Nat}, x ≤ Linear.reach s (2 ^ size) a.columns → y ≤ Linear.reach s (e * 2 ^ d'.bits) (drop a.rows (Columns.flatten lanes')).length →
      x + y < 2 ^ s.half := fun hx hy => Nat.le_trans (Nat.succ_le_succ (Nat.add_le_add hx hy)) g10
  rw [len1] at q1
  rw [len2] at q2
  have half_le : 2 ^ s.half ≤ 2 ^ (32 * p.forms.lanes) := Natural.two_pow_le (Nat.le_trans (Nat.le_add_right _ _) g3)
  refine clausesPositive_sound g3 (low := fun i => lo1 i + lo2 i) (high := fun i => hi1 i + hi2 i)
    (fun i hi => ⟨total (q1 i hi).2.2.2.1.1 (q2 i hi).2.2.2.1.1, total (q1 i hi).2.2.2.1.2.1 (q2 i hi).2.2.2.1.2.1,
      Nat.le_trans (total (q1 i hi).2.2.2.1.2.2 (q2 i hi).2.2.2.1.2.2) half_le⟩) ?_ h
  intro row hrow positive
  have low1 := (q1 row hrow).2.2.2.2.1
  have low2 := (q2 row hrow).2.2.2.2.1
  rw [composed_combination] at low1
  rw [scaled_combination] at low2
  rw [blend_congr heads _ (fun k => natural e * slots (word p.forms.sources k)) (fun k hk => by
    rw [← Columns.packed_length _ _ hheads, hlen] at hk
    rw [consecutive_sound a.rows start _ g6 k hk, equation k hk]), ← mul_blend, ← combination_blend] at low1
  have hword : (word (Nat.shiftRight p.forms.sources (32 * a.rows))) = fun k => word p.forms.sources (heads.length + k) := funext fun k => by
    rw [← Columns.packed_length _ _ hheads, hlen]
    show p.forms.sources / 2 ^ (32 * a.rows) / 2 ^ (32 * k) % 2 ^ 32 = p.forms.sources / 2 ^ (32 * (a.rows + k)) % 2 ^ 32
    rw [Natural.shift_shift, Nat.mul_add]
  rw [hword] at low2
  have sum := add_le_add low1 low2
  have low : (natural (lo1 row + lo2 row) : K) ≤ natural s.unit * (natural e * Linear.combination slots es (word p.forms.sources) row) +
      natural (s.center * Linear.mass (composedAll heads ds) row + s.center * Linear.mass (scaled e tails) row) := by
    rw [natural_add, natural_add, es_eq, Columns.combination_append]
    refine le_trans sum (le_of_eq ?_)
    rw [mul_add (natural e), mul_add]
    exact (ring4 K x m y n, x + m + (y + n), x + y + (m + n)) _ _ _ _
  have sg := signed_of_bracket (K := K) sf.unit low positive
  have sg := signed_of_mul e_pos sg
  have m := signed_mul (Natural.two_pow_pos (d'.base - 1)) sg
  have f := pform slots 0 row hrow
  have src : (fun k => word p.forms.sources (p.forms.columns * 0 + k)) = word p.forms.sources := funext fun k => by
    show word p.forms.sources (0 + k) = _; rw [Nat.zero_add]
  rw [src] at f
  rw [f] at m
  exact m

end Compose
end PytestTorchLean
