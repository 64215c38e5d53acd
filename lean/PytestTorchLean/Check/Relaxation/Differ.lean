prelude
import PytestTorchLean.Check.Relaxation.Tighten
/-!
# Bounds of differences from what a relaxation proves

The goals of its rows are differences of slots, or their opposites: the slots of one copy of a network less
those of another. What is proved of them serves later rows, see Pair.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### Goals of two places -/

/-- The goals' words, for places that lie `k` further on. -/
def moved (rows k goals : Nat) : Nat := Nat.add goals (Nat.mul (Nat.mul 2 k) (ones 32 rows))
theorem moved_word {rows k goals n : Nat} (hg : goals < 2 ^ (32 * rows))
    (hw : ∀ r, r < rows → word goals r < 2 * n) (h : 2 * n + 2 * k ≤ 2 ^ 32) :
    ∀ r, r < rows → word (moved rows k goals) r = word goals r + 2 * k := fun r hr => by
  have e := pack_digits (b := 32) rows goals hg
  have c : Nat.mul (Nat.mul 2 k) (ones 32 rows) = pack 32 rows fun _ => 2 * k := mul_ones (by decide) rows _
  have s : moved rows k goals = pack 32 rows fun i => word goals i + 2 * k := by
    show Nat.add goals (Nat.mul (Nat.mul 2 k) (ones 32 rows)) = _
    rw [c]
    exact (congrArg (fun y => Nat.add y (pack 32 rows fun _ => 2 * k)) e).trans
      (pack_add 32 rows (word goals) fun _ => 2 * k).symm
  rw [s]
  refine digit_pack (b := 32) (f := fun i => word goals i + 2 * k) (fun i hi => ?_) hr
  have l : word goals i < 2 * n := hw i hi
  have z := Nat.add_le_add l (Nat.le.refl (n := 2 * k))
  rw [Nat.succ_add] at z
  exact Nat.le_trans z h

theorem moved_parts (w k : Nat) : Nat.land (w + 2 * k) 1 = Nat.land w 1 ∧ (w + 2 * k) / 2 = k + w / 2 := by
  have two : 0 < 2 := Nat.succ_le_succ (Nat.zero_le 1)
  have e : w + 2 * k = w % 2 + 2 * (w / 2 + k) := by
    rw [Nat.mul_add, ← Nat.add_assoc, Natural.mod_add_div two]
  have lt := Natural.mod_lt two w
  have l1 : Nat.land (w + 2 * k) 1 = (w + 2 * k) % 2 := land_low _ 1
  have l2 : Nat.land w 1 = w % 2 := land_low _ 1
  rw [l1, l2, e, Natural.add_mul_mod _ lt, Natural.add_mul_div _ lt, Nat.add_comm (w / 2)]
  exact ⟨rfl, rfl⟩

theorem flag_cases (w : Nat) :
    (Nat.land w 1 = 0 ∧ flag 0 w = 1 ∧ flag 1 w = 0) ∨ (Nat.land w 1 = 1 ∧ flag 0 w = 0 ∧ flag 1 w = 1) := by
  cases parity w with
  | inl e => refine Or.inl ⟨e, ?_, ?_⟩ <;> (unfold flag; rw [e]; rfl)
  | inr e => refine Or.inr ⟨e, ?_, ?_⟩ <;> (unfold flag; rw [e]; rfl)
theorem flag_le (sign w : Nat) : flag sign w ≤ 1 := by
  unfold flag
  cases Nat.beq (Nat.land w 1) sign with
  | true => exact Nat.le.refl
  | false => exact Nat.zero_le 1

/-- The difference that a goal speaks of, or its opposite. -/
def differenceOf (v : Nat → K) (i k goals r : Nat) : K :=
  match Nat.land (word goals r) 1 with
  | 0 => v (k + word goals r / 2) - v (i + word goals r / 2)
  | _ + 1 => -(v (k + word goals r / 2) - v (i + word goals r / 2))

/-- The batch of the goals themselves: of `n` places from `k` on less those from `i` on. -/
def beginPairs (frame : Frame) (start count i k n goals : Nat) (next : Batch → Bool) : Bool :=
  both (both (both (Nat.ble (Nat.add i n) count) (Nat.ble (Nat.add k n) count))
      (both (Nat.ble (Nat.mul 2 count) (Nat.pow 2 32))
        (both (Nat.ble (Nat.succ goals) (Nat.pow 2 (Nat.mul 32 frame.rows)))
          (wordsBelow (Nat.mul 2 n) frame.rows goals))))
    (force (fun rights => force (fun lefts => force (fun positive => force
            (fun negative => next ⟨1, 1, 0, start, count, 2, positive, negative, 0, 0⟩)
            (Nat.add (goalRows frame.digit frame.width 1 frame.rows rights)
              (goalRows frame.digit frame.width 0 frame.rows lefts)))
          (Nat.add (goalRows frame.digit frame.width 0 frame.rows rights)
            (goalRows frame.digit frame.width 1 frame.rows lefts))) (moved frame.rows i goals))
      (moved frame.rows k goals))

theorem beginPairs_sound {frame : Frame} {v : Nat → K} {start count i k n goals : Nat} {next : Batch → Bool}
    (h : beginPairs frame start count i k n goals next = true) :
    ∃ x : Batch, x.start = start ∧
      x.count = count ∧
      x.HoldsOver frame v (differenceOf v i k goals) ∧
      next x = true ∧
      i + n ≤ count ∧
      k + n ≤ count ∧
      ∀ r, r < frame.rows → word goals r / 2 < n := by
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨h1, h2⟩ := both_true hc
  obtain ⟨c1, c2⟩ := both_true h1
  obtain ⟨c3, h2⟩ := both_true h2
  obtain ⟨c4, c5⟩ := both_true h2
  have c1 : i + n ≤ count := Nat.le_of_ble_eq_true c1
  have c2 : k + n ≤ count := Nat.le_of_ble_eq_true c2
  have c3 : 2 * count ≤ 2 ^ 32 := Nat.le_of_ble_eq_true c3
  have c4 : goals < 2 ^ (32 * frame.rows) := Nat.le_of_ble_eq_true c4
  have below := wordsBelow_sound (2 * n) frame.rows goals c5
  have inside : ∀ r, r < frame.rows → word goals r / 2 < n :=
    fun r hr => Natural.div_lt (Nat.succ_le_succ (Nat.zero_le 1)) (below r hr)
  have room : ∀ {p : Nat}, p + n ≤ count → 2 * n + 2 * p ≤ 2 ^ 32 := fun {p} hp => by
    refine Nat.le_trans ?_ c3
    rw [← Nat.mul_add, Nat.add_comm n]
    exact Nat.mul_le_mul Nat.le.refl hp
  have words : ∀ {p : Nat}, p + n ≤ count →
    ∀ r, r < frame.rows → word (moved frame.rows p goals) r = word goals r + 2 * p :=
      fun hp => moved_word c4 below (room hp)
  have small : ∀ {p : Nat}, p + n ≤ count →
      ∀ r, r < frame.rows → word (moved frame.rows p goals) r < 2 * count := fun {p} hp r hr => by
    rw [words hp r hr]
    have z := Nat.add_le_add (below r hr) (Nat.le.refl (n := 2 * p))
    rw [Nat.succ_add, ← Nat.mul_add, Nat.add_comm n] at z
    exact Nat.le_trans z (Nat.mul_le_mul Nat.le.refl hp)
  have place :
      ∀ {p : Nat}, p + n ≤ count → ∀ r, r < frame.rows → p + word goals r / 2 < count := fun {p} hp r hr =>
    Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := p)) (inside r hr)) hp
  simp only [force_eq] at h
  rw [goalRows_eq frame.rows _ (small c2), goalRows_eq frame.rows _ (small c2),
      goalRows_eq frame.rows _ (small c1), goalRows_eq frame.rows _ (small c1)] at h
  refine ⟨_, ?_, ?_, ?_, h, c1, c2, inside⟩
  · rfl
  · rfl
  · refine ⟨_, _, fun _ => 0, fun _ => 0, (grid_add _ _ _ _ _ _).symm, (grid_add _ _ _ _ _ _).symm,
        (side_zero _ _ _).symm, (side_zero _ _ _).symm, fun r hr => ?_⟩
    have one : ∀ sign w j, flag sign w * indicator (w / 2) j ≤ 1 := fun sign w j => by
      have b : indicator (w / 2) j ≤ 1 := Multiplier.indicator_le _ _
      exact Nat.mul_le_mul (flag_le sign w) b
    have two : ∀ s1 w1 s2 w2 j,
        flag s1 w1 * indicator (w1 / 2) j + flag s2 w2 * indicator (w2 / 2) j < 2 ^ 2 := fun s1 w1 s2 w2 j =>
      Natural.lt_of_le_of_lt (Nat.add_le_add (one s1 w1 j) (one s2 w2 j)) (by decide)
    refine ⟨fun j _ => ⟨two _ _ _ _ j, two _ _ _ _ j⟩, Nat.le.refl, Nat.le.refl, ?_⟩
    obtain ⟨k1, k2⟩ := moved_parts (word goals r) k
    obtain ⟨i1, i2⟩ := moved_parts (word goals r) i
    have a := place c2 r hr
    have b := place c1 r hr
    show natural 1 * form count
            (fun j => flag 0 (word (moved frame.rows k goals) r) *
                indicator (word (moved frame.rows k goals) r / 2) j +
              flag 1 (word (moved frame.rows i goals) r) *
                indicator (word (moved frame.rows i goals) r / 2) j)
            (fun j => flag 1 (word (moved frame.rows k goals) r) *
                indicator (word (moved frame.rows k goals) r / 2) j +
              flag 0 (word (moved frame.rows i goals) r) *
                indicator (word (moved frame.rows i goals) r / 2) j) v + natural 0 ≤
      natural 1 * differenceOf v i k goals r + natural 0
    rw [words c2 r hr, words c1 r hr, k2, i2, form_add, form_indicator _ _ count _ v a,
        form_indicator _ _ count _ v b]
    unfold differenceOf
    have far := flag_cases (word goals r + 2 * k)
    have near := flag_cases (word goals r + 2 * i)
    rw [k1] at far
    rw [i1] at near
    cases far with
    | inl f =>
      obtain ⟨f0, f1, f2⟩ := f
      cases near with
      | inl g =>
        obtain ⟨_, g1, g2⟩ := g
        rw [f1, f2, g1, g2, f0]
        exact le_of_eq ((ring2 K x y, 1 * ((1 - 0) * x + (0 - 1) * y) + 0, 1 * (x - y) + 0) _ _)
      | inr g => obtain ⟨g0, _, _⟩ := g; rw [f0] at g0; exact absurd g0 (by decide)
    | inr f =>
      obtain ⟨f0, f1, f2⟩ := f
      cases near with
      | inl g => obtain ⟨g0, _, _⟩ := g; rw [f0] at g0; exact absurd g0 (by decide)
      | inr g =>
        obtain ⟨_, g1, g2⟩ := g
        rw [f1, f2, g1, g2, f0]
        exact le_of_eq ((ring2 K x y, 1 * ((0 - 1) * x + (1 - 0) * y) + 0, 1 * -(x - y) + 0) _ _)

/-! ### The step -/

/-- Bounds of the `n` differences of the places from `k` on and those from `i` on, of the run of slots that
    was written last. -/
def differ [Prepared] [Rules] (s : Scale) (x : Relaxation) (i k n : Nat) (passed : List Passed)
    (facts : List Differences) (direct mirrored memory : Nat) (next : Differences → Bool) : Bool :=
  both (both (both (Nat.ble 1 s.half) (widerFits s)) (Nat.beq (Nat.add x.start x.count) memory))
    (beginPairs ⟨x.digit, x.width, x.rows⟩ x.start x.count i k n x.goals fun batch =>
      walk s ⟨x.digit, x.width, x.rows⟩ facts direct mirrored memory (fun scale limit gain loss =>
          both (both (Nat.ble 1 scale) (Nat.ble (Nat.succ limit) (Nat.pow 2 (Nat.mul x.digit x.width))))
            (force (fun size => force (fun shift => force (fun left => force (fun right =>
                gather (wider s) size scale shift x.rows 0 x.goals gain loss 0 0
                  fun low high => next ⟨left, right, n, low, high⟩)
              (Nat.add x.start k)) (Nat.add x.start i)) (Nat.mul scale s.top)) (Nat.mul x.digit x.width)))
        x.links passed [] batch)

/-- Rows bound the differences of slots: those of one copy of a network less those of another. -/
theorem differ_sound [Prepared] [rules : Rules] [Rules.Sound K rules] {s : Scale} {slots : Nat → K}
    {x : Relaxation} {i k n : Nat} {passed : List Passed} {facts : List Differences}
    {direct mirrored memory : Nat} {next : Differences → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hp : Passed.AllHold s slots passed memory)
    (hf : Every (Differences.Holds s slots) facts)
    (h : differ s x i k n passed facts direct mirrored memory next = true) :
    ∃ d : Differences, d.Holds s slots ∧ next d = true := by
  obtain ⟨h1, h⟩ := both_true h
  obtain ⟨h1, h2⟩ := both_true h1
  obtain ⟨half, fits⟩ := both_true h1
  have half : 0 < s.half := Nat.le_of_ble_eq_true half
  have fits : s.top + s.top < 2 ^ s.half := Nat.le_of_ble_eq_true fits
  have h2 : x.start + x.count = memory := Nat.eq_of_beq_eq_true h2
  subst h2
  obtain ⟨batch, b1, _, b3, h, inI, inK, inside⟩ := beginPairs_sound (v := values s slots x.start) h
  rw [← b1] at b3
  obtain ⟨scale, limit, gain, loss, ⟨c, d, e1, e2, hr⟩, h⟩ :=
    walk_sound sf hm hf x.links passed _ hp [] _ rfl batch b3 h
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨c1, c2⟩ := both_true hc
  have c1 : 0 < scale := Nat.le_of_ble_eq_true c1
  have c2 : limit < 2 ^ (x.digit * x.width) := Nat.le_of_ble_eq_true c2
  simp only [force_eq] at h
  rw [e1, e2] at h
  obtain ⟨l, m, _, _, hv⟩ := lows_hold half sf Nat.le.refl hm
  have top : (natural s.top : K) = natural s.center + natural s.center := natural_add _ _
  have value : ∀ j, values (wider s) (gap slots (x.start + i) (x.start + k)) 0 j =
      values s slots x.start (k + j) - values s slots x.start (i + j) := fun j => by
    unfold values gap
    show natural s.unit * (slots (x.start + k + (0 + j)) - slots (x.start + i + (0 + j))) = _
    rw [Nat.zero_add, Nat.add_assoc, Nat.add_assoc]
    exact (ring3 K u a b, u * (a - b), u * a - u * b) _ _ _
  have between : ∀ j, j < n → 0 ≤ (wider s).image (gap slots (x.start + i) (x.start + k) (0 + j)) ∧
      0 ≤ (natural (wider s).center +
              -(natural (wider s).unit * gap slots (x.start + i) (x.start + k) (0 + j)) : K) := fun j hj => by
    obtain ⟨_, _, u3, u4⟩ := hv (k + j) (Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := k)) hj) inK)
    obtain ⟨_, _, w3, w4⟩ := hv (i + j) (Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := i)) hj) inI)
    have e : natural s.unit * gap slots (x.start + i) (x.start + k) (0 + j) =
      natural s.unit * slots (x.start + (k + j)) - natural s.unit * slots (x.start + (i + j)) := value j
    have p1 := natural_nonneg (K := K) (l (k + j))
    have p2 := natural_nonneg (K := K) (m (k + j))
    have p3 := natural_nonneg (K := K) (l (i + j))
    have p4 := natural_nonneg (K := K) (m (i + j))
    constructor
    · show 0 ≤ natural s.unit * gap slots (x.start + i) (x.start + k) (0 + j) + natural s.top
      rw [e, top]
      refine le_cert ?_ (add_nonneg (add_nonneg p1 (sub_nonneg u3)) (add_nonneg p4 (sub_nonneg w4)))
      exact (ring5 K a b c l m, a - b + (c + c) - 0, l + (a + c - l) + (m + (c - (b + m)))) _ _ _ _ _
    · show 0 ≤ (natural s.top + -(natural s.unit * gap slots (x.start + i) (x.start + k) (0 + j)) : K)
      rw [e, top]
      refine le_cert ?_ (add_nonneg (add_nonneg p2 (sub_nonneg u4)) (add_nonneg p3 (sub_nonneg w3)))
      exact (ring5 K a b c l m, c + c + -(a - b) - 0, m + (c - (a + m)) + (l + (b + c - l))) _ _ _ _ _
  have zero : 0 = pack (wider s).stride n fun _ => 0 := (pack_zero _ _).symm
  have h : gather (wider s) (x.digit * x.width) scale (scale * (wider s).center) x.rows 0 x.goals
        (pack (x.digit * x.width) x.rows c) (pack (x.digit * x.width) x.rows d)
        (pack (wider s).stride n fun _ => 0) (pack (wider s).stride n fun _ => 0)
        (fun low high => next ⟨x.start + i, x.start + k, n, low, high⟩) = true := by rw [← zero]; exact h
  obtain ⟨least, L, H, hg, h⟩ := gather_sound (slots := gap slots (x.start + i) (x.start + k)) (start := 0) c1
    between x.rows 0 x.goals c d (fun _ => 0) (fun _ => 0) _ (fun r hr' => by
      obtain ⟨q1, q2, q3⟩ := hr r hr'
      have same : (goalOf (values (wider s) (gap slots (x.start + i) (x.start + k)) 0) x.goals r : K) =
          differenceOf (values s slots batch.start) i k x.goals r := by
        unfold goalOf differenceOf
        rw [value, b1]
        cases parity (word x.goals r) with
        | inl e => rw [e]
        | inr e => rw [e]
      exact
        ⟨Natural.lt_of_le_of_lt q1 c2, Natural.lt_of_le_of_lt q2 c2, inside r hr', by rw [same]; exact q3⟩)
    (fun j hj => ⟨(between j hj).1, (between j hj).2, fun _ => rfl, fun _ => rfl⟩) h
  refine ⟨_, ⟨L, H, rfl, rfl, fun j hj => ?_⟩, h⟩
  obtain ⟨g1, g2, _, _⟩ := hg j hj
  obtain ⟨b1, b2⟩ := between j hj
  have g1 :
    natural (L j) ≤ natural s.unit * gap slots (x.start + i) (x.start + k) (0 + j) + (natural s.top : K) := g1
  have g2 :
    natural (H j) ≤ natural s.top + -(natural s.unit * gap slots (x.start + i) (x.start + k) (0 + j)) := g2
  have b1 : 0 ≤ natural s.unit * gap slots (x.start + i) (x.start + k) (0 + j) + (natural s.top : K) := b1
  have b2 : 0 ≤ natural s.top + -(natural s.unit * gap slots (x.start + i) (x.start + k) (0 + j)) := b2
  rw [Nat.zero_add] at g1 g2 b1 b2
  have most : (natural (s.top + s.top) : K) = natural s.top + natural s.top := natural_add _ _
  refine ⟨Natural.lt_of_le_of_lt (Rows.natural_le_reflect (K := K) ?_) fits,
      Natural.lt_of_le_of_lt (Rows.natural_le_reflect (K := K) ?_) fits, g1, ?_⟩
  · rw [most]
    refine le_cert ?_ (add_nonneg (sub_nonneg g1) b2)
    exact (ring3 K g t l, t + t - l, g + t - l + (t + -g)) _ _ _
  · rw [most]
    refine le_cert ?_ (add_nonneg (sub_nonneg g2) b1)
    exact (ring3 K g t l, t + t - l, t + -g - l + (g + t)) _ _ _
  · refine le_cert ?_ (sub_nonneg g2)
    exact (ring3 K g t l, t - (g + l), t + -g - l) _ _ _

end Relaxation
end PytestTorchLean
