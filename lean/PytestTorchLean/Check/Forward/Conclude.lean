prelude
import PytestTorchLean.Check.Forward.Prepare
/-!
# The property by forms of the inputs, on every part of a box

The last affine node is substituted into the rows of the property, as for any composed property; the rows are
then taken over the values before it.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural
variable {K : Type u} [OrderedRing K]

/-- The conditions beyond those of composing: the node reads `n` values of a layer from slot `first` on. -/
def composable (s : Scale) (p : Property) (d' : Decoding) (size : Nat) (a : Affine) (d : Decoding)
    (error first n tails : Nat) : Bool :=
  both (Nat.beq (32 * p.forms.lanes) s.stride)
    (both (Nat.ble n a.columns)
      (both (Dense.consecutive n first a.sources)
        (both (Nat.ble 1 s.half)
          (Nat.ble (Linear.reach s (2 ^ size) n + (Linear.reach s (2 ^ size) (a.columns - n) +
                  Linear.reach s (a.divisor * 2 ^ (150 - d.base) * 2 ^ d'.bits) tails +
                  (Compose.errorReach s a d' error + Compose.errorReach s a d' error)) +
              2 ^ 0 * (s.top + s.center) + 2 ^ 0) (2 ^ (s.half - 1))))))

/-- The rows of the property over the values that the last node reads. -/
def finalLayer [Prepared] (s : Scale) (p : Property) (d' : Decoding) (size : Nat) (a : Affine) (d : Decoding)
    (error start direct mirrored memory : Nat) (next : Substitution → Nat → Nat → Bool) : Bool :=
  Option.rec (motive := fun _ => Bool) false
    (fun lanes => Option.rec (motive := fun _ => Bool) false
      (fun lanes' => force (fun first => force (fun n => both (both
                (Compose.fits s a d p d' size error start memory (Dense.drop a.rows (Columns.flatten lanes')))
            (composable s p d' size a d error first n (Dense.drop a.rows (Columns.flatten lanes')).length))
          (settled (Compose.columns (32 * a.lanes) (32 * p.forms.lanes) p.forms.rows size
                (Dense.take a.rows (Columns.flatten lanes')) (Columns.flatten lanes)) fun composed =>
            settled
                (Compose.scale (a.divisor * 2 ^ (150 - d.base)) (Dense.drop a.rows (Columns.flatten lanes')))
                fun others =>
            settled (Dense.take n composed)
              fun heads => force (fun charged => force (fun mass => force (fun rest => force (fun restMass =>
                  next ⟨p.forms.rows, 0, heads,
                    fun c => Compose.weigh s.stride heads c.direct c.mirrored, mass, rest, restMass⟩ first n)
                (Nat.add (Nat.add (s.center * Linear.masses (Dense.drop n composed))
                      (s.center * Linear.masses others)) charged))
                (Nat.add (Nat.add (Linear.accumulate s.stride direct mirrored (Dense.drop n composed)
                        (Nat.shiftRight a.sources (32 * n)))
                      (Linear.accumulate s.stride direct mirrored others
                        (Nat.shiftRight p.forms.sources (32 * a.rows))))
                    (Nat.mul (Nat.pow 2 s.half) (Nat.add charged charged))))
                (s.center * Linear.masses heads))
              (Compose.weigh (32 * a.lanes) (Dense.take a.rows (Columns.flatten lanes')) error error)))
        (Dense.run a.columns first a.sources)) (Nat.land a.sources (Nat.sub (Nat.pow 2 32) 1)))
      (Prepared.columns p.forms d'))
    (Prepared.columns a d)

theorem finalLayer_sound [Prepared] {s : Scale} {slots : Nat → K} {p : Property} {d' : Decoding} {size : Nat}
    {a : Affine} {d : Decoding} {error start direct mirrored memory : Nat}
    {next : Substitution → Nat → Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hn : ∀ position row, position < a.positions → row < a.rows →
      Near s a d error slots position row (slots (start + (row + a.rows * position))))
    (h : finalLayer s p d' size a d error start direct mirrored memory next = true) :
    ∃ (l : Substitution) (first n : Nat) (y : Nat → K), l.Holds s (fun i => slots (first + i)) n y ∧
      l.rows = p.forms.rows ∧
      (∀ row, row < p.forms.rows → Signed p.strict (y row) → Signed p.strict (p.forms.form slots 0 row)) ∧
      next l first n = true := by
  unfold finalLayer at h
  rw [Prepared.columns_eq, Prepared.columns_eq] at h
  cases hd : decode a d with
  | none => rw [hd] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes =>
  rw [hd] at h
  cases hd' : decode p.forms d' with
  | none => rw [hd'] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes' =>
  rw [hd'] at h
  simp only [force_eq, settled_eq] at h
  generalize Nat.land a.sources (Nat.sub (Nat.pow 2 32) 1) = first at *
  generalize Dense.run a.columns first a.sources = n at *
  obtain ⟨hf, h⟩ := both_true h
  obtain ⟨hf, hc⟩ := both_true hf
  obtain ⟨c1, hc⟩ := both_true hc
  obtain ⟨c2, hc⟩ := both_true hc
  obtain ⟨c3, hc⟩ := both_true hc
  obtain ⟨c4, c5⟩ := both_true hc
  have c1 : 32 * p.forms.lanes = s.stride := Nat.eq_of_beq_eq_true c1
  have c2 := Nat.le_of_ble_eq_true c2
  have c4 := Nat.le_of_ble_eq_true c4
  have c5 := Nat.le_of_ble_eq_true c5
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
  have g4 := Nat.le_of_ble_eq_true g4
  have g10 := Nat.le_of_ble_eq_true g10
  obtain ⟨_, error_lt⟩ :=
    Box.masked_digits (Nat.le_of_ble_eq_true e2) (Nat.le_of_ble_eq_true e3) (Nat.eq_of_beq_eq_true e4)
  obtain ⟨alen, ds, hp, aform⟩ := Columns.decoded (K := K) (decode_sound hd)
  obtain ⟨plen, es, hp', pform⟩ := Columns.decoded (K := K) (decode_sound hd')
  obtain ⟨heads, tails, es_eq, hheads, htails, hlen, _⟩ :=
    Dense.split_columns a.rows (Columns.flatten lanes') es hp' (by rw [plen]; exact Nat.le_of_ble_eq_true g5)
  have e_pos : 0 < a.divisor * 2 ^ (150 - d.base) :=
    Nat.mul_le_mul (a := 1) (c := 1) (Nat.le_of_ble_eq_true f4) (Natural.two_pow_pos (150 - d.base))
  have heads_len : heads.length = a.rows := by rw [← Columns.packed_length _ _ hheads, hlen]
  have near : ∀ k, k < a.rows →
    AtMost (natural s.unit * (natural (a.divisor * 2 ^ (150 - d.base)) * slots (start + k) -
            Linear.combination slots ds (word a.sources) k))
      (natural (digit (32 * a.lanes) error k)) := fun k hk => by
    have y := hn 0 k (by rw [g1]; exact Nat.le.refl) hk
    have f := aform slots 0 k hk
    have src : (fun k => word a.sources (a.columns * 0 + k)) = word a.sources := funext fun k => by
      show word a.sources (0 + k) = _; rw [Nat.zero_add]
    rw [src] at f
    exact y _ f
  generalize he : a.divisor * 2 ^ (150 - d.base) = e at *
  have limit_lt : 2 ^ d.bits < 2 ^ (32 * a.lanes) :=
    Nat.le_trans
      (Natural.mul_lt_mul_left (a := 1) (b := 2) (Natural.two_pow_pos d.bits) Nat.le.refl |> fun t => by
      rw [Natural.mul_one] at t; exact t) (Natural.two_pow_le (j := d.bits + 1) (Nat.le_of_ble_eq_true g8))
  rw [← hlen] at hp
  have packed1 := Compose.columns_packed g4 hheads limit_lt (by rw [hlen]; exact Nat.le_of_ble_eq_true g9)
    (Columns.flatten lanes) ds (by rw [hlen] at hp ⊢; exact hp)
  obtain ⟨packed2, len2⟩ := Compose.scale_packed e _ _ htails
  have len1 : (Compose.columns (32 * a.lanes) (32 * p.forms.lanes) p.forms.rows size
          (Dense.take a.rows (Columns.flatten lanes')) (Columns.flatten lanes)).length = a.columns := by
    rw [Compose.columns_length, alen]
  have below1 := wordsBelow_sound start _ _ f6
  rw [g1, Natural.mul_one] at below1
  have below2 := wordsBelow_sound memory _ _ g7
  generalize hcharge : Compose.errorReach s a d' error = charge at *
  have g10 : Linear.reach s (2 ^ size) a.columns +
      Linear.reach s (e * 2 ^ d'.bits) (Dense.drop a.rows (Columns.flatten lanes')).length + charge <
    2 ^ s.half := g10
  rw [Compose.weigh_digits _ _ _ _ hheads] at h
  rw [c1] at packed1 packed2 h len1
  generalize Compose.columns (32 * a.lanes) s.stride p.forms.rows size
      (Dense.take a.rows (Columns.flatten lanes')) (Columns.flatten lanes) = composed at *
  generalize hothers : Compose.scale e (Dense.drop a.rows (Columns.flatten lanes')) = others at *
  -- the composed columns: those that read the layer, and the others
  obtain ⟨firsts, lasts, split_eq, hfirsts, hlasts, flen, flen2⟩ :=
    Dense.split_columns n composed _ packed1 (by rw [len1]; exact c2)
  have firsts_len : firsts.length = n := by rw [← Columns.packed_length _ _ hfirsts, flen]
  have last_len : (Dense.drop n composed).length = a.columns - n := by
    rw [len1] at flen2
    rw [← flen2, Natural.add_sub_cancel_left]
  have last_below : ∀ k, k < (Dense.drop n composed).length →
      word (Nat.shiftRight a.sources (32 * n)) k < memory := fun k hk => by
    rw [later_words]
    refine Nat.le_trans (below1 (n + k) ?_) e1
    rw [len1] at flen2
    rw [← flen2]
    exact Nat.add_le_add (Nat.le.refl (n := n)) hk
  have room1 : Linear.reach s (2 ^ size) (Dense.drop n composed).length < 2 ^ s.half := by
    rw [last_len]
    refine Natural.lt_of_le_of_lt (Nat.le_trans (Nat.mul_le_mul (Natural.sub_le _ _) Nat.le.refl) ?_) g10
    exact Nat.le_trans (Nat.le_add_right (Linear.reach s (2 ^ size) a.columns) _) (Nat.le_add_right _ charge)
  have room2 : Linear.reach s (e * 2 ^ d'.bits) others.length < 2 ^ s.half := by
    rw [len2]
    exact Nat.le_trans (Nat.succ_le_succ (Nat.le_trans (Nat.le_add_left _ _) (Nat.le_add_right _ charge))) g10
  obtain ⟨lo1, hi1, a1, a2, q1⟩ := Linear.apply_columns (slots := slots) sf hm hlasts last_below room1
  obtain ⟨lo2, hi2, b1, b2, q2⟩ := Linear.apply_columns (slots := slots) sf hm packed2
    (sources := Nat.shiftRight p.forms.sources (32 * a.rows)) (by rw [len2]; exact below2) room2
  rw [a1, a2, b1, b2] at h
  have charged : ∀ i, i < p.forms.rows →
      Compose.weighted heads (digit (32 * a.lanes) error) (digit (32 * a.lanes) error) i ≤ charge :=
      fun i hi => by
    have z := Compose.weighted_le (limit := 2 ^ Compose.errorBits s a d' error) hi _ heads
      (digit (32 * a.lanes) error) (digit (32 * a.lanes) error) hheads
      (fun k hk => by
        rw [hlen] at hk
        exact ⟨Natural.le_of_lt (error_lt k hk), Natural.le_of_lt (error_lt k hk)⟩)
    rw [hlen] at z
    rw [← hcharge]; exact z
  generalize herr :
    Compose.weighted heads (digit (32 * a.lanes) error) (digit (32 * a.lanes) error) = err at *
  have rest_eq : Nat.add (Nat.add (pack s.stride p.forms.rows fun i => lo1 i + 2 ^ s.half * hi1 i)
      (pack s.stride p.forms.rows fun i => lo2 i + 2 ^ s.half * hi2 i))
      (Nat.mul (Nat.pow 2 s.half) (Nat.add (pack s.stride p.forms.rows err) (pack s.stride p.forms.rows err)))
        =
      pack s.stride p.forms.rows (fun i => (lo1 i + lo2 i) + 2 ^ s.half * (hi1 i + hi2 i + (err i + err i)))
          := by
    show pack s.stride p.forms.rows _ + pack s.stride p.forms.rows _ +
      2 ^ s.half * (pack s.stride p.forms.rows _ + pack s.stride p.forms.rows _) = _
    rw [← pack_add, ← pack_add, ← pack_mul, ← pack_add]
    exact pack_congr fun i _ => regroup _ _ _ _ _ _ _
  have mass_eq : Nat.add (Nat.add (pack s.stride p.forms.rows fun i => s.center * Linear.mass lasts i)
      (pack s.stride p.forms.rows fun i => s.center * Linear.mass (Compose.scaled e tails) i))
      (pack s.stride p.forms.rows err) =
          pack s.stride p.forms.rows
            (fun i =>
              s.center * Linear.mass lasts i + s.center * Linear.mass (Compose.scaled e tails) i + err i)
            := by
    show pack s.stride p.forms.rows _ + pack s.stride p.forms.rows _ + pack s.stride p.forms.rows _ = _
    rw [← pack_add, ← pack_add]
  rw [last_len] at q1
  rw [len2] at q2
  refine ⟨_, first, n, fun i => natural e * Linear.combination slots es (word p.forms.sources) i,
    ⟨firsts, 2 ^ size, Linear.reach s (2 ^ size) (a.columns - n) +
        Linear.reach s (e * 2 ^ d'.bits) (Dense.drop a.rows (Columns.flatten lanes')).length +
        (charge + charge), _, _, _, hfirsts, flen, fun _ => rfl, rfl, rest_eq, mass_eq, fun i hi => ?_, c5⟩,
        rfl,
      fun row hrow sg => ?_, h⟩
  · obtain ⟨_, _, _, ⟨u1, u2, u3⟩, u4, u5⟩ := q1 i hi
    obtain ⟨_, _, _, ⟨v1, v2, v3⟩, v4, v5⟩ := q2 i hi
    have er := charged i hi
    refine ⟨Nat.le_trans (Nat.add_le_add u1 v1) (Nat.le_add_right _ _),
        Nat.add_le_add (Nat.add_le_add u2 v2) (Nat.add_le_add er er),
        Nat.add_le_add (Nat.add_le_add u3 v3) (Nat.le_trans er (Nat.le_add_right _ _)), ?_⟩
    rw [Compose.scaled_combination, later_words] at v4 v5
    -- what the rows are, up to the errors
    have errors := Compose.blend_atMost (i := i) (m := natural s.unit) heads
      (fun k => natural e * slots (start + k) - Linear.combination slots ds (word a.sources) k)
      (digit (32 * a.lanes) error) (fun k hk => near k (by rw [heads_len] at hk; exact hk))
    rw [herr] at errors
    have composed_eq : Compose.blend heads (fun k => Linear.combination slots ds (word a.sources) k) i =
        Compose.blend firsts (fun k => slots (first + k)) i +
            Linear.combination slots lasts (word (Nat.shiftRight a.sources (32 * n))) i := by
      rw [← Compose.composed_combination, split_eq, Columns.combination_append, Compose.combination_blend,
          later_words, firsts_len]
      refine congrArg (fun x => x + _) (Compose.blend_congr firsts _ _ fun k hk => ?_)
      rw [firsts_len] at hk
      rw [Dense.consecutive_sound n first a.sources c3 k hk]
    have slack : Compose.blend heads (fun k => natural e * slots (start + k)) i =
      Compose.blend heads (fun k => Linear.combination slots ds (word a.sources) k) i +
        Compose.blend heads
            (fun k => natural e * slots (start + k) - Linear.combination slots ds (word a.sources) k) i := by
      have z := Compose.blend_linear (i := i) heads (fun k => Linear.combination slots ds (word a.sources) k)
        (fun k => natural e * slots (start + k) - Linear.combination slots ds (word a.sources) k) 1
      rw [mul_on] at z
      rw [← z]
      exact Compose.blend_congr heads _ _ (fun k _ => (ring2 K x y, y, x * 1 + (y - x)) _ _)
    have outputs : natural e * Linear.combination slots heads (word p.forms.sources) i =
        Compose.blend heads (fun k => natural e * slots (start + k)) i := by
      rw [Compose.combination_blend, Compose.mul_blend]
      refine Compose.blend_congr heads _ _ fun k hk => ?_
      rw [heads_len] at hk
      rw [Dense.consecutive_sound a.rows start _ g6 k hk]
    have total : natural e * Linear.combination slots es (word p.forms.sources) i =
      Compose.blend firsts (fun k => slots (first + k)) i +
        Linear.combination slots lasts (word (Nat.shiftRight a.sources (32 * n))) i +
        Compose.blend heads
          (fun k => natural e * slots (start + k) - Linear.combination slots ds (word a.sources) k) i +
        natural e * Linear.combination slots tails (fun k => word p.forms.sources (a.rows + k)) i := by
      rw [es_eq, Columns.combination_append, mul_add, outputs, slack, composed_eq, heads_len]
    have one : (natural (2 ^ 0) : K) = 1 := by
      show natural 1 = _
      rw [natural_succ]; exact OrderedRing.zero_add 1
    show _ ≤ natural s.unit * (natural (2 ^ 0) *
                  (natural e * Linear.combination slots es (word p.forms.sources) i) -
                Compose.blend firsts (fun k => slots (first + k)) i) + _ ∧
      natural s.unit * (natural (2 ^ 0) * (natural e * Linear.combination slots es (word p.forms.sources) i) -
              Compose.blend firsts (fun k => slots (first + k)) i) + _ ≤ _
    rw [one, OrderedRing.one_mul, total, natural_add _ (lo2 i), natural_add _ (err i),
        natural_add (s.center * _) (s.center * _), natural_add _ (err i + err i), natural_add (hi1 i),
        natural_add (err i)]
    generalize Compose.blend heads
        (fun k => natural e * slots (start + k) - Linear.combination slots ds (word a.sources) k) i = k at *
    generalize Compose.blend firsts (fun k => slots (first + k)) i = b at *
    generalize Linear.combination slots lasts (word (Nat.shiftRight a.sources (32 * n))) i = t1 at *
    generalize natural e * Linear.combination slots tails (fun k => word p.forms.sources (a.rows + k)) i =
      t2 at *
    have simpler : natural s.unit * (b + t1 + k + t2 - b) =
      natural s.unit * t1 + natural s.unit * t2 + natural s.unit * k :=
      (ring5 K u b t k v, u * (b + t + k + v - b), u * t + u * v + u * k) _ _ _ _ _
    rw [simpler]
    constructor
    · refine le_cert ?_ (add_nonneg (add_nonneg (sub_nonneg u4) (sub_nonneg v4)) (sub_nonneg errors.2))
      exact (ring8 K x y k m c r l w, x + y + k + (m + c + r) - (l + w), (x + m - l) + (y + c - w) + (r - -k))
        _ _ _ _ _ _ _ _
    · refine le_cert ?_ (add_nonneg (add_nonneg (sub_nonneg u5) (sub_nonneg v5)) (sub_nonneg errors.1))
      exact (ring8 K x y k m c r l w, l + w + (r + r) - (x + y + k + (m + c + r)),
          (l - (x + m)) + (w - (y + c)) + (r - k)) _ _ _ _ _ _ _ _
  · have sg := signed_of_mul e_pos sg
    have m := signed_mul (Natural.two_pow_pos (d'.base - 1)) sg
    have f := pform slots 0 row hrow
    have src : (fun k => word p.forms.sources (p.forms.columns * 0 + k)) = word p.forms.sources :=
        funext fun k => by
      show word p.forms.sources (0 + k) = _; rw [Nat.zero_add]
    rw [src] at f
    rw [f] at m
    exact m

/-- The property on every part of the box, once all nodes have been passed. The forms are of the slots from
    `origin` on, the inputs or the values of a layer behind them; `size` bounds the bits of the composed
    weights. With `symbols`, undecided ReLUs get noise symbols. -/
def conclude [Prepared] (s : Scale) (p : Property) (forms : Decoding) (size slope fraction origin : Nat)
    (symbols : Bool) (cuts : Cuts) (passed : List Passed) (direct mirrored memory : Nat) : Bool :=
  List.rec (motive := fun _ => Bool) false
    (fun head earlier _ => Passed.rec (motive := fun _ => Bool)
        (fun node start decoding error => Node.rec (motive := fun _ => Bool)
      (fun a => finalLayer s p forms size a decoding error start direct mirrored memory fun last first n =>
        build s origin direct mirrored memory
          (fun inputs layers => both (Nat.ble (Nat.add origin inputs) memory)
            (rangesOf s direct inputs origin fun ranges =>
              run s slope fraction symbols p.strict p.alternatives layers last cuts n inputs ranges)) earlier
          first n [])
      (fun _ _ => false) (fun _ _ => false) (fun _ _ => false) (fun _ _ _ => false) (fun _ _ _ => false)
          (fun _ _ => false) node) head) passed

/-- **Forward substitution proves the property** on every part of the box that the cuts distinguish: every
    value of a layer lies between two linear forms of the first layer's slots, and the property follows from
    those of the last layer. -/
theorem conclude_sound [Prepared] {s : Scale} {slots : Nat → K} {p : Property} {forms : Decoding}
    {size slope fraction origin : Nat} {symbols : Bool} {cuts : Cuts} {passed : List Passed}
    {direct mirrored memory : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hp : Passed.AllHold s slots passed memory)
    (h : conclude s p forms size slope fraction origin symbols cuts passed direct mirrored memory = true) :
    p.Holds slots := by
  cases passed with
  | nil => exact Bool.noConf_tf (Eq.symm h)
  | cons head earlier =>
    obtain ⟨node, start, decoding, error⟩ := head
    obtain ⟨_, hp1, hp2⟩ := hp
    cases node with
    | affine a =>
      have h : finalLayer s p forms size a decoding error start direct mirrored memory (fun last first n =>
        build s origin direct mirrored memory
            (fun inputs layers => both (Nat.ble (Nat.add origin inputs) memory)
              (rangesOf s direct inputs origin fun ranges =>
                run s slope fraction symbols p.strict p.alternatives layers last cuts n inputs ranges))
                earlier
            first n []) = true := h
      obtain ⟨last, first, n, y, hl, rows, signs, h⟩ := finalLayer_sound sf hm hp1 h
      obtain ⟨inputs, layers, chain, h⟩ :=
        build_sound (z := fun i => slots (first + i)) (m := n) sf hm earlier start hp2 first n [] ⟨rfl, rfl⟩ h
      obtain ⟨inside, h⟩ := both_true h
      obtain ⟨l, u, hd, _, hw⟩ := hm
      obtain ⟨ranges, r1, r2, h⟩ := rangesOf_sound sf hd hw inputs origin _ (Nat.le_of_ble_eq_true inside) h
      exact run_sound sf chain y hl rows signs r1 r2 h
    | relu _ _ => exact Bool.noConf_tf (Eq.symm h)
    | maximum _ _ => exact Bool.noConf_tf (Eq.symm h)
    | minimum _ _ => exact Bool.noConf_tf (Eq.symm h)
    | curve _ _ _ => exact Bool.noConf_tf (Eq.symm h)
    | bilinear _ _ _ => exact Bool.noConf_tf (Eq.symm h)
    | quotient _ _ => exact Bool.noConf_tf (Eq.symm h)

end Forward
end PytestTorchLean
