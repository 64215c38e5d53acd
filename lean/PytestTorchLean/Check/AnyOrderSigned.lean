prelude
import PytestTorchLean.Check.AnyOrder
/-!
# How far a sum in binary32 can be from the exact sum, by its positive and its negative products

What is rounded after an addition is a sum of some of the products, and no such sum is larger than that of
all positive products, or of all negative ones. Where neither is much larger than the other this is half as
much as the bound of Check/AnyOrder: `n - 1` roundings of the larger of the two, and one of each product.
-/
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-! ### Sums that are smaller than the absolute values -/

/-- `m` times the sum of the positive terms is at most `p`, of the negative ones at least `-n`. -/
def Leans (m : K) : List K → K → K → Prop
  | [], p, n => 0 ≤ p ∧ 0 ≤ n
  | t :: ts, p, n =>
    ∃ x y p' n', (0 ≤ x ∧ m * t ≤ x) ∧ (0 ≤ y ∧ -(m * t) ≤ y) ∧ Leans m ts p' n' ∧ x + p' ≤ p ∧ y + n' ≤ n

theorem Leans.nonneg {m : K} : {s : List K} → {p n : K} → Leans m s p n → 0 ≤ p ∧ 0 ≤ n
  | [], _, _, h => h
  | _ :: _, _, _, ⟨_, _, _, _, hx, hy, hs, hp, hn⟩ =>
    ⟨le_trans (add_nonneg hx.1 hs.nonneg.1) hp, le_trans (add_nonneg hy.1 hs.nonneg.2) hn⟩
theorem Leans.mono {m : K} :
    {s : List K} → {p n p' n' : K} → Leans m s p n → p ≤ p' → n ≤ n' → Leans m s p' n'
  | [], _, _, _, _, h, g, k => ⟨le_trans h.1 g, le_trans h.2 k⟩
  | _ :: _, _, _, _, _, ⟨x, y, p, n, hx, hy, hs, hp, hn⟩, g, k =>
    ⟨x, y, p, n, hx, hy, hs, le_trans hp g, le_trans hn k⟩
theorem Leans.total {m : K} :
    {s : List K} → {p n : K} → Leans m s p n →
    m * PytestTorchLean.total s ≤ p ∧ -(m * PytestTorchLean.total s) ≤ n
  | [], p, n, h => by
    show m * 0 ≤ p ∧ -(m * 0) ≤ n
    rw [mul_zero, neg_zero]; exact h
  | t :: ts, p, n, ⟨x, y, p', n', hx, hy, hs, hp, hn⟩ => by
    show m * (t + PytestTorchLean.total ts) ≤ p ∧ -(m * (t + PytestTorchLean.total ts)) ≤ n
    rw [mul_add, neg_add]
    exact ⟨le_trans (add_le_add hx.2 hs.total.1) hp, le_trans (add_le_add hy.2 hs.total.2) hn⟩
theorem Leans.weighs {m : K} : {s : List K} → {p n : K} → Leans m s p n → Weighs m s (p + n)
  | [], _, _, h => add_nonneg h.1 h.2
  | t :: ts, p, n, ⟨x, y, p', n', hx, hy, hs, hp, hn⟩ => by
    refine ⟨x + y, p' + n', ⟨?_, ?_⟩, hs.weighs, ?_⟩
    · have z := add_le_add hx.2 hy.1
      rw [add_zer] at z; exact z
    · have z := add_le_add hx.1 hy.2
      rw [zero_add] at z; exact z
    · rw [(ring4 K x y p n, x + y + (p + n), x + p + (y + n)) x y p' n']
      exact add_le_add hp hn
theorem Leans.joined {m : K} :
    {s t : List K} → {p n : K} → Leans m (joined s t) p n → Leans m s p n ∧ Leans m t p n
  | [], _, _, _, h => ⟨h.nonneg, h⟩
  | _ :: s, t, p, n, ⟨x, y, p', n', hx, hy, hs, hp, hn⟩ => by
    obtain ⟨h1, h2⟩ := Leans.joined (s := s) hs
    have up : ∀ {a b c : K}, 0 ≤ a → a + b ≤ c → b ≤ c := fun {a b c} ha h => by
      have z := add_le_add ha (le_refl b)
      rw [zero_add] at z; exact le_trans z h
    exact ⟨⟨x, y, p', n', hx, hy, h1, hp, hn⟩, h2.mono (up hx.1 hp) (up hy.1 hn)⟩
theorem Leans.join {m : K} :
    {s t : List K} → {p n p' n' : K} → Leans m s p n →
    Leans m t p' n' → Leans m (PytestTorchLean.joined s t) (p + p') (n + n')
  | [], _, _, _, c, d, h, g => by
    have a := add_le_add h.1 (le_refl c)
    have b := add_le_add h.2 (le_refl d)
    rw [zero_add] at a b
    exact g.mono a b
  | _ :: _, _, _, _, c, d, ⟨x, y, p, n, hx, hy, hs, hp, hn⟩, g => by
    refine ⟨x, y, p + c, n + d, hx, hy, hs.join g, ?_, ?_⟩
    · rw [← add_assoc]; exact add_le_add hp (le_refl c)
    · rw [← add_assoc]; exact add_le_add hn (le_refl d)
theorem Leans.reorder {m : K} {s t : List K} (r : Reordered s t) :
    {p n : K} → Leans m s p n → Leans m t p n := by
  induction r with
  | nil => intro p n h; exact h
  | cons x _ ih => intro p n ⟨x, y, p', n', hx, hy, hs, hp, hn⟩; exact ⟨x, y, p', n', hx, hy, ih hs, hp, hn⟩
  | swap x y s =>
    intro p n ⟨a, b, p', n', ha, hb, ⟨c, d, p2, n2, hc, hd, hs, hp2, hn2⟩, hp, hn⟩
    refine ⟨c, d, a + p2, b + n2, hc, hd, ⟨a, b, p2, n2, ha, hb, hs, le_refl _, le_refl _⟩, ?_, ?_⟩
    · rw [add_left_comm]; exact le_trans (add_le_add (le_refl a) hp2) hp
    · rw [add_left_comm]; exact le_trans (add_le_add (le_refl b) hn2) hn
  | trans _ _ ih1 ih2 => intro p n h; exact ih2 (ih1 h)

/-- What the roundings of a sum of `k + 1` products apply to: each product once, and sums of at most
    `larger`. -/
def amount (w larger : K) : Stage → Nat → K
  | .exact, 0 => 0
  | .exact, k + 1 => w + natural k * larger
  | .rounded, k => w + natural k * larger
theorem amount_le {w larger : K} (hw : 0 ≤ w) (hl : 0 ≤ larger) (p : Stage) (k : Nat) :
    amount w larger p k ≤ w + natural k * larger := by
  cases p with
  | rounded => exact le_refl _
  | exact =>
    cases k with
    | zero => exact add_nonneg hw (mul_nonneg (natural_nonneg _) hl)
    | succ k => exact add_le_add (le_refl w) (mul_le_right hl (natural_le (Nat.le_add_right k 1)))
/-- Each rounding enlarges the errors before it: `2^48` times what a rounding adds, at most. -/
def roundingShare (k : Nat) : Nat := 2 ^ 24 + 2 * k
theorem roundingShare_mono {j k : Nat} (h : j ≤ k) : roundingShare j ≤ roundingShare k :=
  Nat.add_le_add Nat.le.refl (Nat.mul_le_mul Nat.le.refl h)

/-- One more rounding, of a number that is at most `size`. -/
theorem roundingShare_step {q f f' d m x y size l c e : K}
    (hx : 0 ≤ x)
    (hs : 0 ≤ size)
    (hm : 0 ≤ m)
    (hd : 0 ≤ d)
    (hq : 0 ≤ q)
    (grow : q * f + f ≤ q * f')
    (large : d ≤ q * f')
    (more : x + size ≤ y)
    (hf : 0 ≤ f')
    (lose : l + c ≤ q)
    (before : AtMost e (f * x + d * l * m))
    {r : K}
    (round : AtMost r (d * size + (f * x + d * l * m) + d * m * c)) :
    AtMost (q * e + r) (q * (f' * y + d * (l + 1) * m)) := by
  refine ((before.mul_left hq).add round).weaken ?_
  have n := add_nonneg (add_nonneg (mul_nonneg hx (sub_nonneg grow)) (mul_nonneg hs (sub_nonneg large)))
    (add_nonneg (mul_nonneg (mul_nonneg hq hf) (sub_nonneg more))
        (mul_nonneg (mul_nonneg hd hm) (sub_nonneg lose)))
  refine le_cert ?_ n
  have e1 : d * l * m = d * m * l := by rw [mul_assoc, mul_comm l, ← mul_assoc]
  have e2 : d * (l + 1) * m = d * m * l + d * m := by
    rw [mul_assoc, mul_comm (l + 1), ← mul_assoc]
    exact (ring2 K p l, p * (l + 1), p * l + p) (d * m) l
  rw [e1, e2]
  generalize d * m = p
  have first : q * (f' * y + (p * l + p)) = q * f' * y + q * (p * l + p) := by rw [mul_add q, mul_assoc q]
  have second : q * (f * x + p * l) + (d * size + (f * x + p * l) + p * c) =
      (q * f + f) * x + d * size + (q * (p * l) + (p * l + p * c)) := by
    rw [mul_add q, ← (ring3 K q f x, q * (f * x) + f * x, (q * f + f) * x) q f x]
    simp only [add_assoc, add_left_comm, add_comm]
  have third :=
    (ring4 K q p l c, q * (p * l + p) - (q * (p * l) + (p * l + p * c)), p * (q - (l + c))) q p l c
  rw [first, second]
  generalize q * (p * l + p) = a at *
  generalize q * (p * l) + (p * l + p * c) = b at *
  generalize q * f + f = g at *
  generalize q * f' = h at *
  have split := (ring5 K u v w a b, u + a - (v + w + b), u - v - w + (a - b)) (h * y) (g * x) (d * size) a b
  have fourth := (ring5 K h y g x z, h * y - g * x - z, x * (h - g) + (h * (y - x) - z)) h y g x (d * size)
  have fifth := (ring4 K h w d s, h * w - d * s, s * (h - d) + h * (w - s)) h (y - x) d size
  have sixth := (ring3 K y x s, y - x - s, y - (x + s)) y x size
  rw [split, third, fourth, fifth, sixth]
  simp only [add_assoc]

/-- **Any order, signed.** What may be computed for `k + 1` products of which the positive ones, and the
    negative ones, add up to at most `larger`. -/
theorem Sums.close {stage : Stage} {s : List K} {r : K} (h : Sums stage s r) :
    ∃ k, s.length = k + 1 ∧
      (k + 1 ≤ 2 ^ 22 →
          ∀ m w larger p n, 0 ≤ m → Weighs m s w → Leans m s p n →
            p ≤ larger → n ≤ larger →
            AtMost (natural (2 ^ 48) * (m * (r - total s)))
              (natural (roundingShare (roundings stage k)) * amount w larger stage k +
                natural (2 ^ 48) * natural (operations stage k) * m)) := by
  induction h with
  | product t =>
    refine ⟨0, rfl, fun _ m w larger p n hm hw hl hp hn => ?_⟩
    have z : t - total [t] = 0 := by
      show t - (t + 0) = 0
      rw [add_zer]; exact add_neg' t
    rw [z, mul_zero, mul_zero]
    exact AtMost.zero (add_nonneg (mul_nonneg (natural_nonneg _) (le_refl 0))
        (mul_nonneg (mul_nonneg (natural_nonneg _) (natural_nonneg _)) hm))
  | @add p q s t a b _ _ ih1 ih2 =>
    obtain ⟨j, l1, h1⟩ := ih1
    obtain ⟨k, l2, h2⟩ := ih2
    have len : (joined s t).length = j + k + 1 + 1 := by
      rw [length_joined, l1, l2]
      show j + 1 + k + 1 = j + k + 1 + 1
      rw [Natural.add_right_comm j 1 k]
    refine ⟨j + k + 1, len, fun small m c larger up down hm hw hl hup hdown => ?_⟩
    obtain ⟨x, y, w1, w2, le⟩ := hw.joined
    obtain ⟨s1, s2⟩ := hl.joined
    have large := le_trans hl.nonneg.1 hup
    have j_le : j + 1 ≤ j + k + 1 := Nat.succ_le_succ (Nat.le_add_right j k)
    have k_le : k + 1 ≤ j + k + 1 := Nat.succ_le_succ (Nat.le_add_left k j)
    have small' := Nat.le_trans (Nat.le_add_right _ 1) small
    have z := (h1 (Nat.le_trans j_le small') m x larger up down hm w1 s1 hup hdown).add
      (h2 (Nat.le_trans k_le small') m y larger up down hm w2 s2 hup hdown)
    rw [← mul_add, ← mul_add] at z
    have e : a - total s + (b - total t) = a + b - total (joined s t) := by
      rw [total_joined]; exact (ring4 K a s b t, a - s + (b - t), a + b - (s + t)) _ _ _ _
    rw [e] at z
    refine z.weaken ?_
    have x0 := w1.total.nonneg
    have y0 := w2.total.nonneg
    have part : ∀ (p : Stage) (i : Nat) (v : K), 0 ≤ v → i + 1 ≤ j + k + 1 →
        natural (roundingShare (roundings p i)) * amount v larger p i ≤
            natural (roundingShare (j + k + 1)) * (v + natural i * larger) := fun p i v hv hi => by
      have a1 :=
        mul_le_left (natural_nonneg (K := K) (roundingShare (roundings p i))) (amount_le hv large p i)
      exact le_trans a1 (mul_le_right (add_nonneg hv (mul_nonneg (natural_nonneg _) large))
          (natural_le (roundingShare_mono (Nat.le_trans (roundings_le p i) hi))))
    have grown :=
      le_trans (add_le_add (part p j x x0 j_le) (part q k y y0 k_le)) (le_of_eq (mul_add _ _ _).symm)
    have both : x + natural j * larger + (y + natural k * larger) ≤ c + natural (j + k) * larger := by
      rw [natural_add, (ring5 K x y j k l, x + j * l + (y + k * l), x + y + (j + k) * l) x y (natural j)
          (natural k) larger]
      exact add_le _ le
    have grown := le_trans grown (mul_le_left (natural_nonneg _) both)
    have ops : operations p j + operations q k ≤ operations .exact (j + k + 1) := by
      refine Nat.le_trans (Nat.add_le_add (operations_le p j) (operations_le q k)) (Natural.le_of_eq ?_)
      show j + j + 1 + (k + k + 1) = j + k + 1 + (j + k + 1)
      simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    have lost := mul_le_right hm (mul_le_left (natural_nonneg (K := K) (2 ^ 48)) (natural_le (K := K) ops))
    rw [natural_add (operations p j), mul_add, add_mul] at lost
    have both := add_le_add grown lost
    refine le_trans (le_of_eq ?_) both
    exact (ring4 K a b c d, a + b + (c + d), a + c + (b + d)) _ _ _ _
  | @round s a r _ hr ih =>
    obtain ⟨k, len, h⟩ := ih
    refine ⟨k, len, fun small m w larger p n hm hw hl hp hn => ?_⟩
    have before := h small m w larger p n hm hw hl hp hn
    have large := le_trans hl.nonneg.1 hp
    have w0 := hw.total.nonneg
    obtain ⟨size, hsize, s0, x0, more⟩ :
      ∃ size, AtMost (m * total s) size ∧ 0 ≤ size ∧ 0 ≤ amount w larger .exact k ∧
        amount w larger .exact k + size ≤ amount w larger .rounded k := by
      cases k with
      | zero =>
        refine ⟨w, hw.total, w0, le_refl _, ?_⟩
        show 0 + w ≤ w + 0 * larger
        rw [zero_add, zero_mul, add_zer]; exact le_refl _
      | succ k =>
        refine ⟨larger, ⟨le_trans hl.total.1 hp, le_trans hl.total.2 hn⟩, large,
            add_nonneg w0 (mul_nonneg (natural_nonneg _) large), ?_⟩
        show w + natural k * larger + larger ≤ w + natural (k + 1) * larger
        rw [natural_succ k, (ring3 K w k l, w + k * l + l, w + (k + 1) * l) w (natural k) larger]
        exact le_refl _
    have size := ((hsize.mul_left (natural_nonneg (2 ^ 48))).add before)
    rw [← mul_add, ← mul_add] at size
    have e : total s + (a - total s) = a := (ring2 K s a, s + (a - s), a) _ _
    rw [e, ← mul_assoc] at size
    have rounded := hr.scaled (mul_nonneg (natural_nonneg (2 ^ 48)) hm) size
    have k_le : k ≤ 2 ^ 22 := Nat.le_trans (Nat.le_add_right k 1) small
    have grow : (natural (2 ^ 24) * natural (roundingShare k) + natural (roundingShare k) : K) ≤
        natural (2 ^ 24) * natural (roundingShare (k + 1)) := by
      rw [← natural_mul, ← natural_mul, ← natural_add]
      refine natural_le ?_
      show 2 ^ 24 * roundingShare k + roundingShare k ≤ 2 ^ 24 * (2 ^ 24 + 2 * (k + 1))
      have step : 2 ^ 24 + 2 * (k + 1) = roundingShare k + 2 := by
        unfold roundingShare
        rw [Nat.mul_succ, ← Nat.add_assoc]
      rw [step, Nat.mul_add]
      refine Nat.add_le_add Nat.le.refl ?_
      exact Nat.le_trans (roundingShare_mono k_le) (by decide +kernel)
    have start : (natural (2 ^ 48) : K) ≤ natural (2 ^ 24) * natural (roundingShare (k + 1)) := by
      rw [← natural_mul]
      exact natural_le (Nat.mul_le_mul (a := 2 ^ 24) (c := 2 ^ 24) Nat.le.refl (Nat.le_add_right _ _))
    have lose : (natural (k + k) + natural (2 ^ 23) : K) ≤ natural (2 ^ 24) := by
      rw [← natural_add]
      refine natural_le (Nat.le_trans (Nat.add_le_add (Nat.add_le_add k_le k_le) Nat.le.refl) ?_)
      decide +kernel
    have z := roundingShare_step x0 s0 hm (natural_nonneg (2 ^ 48)) (natural_nonneg (2 ^ 24)) grow start more
      (natural_nonneg _) lose before rounded
    have one : (natural (k + k) + 1 : K) = natural (operations .rounded k) := (natural_succ (k + k)).symm
    rw [one] at z
    refine AtMost.cancel (Natural.two_pow_pos 24) ?_
    have f : natural (2 ^ 24) * (natural (2 ^ 48) * (m * (a - total s))) +
      natural (2 ^ 48) * m * (natural (2 ^ 24) * (r - a)) =
        natural (2 ^ 24) * (natural (2 ^ 48) * (m * (r - total s))) := by
      rw [← mul_assoc (natural (2 ^ 48)) m, ← mul_assoc (natural (2 ^ 48)) m]
      exact (ring5 K q p a t r, q * (p * (a - t)) + p * (q * (r - a)), q * (p * (r - t))) (natural (2 ^ 24))
        (natural (2 ^ 48) * m) a (total s) r
    rw [f] at z
    exact z
  | reorder e _ ih =>
    obtain ⟨k, len, h⟩ := ih
    refine ⟨k, e.length.symm.trans len, fun small m w larger p n hm hw hl hp hn => ?_⟩
    rw [← e.total]
    exact h small m w larger p n hm (hw.reorder e.symm) (hl.reorder e.symm) hp hn

/-- No order of the additions overflows, where the terms are small. -/
theorem neverOverflows {unit n weight : Nat} {terms : List K}
    (hu : 0 < unit)
    (hn : n ≤ 2 ^ 22)
    (len : terms.length ≤ n)
    (hw : Weighs (natural unit) terms (natural weight))
    (room : (2 ^ 48 + growth n) * weight + 2 ^ 48 * (n + n) * unit < 2 ^ 48 * unit * overflowThreshold) :
    NeverOverflows terms := by
  intro part rest a e h
  have w := (hw.reorder e.symm).first
  obtain ⟨k, l, near⟩ := h.near
  have kn : k + 1 ≤ n := by
    rw [← l]
    refine Nat.le_trans ?_ len
    rw [← e.length, length_joined]
    exact Nat.le_add_right _ _
  have b :=
    (w.total.mul_left (natural_nonneg (2 ^ 48))).add (near (Nat.le_trans kn hn) _ _ (natural_nonneg unit) w)
  rw [← mul_add, ← mul_add, (ring2 K s a, s + (a - s), a) (total part) a, ← mul_assoc, ← natural_mul] at b
  have g := natural_le (K := K)
    (Nat.mul_le_mul (growth_mono (Nat.le_trans (Nat.le_add_right k 1) kn)) (Nat.le.refl (n := weight)))
  have o : (natural (2 ^ 48 * (k + k) * unit) : K) ≤ natural (2 ^ 48 * (n + n) * unit) :=
    natural_le (Nat.mul_le_mul (Nat.mul_le_mul Nat.le.refl
          (Nat.add_le_add (Nat.le_trans (Nat.le_add_right k 1) kn) (Nat.le_trans (Nat.le_add_right k 1) kn)))
        Nat.le.refl)
  have bound : (natural (2 ^ 48) * natural weight + (natural (growth (roundings .exact k)) * natural weight +
          natural (2 ^ 48) * natural (operations .exact k) * natural unit) : K)
      ≤ natural ((2 ^ 48 + growth n) * weight + 2 ^ 48 * (n + n) * unit) := by
    rw [natural_add, Nat.add_mul, natural_add, ← natural_mul, ← natural_mul, ← natural_mul, ← natural_mul,
        ← add_assoc]
    exact add_le_add (add_le_add (le_refl _) g) o
  have b := b.weaken bound
  have pos : 0 < 2 ^ 48 * unit := Nat.mul_le_mul (a := 1) (c := 1) (Natural.two_pow_pos 48) hu
  have key : ∀ x : K, natural (2 ^ 48 * unit) * x ≤
        natural ((2 ^ 48 + growth n) * weight + 2 ^ 48 * (n + n) * unit) →
      x < natural overflowThreshold := fun x hx g => by
    have z := le_trans (mul_le_left (natural_nonneg (2 ^ 48 * unit)) g) hx
    rw [← natural_mul] at z
    exact absurd (Nat.le_trans room (natural_le_reflect z)) (Natural.lt_irreflexive _)
  refine ⟨key a b.1, key (-a) ?_⟩
  rw [mul_neg]; exact b.2
end PytestTorchLean
