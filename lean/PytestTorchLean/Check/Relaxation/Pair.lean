prelude
import PytestTorchLean.Check.Relaxation.PairStep
/-!
# Differences of ReLUs

Two copies of a network are close to each other where their inputs are. If `x' - x` lies between `l` and `u`,
then `max(x', 0) - max(x, 0)` lies between `min(x' - x, 0)` and `max(x' - x, 0)`, and so between two lines
over `x' - x`, as a ReLU of the difference would. Of a row that holds a multiple of `y' - y` this part is
replaced by such a line over `x' - x`; the rest goes through the ReLUs of the copies one by one.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- What a row holds of the difference of two ReLUs is replaced by lines over the difference of what they
    read, and the row stays below its goal. -/
theorem pair_sound {s : Scale} {frame : Frame} {slots goal : Nat → K}
    {bits slopes chosen first n memory : Nat} {facts : Differences} {x : Batch} {next : Batch → Batch → Bool}
    (sf : s.Fits)
    (hf : facts.Holds s slots)
    (hx : x.Holds s frame slots goal)
    (relu : ∀ i, i < n → IsRelu (slots (first + i)) (slots (x.start + i)))
    (h : pair s frame bits slopes chosen first n memory facts x next = true) :
    ∃ y low : Batch, ∃ goal' : Nat → K,
      y.Holds s frame slots goal' ∧ low.Waits s frame slots goal' goal ∧ next y low = true := by
  unfold pair at h
  rw [force_eq, force_eq] at h
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨h1, hc⟩ := both_true hc
  have ok := fits_sound h1
  obtain ⟨c1, hc⟩ := both_true hc
  obtain ⟨ends, hc⟩ := both_true hc
  obtain ⟨isLeft, isRight⟩ := both_true ends
  obtain ⟨c4, hc⟩ := both_true hc
  obtain ⟨c5, hc⟩ := both_true hc
  obtain ⟨c6, hc⟩ := both_true hc
  obtain ⟨c7, hc⟩ := both_true hc
  obtain ⟨c8, hc⟩ := both_true hc
  obtain ⟨c9, c11⟩ := both_true hc
  have c1 := Nat.eq_of_beq_eq_true c1
  subst c1
  have isLeft := Nat.eq_of_beq_eq_true isLeft
  have isRight := Nat.eq_of_beq_eq_true isRight
  clear ends
  generalize facts.left.sub first = i at *
  generalize facts.right.sub first = k at *
  have left : first + i = facts.left := isLeft
  have right : first + k = facts.right := isRight
  have c4 : i + facts.count ≤ k := Nat.le_of_ble_eq_true c4
  have c5 : k + facts.count ≤ x.count := Nat.le_of_ble_eq_true c5
  have c6 : s.half + bits + 2 ≤ s.stride := Nat.le_of_ble_eq_true c6
  have c7 : bits + 1 + 1 ≤ frame.digit := Nat.le_of_ble_eq_true c7
  have c8 : facts.count ≤ 2 ^ (Nat.succ (Nat.log2 facts.count)) := Nat.le_of_ble_eq_true c8
  have c9 : slopes < 2 ^ ((bits + 1) * facts.count) := Nat.le_of_ble_eq_true c9
  have c11 : chosen < 2 ^ (1 * facts.count) := by
    have z := Nat.le_of_ble_eq_true c11
    exact z
  have c10 : i + facts.count ≤ x.count := Nat.le_trans c4 (Nat.le_trans (Nat.le_add_right _ _) c5)
  simp only [force_eq] at h
  have slopeDigit :
    ∀ j, j < facts.count → digit (bits + 1) slopes j < 2 ^ (bits + 1) := fun j _ => digit_lt _ _ _
  have slopeLe : bits + 1 ≤ frame.digit := Nat.le_trans (Nat.le_add_right _ 1) c7
  have strideLe : bits + 1 ≤ s.stride :=
    Nat.le_trans (Nat.le_trans (Nat.le_add_left _ s.half) (Nat.le_add_right _ 1)) c6
  have stride : 0 < s.stride := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le _)) strideLe
  have e1 : Dense.spread frame.digit (Nat.succ bits) (Nat.succ (Nat.log2 facts.count)) 1 slopes =
      pack frame.digit facts.count (digit (bits + 1) slopes) := by
    have e := Dense.spread_pack slopeLe ok.digit c8 slopeDigit
    rw [← pack_digits facts.count slopes c9] at e; exact e
  have e2 : Dense.spread s.stride (Nat.succ bits) (Nat.succ (Nat.log2 facts.count)) 1 slopes =
      pack s.stride facts.count (digit (bits + 1) slopes) := by
    have e := Dense.spread_pack strideLe stride c8 slopeDigit
    rw [← pack_digits facts.count slopes c9] at e; exact e
  have one : 1 ≤ frame.digit := ok.digit
  have bitDigit : ∀ j, j < facts.count → digit 1 chosen j < 2 ^ 1 := fun j _ => digit_lt _ _ _
  have e3 : Dense.spread frame.digit 1 (Nat.succ (Nat.log2 facts.count)) 1 chosen =
      pack frame.digit facts.count (digit 1 chosen) := by
    have e := Dense.spread_pack one ok.digit c8 bitDigit
    rw [← pack_digits facts.count chosen c11] at e; exact e
  rw [e1, e2, e3] at h
  obtain ⟨hs, h⟩ := both_true h
  have top : 2 ^ bits < 2 ^ (bits + 1) := Vector.guard_lt Nat.le.refl
  have slopeMost := atMost_sound c7 top slopeDigit hs
  obtain ⟨l, m, d1, d2, hd⟩ := hf
  have room : s.half + 1 ≤ s.stride := Nat.add_le_add Nat.le.refl ok.half
  have topLt : s.top < 2 ^ s.half := sf.half
  have tops : Nat.mul s.top (ones s.stride facts.count) =
    pack s.stride facts.count fun _ => s.top := mul_ones stride facts.count s.top
  have f1 : Vector.difference s.stride facts.count s.half (pack s.stride facts.count fun _ => s.top)
        (pack s.stride facts.count l) = _ :=
    Vector.difference_eq room (fun _ _ => topLt) (fun j hj => (hd j hj).1)
  have f2 : Vector.difference s.stride facts.count s.half (pack s.stride facts.count fun _ => s.top)
        (pack s.stride facts.count m) = _ :=
    Vector.difference_eq room (fun _ _ => topLt) (fun j hj => (hd j hj).2.1)
  have below : ∀ a : Nat, s.top - a < 2 ^ s.half := fun a => Natural.lt_of_le_of_lt (Natural.sub_le _ _) topLt
  obtain ⟨offset, o1, o2⟩ := offsets_eq (down := fun j => s.top - l j) (up := fun j => s.top - m j) sf c6
    slopeMost (fun _ _ => below _) (fun _ _ => below _)
  rw [d1, d2, tops, f1, f2, o1] at h
  have restOf : Nat.sub (Nat.mul (Nat.pow 2 bits) (ones frame.digit facts.count))
    (pack frame.digit facts.count (digit (bits + 1) slopes)) =
      pack frame.digit facts.count fun j => 2 ^ bits - digit (bits + 1) slopes j := by
    have c : Nat.mul (Nat.pow 2 bits) (ones frame.digit facts.count) =
      pack frame.digit facts.count fun _ => 2 ^ bits := mul_ones ok.digit facts.count _
    rw [c]; exact (pack_sub slopeMost).symm
  rw [restOf] at h
  have restDigit : ∀ j, j < facts.count → 2 ^ bits - digit (bits + 1) slopes j < 2 ^ (bits + 1) :=
    fun j _ => Natural.lt_of_le_of_lt (Natural.sub_le _ _) top
  obtain ⟨f, g, c, d, p1, p2, p3, p4, hr⟩ := hx
  have fs :
    ∀ r, r < frame.rows → ∀ j, j < x.count → f r j < 2 ^ x.size := fun r hr' j hj => ((hr r hr').1 j hj).1
  have gs :
    ∀ r, r < frame.rows → ∀ j, j < x.count → g r j < 2 ^ x.size := fun r hr' j hj => ((hr r hr').1 j hj).2
  have fw : ∀ r,
    r < frame.rows → ∀ j, j < x.count → f r j < 2 ^ frame.digit := fun r hr' j hj => ok.wide (fs r hr' j hj)
  have gw : ∀ r,
    r < frame.rows → ∀ j, j < x.count → g r j < 2 ^ frame.digit := fun r hr' j hj => ok.wide (gs r hr' j hj)
  have inK : ∀ j, j < facts.count → k + j < x.count :=
    fun j hj => Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := k)) hj) c5
  have inI : ∀ j, j < facts.count → i + j < x.count :=
    fun j hj => Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := i)) hj) c10
  have narrow : facts.count ≤ frame.width := Nat.le_trans (Nat.le_trans (Nat.le_add_left _ k) c5) ok.width
  have less : ∀ (a j : Nat), a * digit 1 chosen j ≤ a := fun a j => by
    have z := Nat.mul_le_mul (Nat.le.refl (n := a))
      (Nat.le_of_succ_le_succ (digit_lt 1 chosen j) : digit 1 chosen j ≤ 1)
    rw [Nat.mul_one] at z; exact z
  have masked : ∀ (u : Nat → Nat → Nat), (∀ r, r < frame.rows → ∀ j, j < x.count → u r j < 2 ^ x.size) →
      scaleColumns frame.digit frame.width facts.count frame.rows 1
            (grid frame.digit frame.width facts.count frame.rows fun r j => u r (k + j))
            (pack frame.digit facts.count (digit 1 chosen)) =
          grid frame.digit frame.width facts.count frame.rows fun r j =>
            u r (k + j) * digit 1 chosen j := fun u hu =>
    scaleColumns_eq narrow ok.digit one (fun r hr' j hj => ok.wide (hu r hr' _ (inK j hj))) bitDigit
  have t1 : ∀ (u v : Nat → Nat → Nat), (∀ r, r < frame.rows → ∀ j, j < x.count → u r j < 2 ^ x.size) →
    (∀ r, r < frame.rows → ∀ j, j < x.count → v r j < 2 ^ x.size) →
      Nat.sub (grid frame.digit frame.width facts.count frame.rows fun r j => u r (k + j) * digit 1 chosen j)
        (minus frame.digit frame.width facts.count frame.rows x.size
                (grid frame.digit frame.width facts.count frame.rows
                  fun r j => u r (k + j) * digit 1 chosen j)
                (grid frame.digit frame.width facts.count frame.rows fun r j => v r (i + j))) =
            grid frame.digit frame.width facts.count frame.rows (meet u v (digit 1 chosen) k i) :=
            fun u v hu hv => by
    have e := minus_eq (p := fun r j => u r (k + j) * digit 1 chosen j) (q := fun r j => v r (i + j)) narrow
      ok.size (fun r hr' j hj => Natural.lt_of_le_of_lt (less _ j) (hu r hr' _ (inK j hj)))
      (fun r hr' j hj => hv r hr' _ (inI j hj))
    rw [e]
    exact grid_sub fun r _ j _ => Natural.sub_le _ _
  rw [p1, p2, cutOut_eq ok.digit ok.width fw c10, cutOut_eq ok.digit ok.width gw c10,
      cutOut_eq ok.digit ok.width fw c5, cutOut_eq ok.digit ok.width gw c5, masked f fs, masked g gs,
      t1 f g fs gs, t1 g f gs fs] at h
  have m1 : ∀ r, r < frame.rows →
    ∀ j, j < facts.count → meet f g (digit 1 chosen) k i r j < 2 ^ x.size :=
      fun r hr' j hj =>
      Natural.lt_of_le_of_lt (Nat.le_trans (smaller_le _ _).1 (less _ j)) (fs r hr' _ (inK j hj))
  have m2 : ∀ r, r < frame.rows →
    ∀ j, j < facts.count → meet g f (digit 1 chosen) k i r j < 2 ^ x.size :=
      fun r hr' j hj =>
      Natural.lt_of_le_of_lt (Nat.le_trans (smaller_le _ _).1 (less _ j)) (gs r hr' _ (inK j hj))
  have double : 2 ^ (x.size + 1) = 2 ^ x.size + 2 ^ x.size := by rw [Natural.pow_succ, Natural.two_mul]
  have together : ∀ r, r < frame.rows →
      ∀ j, j < facts.count →
        meet f g (digit 1 chosen) k i r j + meet g f (digit 1 chosen) k i r j < 2 ^ (x.size + 1) :=
        fun r hr' j hj => by
    rw [double]
    have e := Nat.add_le_add (m1 r hr' j hj) (Natural.le_of_lt (m2 r hr' j hj))
    rw [Nat.succ_add] at e; exact e
  have sum : (grid frame.digit frame.width facts.count frame.rows (meet f g (digit 1 chosen) k i)).add
      (grid frame.digit frame.width facts.count frame.rows (meet g f (digit 1 chosen) k i)) =
    grid frame.digit frame.width facts.count frame.rows fun r j =>
      meet f g (digit 1 chosen) k i r j + meet g f (digit 1 chosen) k i r j := (grid_add _ _ _ _ _ _).symm
  have ow := fun j hj => Natural.lt_of_lt_of_le (o2 j hj).1 (Natural.two_pow_le c6)
  rw [sum] at h
  obtain ⟨t, drop, h⟩ := rounded_sound Nat.le.refl together ow h
  have first_scaled : scaleColumns frame.digit frame.width facts.count frame.rows (Nat.succ bits)
      (grid frame.digit frame.width facts.count frame.rows (meet f g (digit 1 chosen) k i))
      (pack frame.digit facts.count fun j => 2 ^ bits - digit (bits + 1) slopes j) = _ :=
    scaleColumns_eq narrow ok.digit slopeLe (fun r hr' j hj => ok.wide (m1 r hr' j hj)) restDigit
  have second_scaled : scaleColumns frame.digit frame.width facts.count frame.rows (Nat.succ bits)
      (grid frame.digit frame.width facts.count frame.rows (meet g f (digit 1 chosen) k i))
      (pack frame.digit facts.count (digit (bits + 1) slopes)) = _ :=
    scaleColumns_eq narrow ok.digit slopeLe (fun r hr' j hj => ok.wide (m2 r hr' j hj)) slopeDigit
  have place : ∀ (A : Nat → Nat → Nat) {p : Nat}, p + facts.count ≤ x.count →
      Nat.mul (Nat.pow 2 (Nat.mul frame.digit p)) (grid frame.digit frame.width facts.count frame.rows A) =
          grid frame.digit frame.width x.count frame.rows (padded p facts.count A) :=
    fun A p hp => (grid_padded_eq hp A).symm
  have both_places :
    ∀ (A B : Nat → Nat → Nat) {p q : Nat}, p + facts.count ≤ x.count → q + facts.count ≤ x.count →
      Nat.add
        (Nat.mul (Nat.pow 2 (Nat.mul frame.digit p)) (grid frame.digit frame.width facts.count frame.rows A))
        (Nat.mul (Nat.pow 2 (Nat.mul frame.digit q)) (grid frame.digit frame.width facts.count frame.rows B))
        =
      grid frame.digit frame.width x.count frame.rows fun r j =>
          padded p facts.count A r j + padded q facts.count B r j := fun A B p q hp hq => by
    rw [place A hp, place B hq]; exact (grid_add _ _ _ _ _ _).symm
  have less1 : ∀ r j, padded k facts.count (meet f g (digit 1 chosen) k i) r j +
        padded i facts.count (meet g f (digit 1 chosen) k i) r j ≤ f r j := fun r =>
    padded_both_le c4 (fun j _ => Nat.le_trans (smaller_le _ _).1 (less _ j)) (fun j _ => (smaller_le _ _).2)
  have less2 : ∀ r j, padded k facts.count (meet g f (digit 1 chosen) k i) r j +
        padded i facts.count (meet f g (digit 1 chosen) k i) r j ≤ g r j := fun r =>
    padded_both_le c4 (fun j _ => Nat.le_trans (smaller_le _ _).1 (less _ j)) (fun j _ => (smaller_le _ _).2)
  rw [first_scaled, second_scaled, both_places _ _ c5 c10, both_places _ _ c5 c10, both_places _ _ c5 c10,
      both_places _ _ c10 c5] at h
  have rest1 : Nat.sub (grid frame.digit frame.width x.count frame.rows f)
      (grid frame.digit frame.width x.count frame.rows fun r j => padded k facts.count
              (meet f g (digit 1 chosen) k i) r j +
            padded i facts.count (meet g f (digit 1 chosen) k i) r j) = _ := grid_sub fun r _ j _ => less1 r j
  have rest2 : Nat.sub (grid frame.digit frame.width x.count frame.rows g)
      (grid frame.digit frame.width x.count frame.rows fun r j => padded k facts.count
              (meet g f (digit 1 chosen) k i) r j +
            padded i facts.count (meet f g (digit 1 chosen) k i) r j) = _ := grid_sub fun r _ j _ => less2 r j
  rw [rest1, rest2] at h
  refine ⟨_, _, fun r => natural (2 ^ bits * x.scale) * goal r - natural x.weight *
    form x.count (fun j => padded k facts.count
          (fun r j => meet f g (digit 1 chosen) k i r j * (2 ^ bits - digit (bits + 1) slopes j)) r j +
        padded i facts.count (fun r j => meet g f (digit 1 chosen) k i r j * digit (bits + 1) slopes j) r j)
      (fun j => padded i facts.count
          (fun r j => meet f g (digit 1 chosen) k i r j * (2 ^ bits - digit (bits + 1) slopes j)) r j +
        padded k facts.count (fun r j => meet g f (digit 1 chosen) k i r j * digit (bits + 1) slopes j) r j)
      (values s slots first), ?_, ?_, h⟩
  · refine ⟨_, _, fun r => 2 ^ bits * c r, fun r => 2 ^ bits * d r +
        x.weight * (2 ^ t * tally facts.count fun j => (meet f g (digit 1 chosen) k i r j +
                    meet g f (digit 1 chosen) k i r j) * (offset j / 2 ^ t + 1)), rfl, rfl, ?_, ?_,
        fun r hr' => ?_⟩
    · show 2 ^ bits * x.gain = _
      rw [p3, side_mul]
    · show 2 ^ bits * x.loss + x.weight * side _ _ _ _ = _
      rw [p4, side_add, side_mul _ _ _ (2 ^ bits), side_mul _ _ _ x.weight]
    · obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
      refine ⟨fun j hj => ⟨Natural.lt_of_le_of_lt (Natural.sub_le _ _) (q1 j hj).1,
            Natural.lt_of_le_of_lt (Natural.sub_le _ _) (q1 j hj).2⟩, ?_, ?_, ?_⟩
      · exact Nat.le_trans (Nat.mul_le_mul Nat.le.refl q2) (Nat.le_add_right _ _)
      · exact Nat.add_le_add (Nat.mul_le_mul Nat.le.refl q3)
          (Nat.mul_le_mul Nat.le.refl (rounded_le drop (together r hr') ow))
      · have unit := natural_nonneg (K := K) s.unit
        have scaled :
            ∀ j, j < x.count → IsRelu (values s slots first j) (values s slots x.start j) := fun j hj => by
          unfold values
          cases relu j hj with
          | inl t =>
            obtain ⟨t0, t1⟩ := t
            rw [t1]
            exact Or.inl ⟨mul_nonneg unit t0, rfl⟩
          | inr t =>
            obtain ⟨t0, t1⟩ := t
            have z := mul_le_left unit t0
            rw [mul_zero] at z
            rw [t1, mul_zero]
            exact Or.inr ⟨z, rfl⟩
        have lines : ∀ j, j < facts.count →
            natural (2 ^ bits) * (values s slots x.start (k + j) - values s slots x.start (i + j)) ≤
                natural (digit (bits + 1) slopes j) *
                    (values s slots first (k + j) - values s slots first (i + j)) + natural (offset j) ∧
              natural (2 ^ bits - digit (bits + 1) slopes j) *
                    (values s slots first (k + j) - values s slots first (i + j)) ≤
                  natural (2 ^ bits) * (values s slots x.start (k + j) - values s slots x.start (i + j)) +
                    (natural (offset j) : K) := fun j hj => by
          obtain ⟨_, _, v3, v4⟩ := hd j hj
          have same : values s slots first (k + j) - values s slots first (i + j) =
              natural s.unit * gap slots facts.left facts.right j := by
            unfold values gap
            rw [← left, ← right]
            show natural s.unit * slots (first + (k + j)) - natural s.unit * slots (first + (i + j)) =
              natural s.unit * (slots (first + k + j) - slots (first + i + j))
            rw [Nat.add_assoc first, Nat.add_assoc first]
            exact (ring3 K u a b, u * a - u * b, u * (a - b)) _ _ _
          rw [← same] at v3 v4
          exact relu_difference (scaled _ (inI j hj)) (scaled _ (inK j hj)) v3 v4 (slopeMost j hj)
            (o2 j hj).2.1 (o2 j hj).2.2
        have b := pairs_le (A := meet f g (digit 1 chosen) k i r) (B := meet g f (digit 1 chosen) k i r) lines
        have more := natural_le (K := K)
          (rounded_above facts.count t
            (fun j => meet f g (digit 1 chosen) k i r j + meet g f (digit 1 chosen) k i r j) offset)
        rw [← form_pairs
            (A := fun r j => meet f g (digit 1 chosen) k i r j * (2 ^ bits - digit (bits + 1) slopes j))
            (B := fun r j => meet g f (digit 1 chosen) k i r j * digit (bits + 1) slopes j) c5 c10 r
            (values s slots first), ← form_pairs c5 c10] at b
        have whole : form x.count (f r) (g r) (values s slots x.start) =
            form x.count (fun j => f r j - (padded k facts.count (meet f g (digit 1 chosen) k i) r j +
                        padded i facts.count (meet g f (digit 1 chosen) k i) r j))
                  (fun j => g r j - (padded k facts.count (meet g f (digit 1 chosen) k i) r j +
                        padded i facts.count (meet f g (digit 1 chosen) k i) r j)) (values s slots x.start) +
                form x.count (fun j => padded k facts.count (meet f g (digit 1 chosen) k i) r j +
                    padded i facts.count (meet g f (digit 1 chosen) k i) r j)
                  (fun j => padded i facts.count (meet f g (digit 1 chosen) k i) r j +
                    padded k facts.count (meet g f (digit 1 chosen) k i) r j) (values s slots x.start) := by
          unfold form
          rw [← sum_add]
          refine Columns.sum_congr fun j _ => ?_
          rw [Linear.natural_sub (less1 r j), Linear.natural_sub (less2 r j), natural_add, natural_add,
              natural_add]
          exact
            (ring8 K f g a b p q v o, (f - g) * v, (f - (a + b) - (g - (p + q))) * v + (a + b - (q + p)) * v)
            _ _ _ _ _ _ _ 0
        rw [whole] at q4
        have b := mul_le_left (natural_nonneg (K := K) x.weight) (le_trans b (add_le_add (le_refl _) more))
        have q4 := mul_le_left (natural_nonneg (K := K) (2 ^ bits)) q4
        show natural (x.weight * 2 ^ bits) * form x.count
                (fun j => f r j - (padded k facts.count (meet f g (digit 1 chosen) k i) r j +
                      padded i facts.count (meet g f (digit 1 chosen) k i) r j))
                (fun j => g r j - (padded k facts.count (meet g f (digit 1 chosen) k i) r j +
                      padded i facts.count (meet f g (digit 1 chosen) k i) r j)) (values s slots x.start) +
            natural (2 ^ bits * c r) ≤
          natural 1 * (natural (2 ^ bits * x.scale) * goal r - natural x.weight * _) +
            natural (2 ^ bits * d r + x.weight * _)
        rw [natural_add, natural_mul (2 ^ bits) (c r), natural_mul (2 ^ bits) x.scale,
            natural_mul (2 ^ bits) (d r), natural_mul x.weight (2 ^ bits), natural_mul x.weight]
        rw [mul_assoc (natural (2 ^ bits)) (natural x.scale)]
        generalize form x.count
            (fun j => f r j - (padded k facts.count (meet f g (digit 1 chosen) k i) r j +
                  padded i facts.count (meet g f (digit 1 chosen) k i) r j))
            (fun j => g r j - (padded k facts.count (meet g f (digit 1 chosen) k i) r j +
                  padded i facts.count (meet f g (digit 1 chosen) k i) r j)) (values s slots x.start) = F at *
        generalize form x.count
            (fun j => padded k facts.count (meet f g (digit 1 chosen) k i) r j +
              padded i facts.count (meet g f (digit 1 chosen) k i) r j)
            (fun j => padded i facts.count (meet f g (digit 1 chosen) k i) r j +
              padded k facts.count (meet g f (digit 1 chosen) k i) r j) (values s slots x.start) = P at *
        generalize (natural x.scale : K) * goal r = z at *
        generalize (natural x.weight : K) = w at *
        generalize (natural (2 ^ bits) : K) = e at *
        rw [mul_add] at b
        rw [mul_add, mul_add e z, (ring4 K e w F P, e * (w * (F + P)), w * e * F + w * (e * P)) e w F P] at q4
        refine le_cert ?_ (add_nonneg (sub_nonneg b) (sub_nonneg q4))
        exact (ring8 K a p o v z d c q, 1 * (z - v) + (d + o) - (a + c), p + o - v + (z + d - (a + p + c))) _
          _ _ _ _ _ _ 0
  · refine ⟨_, _, rfl, rfl, fun r hr' => ⟨fun j _ => ?_, rfl⟩⟩
    have grown : ∀ {a v : Nat},
        a < 2 ^ x.size → v < 2 ^ (bits + 1) → a * v < 2 ^ (x.size + (bits + 1)) := fun ha hv => by
      rw [Natural.pow_add]
      exact Natural.lt_of_le_of_lt (Nat.mul_le_mul Nat.le.refl (Natural.le_of_lt hv))
        (by
            rw [Nat.mul_comm, Nat.mul_comm (2 ^ x.size)]
            exact Natural.mul_lt_mul_left (Natural.two_pow_pos _) ha)
    have two : 2 ^ (x.size + (bits + 1) + 1) = 2 ^ (x.size + (bits + 1)) + 2 ^ (x.size + (bits + 1)) := by
      rw [Natural.pow_succ, Natural.two_mul]
    have one : ∀ {a b : Nat}, a < 2 ^ (x.size + (bits + 1)) →
        b < 2 ^ (x.size + (bits + 1)) → a + b < 2 ^ (x.size + (bits + 1) + 1) := fun ha hb => by
      rw [two]
      have e := Nat.add_le_add ha (Natural.le_of_lt hb)
      rw [Nat.succ_add] at e; exact e
    have u1 : ∀ p q, padded p facts.count
          (fun r j => meet f g (digit 1 chosen) k i r j * (2 ^ bits - digit (bits + 1) slopes j)) r q <
        2 ^ (x.size + (bits + 1)) := fun p q =>
      padded_lt (n := q) (fun j hj => (grown (m1 r hr' j hj) (restDigit j hj) :
            meet f g (digit 1 chosen) k i r j * (2 ^ bits - digit (bits + 1) slopes j) < _)) q
    have u2 : ∀ p q, padded p facts.count
          (fun r j => meet g f (digit 1 chosen) k i r j * digit (bits + 1) slopes j) r q <
        2 ^ (x.size + (bits + 1)) := fun p q =>
      padded_lt (n := q) (fun j hj => (grown (m2 r hr' j hj) (slopeDigit j hj) :
            meet g f (digit 1 chosen) k i r j * digit (bits + 1) slopes j < _)) q
    exact ⟨one (u1 k j) (u2 i j), one (u1 i j) (u2 k j)⟩
end Relaxation
end PytestTorchLean
