prelude
import PytestTorchLean.Check.Property
import PytestTorchLean.Check.Relaxation.Tighten
/-!
# A property from what a relaxation proves

The rows of the property's forms are the goals.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- The gain of a row exceeds its loss (`strict`), or is not below it. -/
def gains (strict : Bool) (gain loss : Nat) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) strict (Nat.ble loss gain) (Nat.ble (Nat.succ loss) gain)
theorem gains_sound {strict : Bool} {gain loss : Nat} (h : gains strict gain loss = true) :
    Exceeds strict loss gain := by
  cases strict with
  | true => exact Nat.le_of_ble_eq_true h
  | false => exact Nat.le_of_ble_eq_true h

/-- All rows of the forms, to be bounded from below. -/
def everyRow (rows : Nat) : Nat := pack 32 rows (fun r => Nat.mul 2 r)

/-- The forms read a run of slots, `x.start` and so on, and constants; after they are substituted, their
    coefficients are divided by `2^shift` and have at most `size` bits. -/
def conclude [Prepared] [Rules] (s : Scale) (p : Property) (d : Decoding) (shift size : Nat) (x : Relaxation)
    (passed : List Passed) (facts : List Differences) (direct mirrored memory : Nat) : Bool :=
  both (both (Nat.beq x.rows p.forms.rows) (Nat.ble (Nat.mul 2 p.forms.rows) (Nat.pow 2 32)))
    (force (fun goals => begin ⟨x.digit, x.width, x.rows⟩ 0 p.forms.rows goals fun batch =>
        substitute s ⟨x.digit, x.width, x.rows⟩ p.forms d 1 0 x.start x.count direct mirrored memory batch
            fun y =>
          reduce s ⟨x.digit, x.width, x.rows⟩ shift size direct mirrored memory y fun z =>
            walk s ⟨x.digit, x.width, x.rows⟩ facts direct mirrored memory (fun scale limit gain loss =>
                both (both (Nat.ble 1 scale) (Nat.ble (Nat.succ limit) (Nat.pow 2 (Nat.mul x.digit x.width))))
                  (Clauses.run (Nat.mul x.digit x.width) (gains p.strict) p.alternatives p.forms.rows gain
                      loss))
              x.links passed [] z)
      (everyRow p.forms.rows))

/-- The property holds if its own rows, carried back through the nodes, are bounded as it demands. -/
theorem conclude_sound [Prepared] [rules : Rules] [Rules.Sound K rules] {s : Scale} {slots : Nat → K}
    {p : Property} {d : Decoding} {shift size : Nat} {x : Relaxation} {passed : List Passed}
    {facts : List Differences} {direct mirrored memory : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hp : Passed.AllHold s slots passed memory)
    (hf : Every (Differences.Holds s slots) facts)
    (h : conclude s p d shift size x passed facts direct mirrored memory = true) :
    p.Holds slots := by
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨c1, c2⟩ := both_true hc
  have c1 := Nat.eq_of_beq_eq_true c1
  have c2 : 2 * p.forms.rows ≤ 2 ^ 32 := Nat.le_of_ble_eq_true c2
  rw [force_eq] at h
  have label : ∀ r, r < p.forms.rows → word (everyRow p.forms.rows) r = 2 * r := fun r hr =>
    digit_pack
      (fun i hi => Natural.lt_of_lt_of_le (Natural.mul_lt_mul_left (Nat.succ_le_succ (Nat.zero_le 1)) hi) c2)
      hr
  have goal :
      ∀ (v : Nat → K) r, r < p.forms.rows → goalOf v (everyRow p.forms.rows) r = v r := fun v r hr => by
    unfold goalOf
    rw [label r hr]
    have even : Nat.land (2 * r) 1 = 0 := by
      have e : Nat.land (2 * r) 1 = 2 * r % 2 ^ 1 := land_low _ 1
      have z := Natural.add_mul_mod (B := 2) (r := 0) r (Nat.succ_le_succ (Nat.zero_le 1))
      rw [Nat.zero_add] at z
      exact e.trans z
    have half : 2 * r / 2 = r := Natural.mul_div_cancel (Nat.succ_le_succ (Nat.zero_le 1)) r
    rw [even, half]
  cases hd : decode p.forms d with
  | none =>
    obtain ⟨batch, _, _, _, h, _⟩ := begin_sound (v := fun _ => (0 : K)) h
    rw [substitute_none hd] at h
    exact Bool.noConf_tf (Eq.symm h)
  | some lanes =>
    obtain ⟨_, ds, _, hform⟩ := Columns.decoded (K := K) (decode_sound hd)
    obtain ⟨batch, _, _, b3, h, _⟩ := begin_sound
      (v := fun r => natural s.unit *
          Linear.combination slots ds (fun k => word p.forms.sources (p.forms.columns * 0 + k)) r) h
    obtain ⟨y, hy, h⟩ := substitute_sound sf hm b3 (fun _ i hi c hc => by
      have f := hform slots 0 i hi
      have same :
          c = Linear.combination slots ds (fun k => word p.forms.sources (p.forms.columns * 0 + k)) i := by
        have e := hc.trans f.symm
        exact le_antisymm (Rows.cancel (Natural.two_pow_pos _) (le_of_eq e))
          (Rows.cancel (Natural.two_pow_pos _) (le_of_eq e.symm))
      rw [same]
      have zero : natural 1 * (natural s.unit *
            Linear.combination slots ds (fun k => word p.forms.sources (p.forms.columns * 0 + k)) i) -
          natural s.unit *
                Linear.combination slots ds (fun k => word p.forms.sources (p.forms.columns * 0 + k)) i =
              (0 : K) :=
        (ring1 K x, 1 * x - x, 0) _
      rw [zero]
      refine ⟨natural_nonneg _, ?_⟩
      rw [neg_zero]; exact natural_nonneg _) h
    obtain ⟨z, hz, h⟩ := reduce_sound sf hm hy h
    obtain ⟨scale, limit, gain, loss, ⟨c, l, e1, e2, hr⟩, h⟩ :=
      walk_sound sf hm hf x.links passed memory hp [] _ rfl z hz h
    obtain ⟨hc, h⟩ := both_true h
    obtain ⟨k1, k2⟩ := both_true hc
    have k1 : 0 < scale := Nat.le_of_ble_eq_true k1
    have k2 : limit < 2 ^ (x.digit * x.width) := Nat.le_of_ble_eq_true k2
    have rows : ∀ r, r < p.forms.rows → r < x.rows := fun r hr' => by rw [c1]; exact hr'
    rw [e1, e2] at h
    have h : Clauses.run (x.digit * x.width) (gains p.strict) p.alternatives p.forms.rows
        (pack (x.digit * x.width) x.rows c) (pack (x.digit * x.width) x.rows l) = true := h
    rw [c1] at h
    refine Property.holds_of_clauses (test := fun r => gains p.strict (c r) (l r))
      (Clauses.run_sound (fun r hr' => ⟨Natural.lt_of_le_of_lt (hr r (rows r hr')).1 k2,
              Natural.lt_of_le_of_lt (hr r (rows r hr')).2.1 k2⟩) h) (fun row hrow positive => ?_)
    have q := (hr row (rows row hrow)).2.2
    rw [goal _ row hrow, ← mul_assoc, ← natural_mul] at q
    have sg := signed_of_bracket (K := K) (Nat.mul_pos k1 sf.unit) q (gains_sound positive)
    have m := signed_mul (Natural.two_pow_pos (d.base - 1)) sg
    rw [hform slots 0 row hrow] at m
    exact m

end Relaxation
end PytestTorchLean
