prelude
import PytestTorchLean.Check.Passed
import PytestTorchLean.Check.Property
import PytestTorchLean.Check.Weigh
/-!
# Forms over the outputs of the last affine node, rewritten over its inputs

A row `sum_k c_k * y_k` with `E * y_k = sum_j w_kj * x_j` is `E` times smaller than
`sum_j (sum_k c_k * w_kj) * x_j`. The new weights are formed digit-wise for all rows at once, and
positive and negative parts are cancelled against each other before they are bounded. In binary32 the
equation of `y_k` holds up to an error, which the row is charged `|c_k|` times.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Compose
open Vector Dense

/-! ### The decision -/

/-- Bits that the errors of the node's rows may have; where there are none they need no room. -/
def errorBits (s : Scale) (a : Affine) (d' : Decoding) (error : Nat) : Nat :=
  Bool.casesOn (motive := fun _ => Nat) (Nat.beq error 0)
    (Nat.sub s.half (Nat.add (Nat.add d'.bits (Nat.log2 a.rows)) 8)) 0
/-- What the errors of the node's rows add to a form, at most. -/
def errorReach (s : Scale) (a : Affine) (d' : Decoding) (error : Nat) : Nat :=
  a.rows * (2 ^ errorBits s a d' error * 2 ^ d'.bits + 2 ^ errorBits s a d' error * 2 ^ d'.bits)

/-- The conditions on the numbers; `size` is a bound on the bits of the composed weights. -/
def fits (s : Scale) (a : Affine) (d : Decoding) (p : Property) (d' : Decoding) (size error start count : Nat)
    (tails : List Column) : Bool :=
  both (both (Nat.ble start count)
      (both (Nat.ble (errorBits s a d' error) (32 * a.lanes))
        (both (Nat.ble 1 (32 * a.lanes))
          (Nat.beq (Nat.land error
              (Nat.mul (Nat.sub (Nat.pow 2 (errorBits s a d' error)) 1) (ones (32 * a.lanes) a.rows)))
            error)))) <|
  both (Affine.fits s a d start) (both (Nat.beq a.positions 1) (both (Nat.beq p.forms.positions 1)
    (both (Nat.ble (s.half + s.half) (32 * p.forms.lanes))
          (both (Nat.ble (size + 1) (32 * p.forms.lanes))
            (both (Nat.ble a.rows p.forms.columns)
              (both (consecutive a.rows start p.forms.sources)
                (both (wordsBelow count tails.length (Nat.shiftRight p.forms.sources (32 * a.rows)))
                  (both (Nat.ble (d.bits + 1) (32 * a.lanes))
                    (both (Nat.ble (a.rows * (2 ^ d.bits * 2 ^ d'.bits + 2 ^ d.bits * 2 ^ d'.bits) + 1)
                        (2 ^ size)) (Nat.ble (Linear.reach s (2 ^ size) a.columns +
                          Linear.reach s (a.divisor * 2 ^ (150 - d.base) * 2 ^ d'.bits) tails.length +
                          errorReach s a d' error + 1) (2 ^ s.half)))))))))))

/-- The forms with the node substituted whose outputs start at slot `start`, from the bounds of `count`
    slots. -/
def run [Prepared] (s : Scale) (p : Property) (d' : Decoding) (size : Nat) (a : Affine) (d : Decoding)
    (error start direct mirrored count : Nat) : Bool :=
  Option.rec (motive := fun _ => Bool) false
    (fun lanes => Option.rec (motive := fun _ => Bool) false
      (fun lanes' => both (fits s a d p d' size error start count (drop a.rows (Columns.flatten lanes')))
        (force
            (fun bounds => force (fun bounds' => force (fun mass => force (fun mass' => force (fun charged =>
            clausesPositive s (32 * p.forms.lanes) p.strict p.alternatives p.forms.rows (bounds + bounds')
              (mass + mass' + charged))
          (weigh (32 * a.lanes) (take a.rows (Columns.flatten lanes')) error error))
          (s.center *
              Linear.masses (scale (a.divisor * 2 ^ (150 - d.base)) (drop a.rows (Columns.flatten lanes')))))
          (s.center * (Prepared.composed a d p.forms d' size lanes lanes').masses))
          (Linear.accumulate s.stride direct mirrored
              (scale (a.divisor * 2 ^ (150 - d.base)) (drop a.rows (Columns.flatten lanes')))
              (Nat.shiftRight p.forms.sources (32 * a.rows))))
          (Dense.apply Prepared.longest s.stride (32 * p.forms.lanes * p.forms.rows) direct mirrored count
                a.columns (Prepared.composed a d p.forms d' size lanes lanes').columns a.sources)))
      (Prepared.columns p.forms d'))
    (Prepared.columns a d)

theorem regroup2 (S a b c d : Nat) : a + S * b + (c + S * d) = (a + c) + S * (b + d) := by
  rw [Nat.mul_add]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]

theorem columns_length {b b' rows w : Nat} {heads : List Column} :
    (node : List Column) → (columns b b' rows w heads node).length = node.length
  | [] => rfl
  | c :: node => by rw [columns_cons]; exact congrArg Nat.succ (columns_length node)

/-- `weigh` of any numbers. -/
theorem weigh_digits {b b' rows bound : Nat} :
    (cs : List Column) → (es : List Digits) → (first second : Nat) →
    Packed b' rows bound cs es →
    weigh b cs first second = pack b' rows (weighted es (digit b first) (digit b second))
  | [], [], _, _, _ => (pack_zero b' rows).symm
  | c :: cs, e :: es, first, second, h => by
    obtain ⟨⟨hp, hn, _⟩, ht⟩ := h
    have ih := weigh_digits (b := b) cs es (Nat.shiftRight first b) (Nat.shiftRight second b) ht
    have zero :
      ∀ n, Nat.land n (2 ^ b - 1) = digit b n 0 := fun n => (land_low n b).trans (digit_zero b n).symm
    have next : ∀ n, digit b (Nat.shiftRight n b) =
      fun k => digit b n (k + 1) := fun n => funext fun k => (digit_succ b n k).symm
    rw [next, next] at ih
    rw [weigh_cons, zero, zero, hp, hn, ih, ← pack_mul, ← pack_mul, ← pack_add, ← pack_add]
    rfl
  | [], _ :: _, _, _, h => h.elim
  | _ :: _, [], _, _, h => h.elim

/-- Errors of the blended values are charged with the absolute weights. -/
theorem blend_atMost {i : Nat} {m : K} :
    (es : List Digits) → (h : Nat → K) → (f : Nat → Nat) →
    (∀ k, k < es.length → AtMost (m * h k) (natural (f k))) →
    AtMost (m * blend es h i) (natural (weighted es f f i))
  | [], _, _, _ => by
    show AtMost (m * 0) (natural 0)
    rw [mul_zero]; exact AtMost.zero (le_refl _)
  | e :: es, h, f, near => by
    have ih := blend_atMost (i := i) (m := m) es (fun k => h (k + 1)) (fun k => f (k + 1))
      (fun k hk => near (k + 1) (Nat.succ_le_succ hk))
    have n := near 0 (Nat.succ_le_succ (Nat.zero_le _))
    have p := n.mul_left (natural_nonneg (e.positive i))
    have q := (n.mul_left (natural_nonneg (e.negative i))).neg
    have z := (p.add q).add ih
    show AtMost
      (m * ((natural (e.positive i) - natural (e.negative i)) * h 0 + blend es (fun k => h (k + 1)) i))
      (natural (f 0 * e.positive i + f 0 * e.negative i + weighted es _ _ i))
    rw
      [natural_add, natural_add, natural_mul, natural_mul, mul_comm (natural (f 0)), mul_comm (natural (f 0))]
    have e1 := (ring5 K m p n x y, p * (m * x) + -(n * (m * x)) + m * y, m * ((p - n) * x + y)) m
      (natural (e.positive i)) (natural (e.negative i)) (h 0) (blend es (fun k => h (k + 1)) i)
    rw [e1] at z
    exact z

/-- A property that is composed with the last layer, from the file's own weights, holds if the composed rows
    are bounded as it demands. -/
theorem run_sound [Prepared] {s : Scale} {slots : Nat → K} {p : Property} {d' : Decoding} {size : Nat}
    {a : Affine} {d : Decoding} {error start direct mirrored count : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hn : ∀ position row, position < a.positions → row < a.rows →
      1 ≤ d.base → d.base ≤ 150 →
      Near s a d error slots position row (slots (start + (row + a.rows * position))))
    (h : run s p d' size a d error start direct mirrored count = true) :
    p.Holds slots := by
  unfold run at h
  rw [Prepared.columns_eq, Prepared.columns_eq] at h
  cases hd : decode a d with
  | none => rw [hd] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes =>
  rw [hd] at h
  cases hd' : decode p.forms d' with
  | none => rw [hd'] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes' =>
  rw [hd'] at h
  obtain ⟨hf, h⟩ := both_true h
  simp only [force_eq, Prepared.composed_eq _ _ _ _ _ _ _ hd hd', composition, summed] at h
  obtain ⟨e0, hf⟩ := both_true hf
  obtain ⟨e1, e0⟩ := both_true e0
  obtain ⟨e2, e0⟩ := both_true e0
  obtain ⟨e3, e4⟩ := both_true e0
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
  have e1 := Nat.le_of_ble_eq_true e1
  have g1 := Nat.eq_of_beq_eq_true g1
  have g3 := Nat.le_of_ble_eq_true g3
  have g4 := Nat.le_of_ble_eq_true g4
  have g10 := Nat.le_of_ble_eq_true g10
  obtain ⟨_, error_lt⟩ :=
    Box.masked_digits (Nat.le_of_ble_eq_true e2) (Nat.le_of_ble_eq_true e3) (Nat.eq_of_beq_eq_true e4)
  obtain ⟨alen, ds, hp, aform⟩ := Columns.decoded (K := K) (decode_sound hd)
  obtain ⟨plen, es, hp', pform⟩ := Columns.decoded (K := K) (decode_sound hd')
  obtain ⟨heads, tails, es_eq, hheads, htails, hlen, _⟩ :=
    split_columns a.rows (Columns.flatten lanes') es hp' (by rw [plen]; exact Nat.le_of_ble_eq_true g5)
  have e_pos : 0 < a.divisor * 2 ^ (150 - d.base) :=
    Nat.mul_le_mul (a := 1) (c := 1) (Nat.le_of_ble_eq_true f4) (Natural.two_pow_pos (150 - d.base))
  have heads_len : heads.length = a.rows := by rw [← Columns.packed_length _ _ hheads, hlen]
  -- the node's rows over its sources
  have near : ∀ k, k < a.rows →
    AtMost (natural s.unit * (natural (a.divisor * 2 ^ (150 - d.base)) * slots (start + k) -
            Linear.combination slots ds (word a.sources) k))
      (natural (digit (32 * a.lanes) error k)) := fun k hk => by
    have y := hn 0 k (by rw [g1]; exact Nat.le.refl) hk (Nat.le_of_ble_eq_true f2) (Nat.le_of_ble_eq_true f3)
    have f := aform slots 0 k hk
    have src : (fun k => word a.sources (a.columns * 0 + k)) = word a.sources := funext fun k => by
      show word a.sources (0 + k) = _; rw [Nat.zero_add]
    rw [src] at f
    exact y _ f
  generalize he : a.divisor * 2 ^ (150 - d.base) = e at *
  -- the two groups of columns
  have limit_lt : 2 ^ d.bits < 2 ^ (32 * a.lanes) :=
    Nat.le_trans
      (Natural.mul_lt_mul_left (a := 1) (b := 2) (Natural.two_pow_pos d.bits) Nat.le.refl |> fun t => by
      rw [Natural.mul_one] at t; exact t) (Natural.two_pow_le (j := d.bits + 1) (Nat.le_of_ble_eq_true g8))
  rw [← hlen] at hp
  have packed1 := columns_packed g4 hheads limit_lt (by rw [hlen]; exact Nat.le_of_ble_eq_true g9)
    (Columns.flatten lanes) ds (by rw [hlen] at hp ⊢; exact hp)
  obtain ⟨packed2, len2⟩ := scale_packed e _ _ htails
  have len1 : (columns (32 * a.lanes) (32 * p.forms.lanes) p.forms.rows size
          (take a.rows (Columns.flatten lanes')) (Columns.flatten lanes)).length = a.columns := by
    rw [columns_length, alen]
  have below1 := wordsBelow_sound start _ _ f6
  rw [g1, Natural.mul_one] at below1
  have below1 : ∀ i, i < a.columns → word a.sources i < count := fun i hi => Nat.le_trans (below1 i hi) e1
  have below2 := wordsBelow_sound count _ _ g7
  generalize hcharge : errorReach s a d' error = charge at *
  have g10 : Linear.reach s (2 ^ size) a.columns +
      Linear.reach s (e * 2 ^ d'.bits) (drop a.rows (Columns.flatten lanes')).length + charge < 2 ^ s.half :=
    g10
  have room1 : Linear.reach s (2 ^ size) a.columns < 2 ^ s.half :=
    Nat.le_trans (Nat.succ_le_succ (Nat.le_trans (Nat.le_add_right _ _) (Nat.le_add_right _ charge))) g10
  have room2 : Linear.reach s (e * 2 ^ d'.bits) (drop a.rows (Columns.flatten lanes')).length < 2 ^ s.half :=
    Nat.le_trans (Nat.succ_le_succ (Nat.le_trans (Nat.le_add_left _ _) (Nat.le_add_right _ charge))) g10
  obtain ⟨lo1, hi1, a1, a2, q1⟩ := Linear.apply_columns (slots := slots) sf hm packed1 (sources := a.sources)
    (by rw [len1]; exact below1) (by rw [len1]; exact room1)
  obtain ⟨lo2, hi2, b1, b2, q2⟩ := Linear.apply_columns (slots := slots) sf hm packed2
    (sources := Nat.shiftRight p.forms.sources (32 * a.rows)) (by rw [len2]; exact below2)
    (by rw [len2]; exact room2)
  have d1 := Dense.apply_eq (longest := Prepared.longest) (sources := a.sources) sf hm packed1
    (by rw [len1]; exact room1) g3
  rw [len1] at d1
  rw [d1, a1, a2, b1, b2, weigh_digits _ _ _ _ hheads, ← pack_add, ← pack_add, ← pack_add] at h
  rw [pack_congr (fun i _ => regroup2 (2 ^ s.half) (lo1 i) (hi1 i) (lo2 i) (hi2 i))] at h
  rw [len1] at q1
  rw [len2] at q2
  have charged : ∀ i, i < p.forms.rows →
      weighted heads (digit (32 * a.lanes) error) (digit (32 * a.lanes) error) i ≤ charge := fun i hi => by
    have z := weighted_le (limit := 2 ^ errorBits s a d' error) hi _ heads (digit (32 * a.lanes) error)
      (digit (32 * a.lanes) error) hheads
      (fun k hk => by
        rw [hlen] at hk
        exact ⟨Natural.le_of_lt (error_lt k hk), Natural.le_of_lt (error_lt k hk)⟩)
    rw [hlen] at z
    rw [← hcharge]; exact z
  have total : ∀ {x y z : Nat}, x ≤ Linear.reach s (2 ^ size) a.columns →
    y ≤ Linear.reach s (e * 2 ^ d'.bits) (drop a.rows (Columns.flatten lanes')).length →
    z ≤ charge → x + y + z < 2 ^ s.half :=
    fun hx hy hz => Nat.le_trans (Nat.succ_le_succ (Nat.add_le_add (Nat.add_le_add hx hy) hz)) g10
  have half_le : 2 ^ s.half ≤ 2 ^ (32 * p.forms.lanes) :=
    Natural.two_pow_le (Nat.le_trans (Nat.le_add_right _ _) g3)
  refine clausesPositive_sound g3 (low := fun i => lo1 i + lo2 i) (high := fun i => hi1 i + hi2 i)
    (fun i hi => ⟨total (z := 0) (q1 i hi).2.2.2.1.1 (q2 i hi).2.2.2.1.1 (Nat.zero_le _),
          total (z := 0) (q1 i hi).2.2.2.1.2.1 (q2 i hi).2.2.2.1.2.1 (Nat.zero_le _),
          Nat.le_trans (total (q1 i hi).2.2.2.1.2.2 (q2 i hi).2.2.2.1.2.2 (charged i hi)) half_le⟩) ?_ h
  intro row hrow positive
  have low1 := (q1 row hrow).2.2.2.2.1
  have low2 := (q2 row hrow).2.2.2.2.1
  rw [composed_combination] at low1
  rw [scaled_combination] at low2
  have errors := blend_atMost (i := row) (m := natural s.unit) heads
    (fun k => natural e * slots (start + k) - Linear.combination slots ds (word a.sources) k)
    (digit (32 * a.lanes) error) (fun k hk => near k (by rw [heads_len] at hk; exact hk))
  have split : blend heads (fun k => Linear.combination slots ds (word a.sources) k) row =
      blend heads (fun k => natural e * slots (start + k)) row -
          blend heads
            (fun k => natural e * slots (start + k) - Linear.combination slots ds (word a.sources) k) row
            := by
    have z := blend_linear (i := row) heads (fun k => Linear.combination slots ds (word a.sources) k)
      (fun k => natural e * slots (start + k) - Linear.combination slots ds (word a.sources) k) 1
    rw [mul_on] at z
    rw [blend_congr heads (fun k => natural e * slots (start + k))
      (fun k => Linear.combination slots ds (word a.sources) k * 1 +
          (natural e * slots (start + k) - Linear.combination slots ds (word a.sources) k))
      (fun k _ => (ring2 K x y, y, x * 1 + (y - x)) _ _), z]
    exact (ring2 K x y, x, x + y - y) _ _
  rw [split] at low1
  rw [blend_congr heads (fun k => natural e * slots (start + k))
      (fun k => natural e * slots (word p.forms.sources k)) (fun k hk => by
    rw [heads_len] at hk
    rw [consecutive_sound a.rows start _ g6 k hk]), ← mul_blend, ← combination_blend] at low1
  generalize blend heads
      (fun k => natural e * slots (start + k) - Linear.combination slots ds (word a.sources) k) row =
    slack at *
  have hword : (word (Nat.shiftRight p.forms.sources (32 * a.rows))) =
      fun k => word p.forms.sources (heads.length + k) := funext fun k => by
    rw [heads_len]
    show p.forms.sources / 2 ^ (32 * a.rows) / 2 ^ (32 * k) % 2 ^ 32 =
      p.forms.sources / 2 ^ (32 * (a.rows + k)) % 2 ^ 32
    rw [Natural.shift_shift, Nat.mul_add]
  rw [hword] at low2
  have sum := add_le_add low1 low2
  have low : (natural (lo1 row + lo2 row) : K) ≤
    natural s.unit * (natural e * Linear.combination slots es (word p.forms.sources) row) +
      natural (s.center * Linear.mass (composedAll heads ds) row +
            s.center * Linear.mass (scaled e tails) row +
            weighted heads (digit (32 * a.lanes) error) (digit (32 * a.lanes) error) row) := by
    rw [natural_add, natural_add, natural_add (s.center * _), es_eq, Columns.combination_append]
    refine le_trans sum ?_
    have n := sub_nonneg errors.2
    rw [mul_add (natural e)]
    generalize natural e * Linear.combination slots heads (word p.forms.sources) row = x at *
    rw [mul_add (natural s.unit) x]
    generalize natural s.unit *
        (natural e * Linear.combination slots tails (fun k => word p.forms.sources (heads.length + k)) row) =
      y
    refine le_cert ?_ n
    have split : natural s.unit * (x - slack) = natural s.unit * x - natural s.unit * slack :=
      (ring3 K u x k, u * (x - k), u * x - u * k) _ _ _
    rw [split, (ring5 K a k b y c, a - k + b + (y + c), a + y + (b + c) - k) (natural s.unit * x) _ _ y _]
    rw [← add_assoc (natural s.unit * x + y)]
    exact (ring3 K t w k, t + w - (t - k), w - -k) _ _ _
  have sg := signed_of_bracket (K := K) sf.unit low positive
  have sg := signed_of_mul e_pos sg
  have m := signed_mul (Natural.two_pow_pos (d'.base - 1)) sg
  have f := pform slots 0 row hrow
  have src : (fun k => word p.forms.sources (p.forms.columns * 0 + k)) = word p.forms.sources :=
      funext fun k => by
    show word p.forms.sources (0 + k) = _; rw [Nat.zero_add]
  rw [src] at f
  rw [f] at m
  exact m

end Compose
end PytestTorchLean
