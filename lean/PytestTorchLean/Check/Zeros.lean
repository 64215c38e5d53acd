prelude
import PytestTorchLean.Check.AnyOrderSigned
/-!
# Products that are 0 take no part in a sum's error

Adding 0 is exact, so a sum has as many roundings as it has products that are not 0. Behind ReLUs these are
often less than half.
-/
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Nonzero

theorem total : {s k : List K} → Nonzero s k → PytestTorchLean.total k = PytestTorchLean.total s
  | [], _, h => by rw [h]
  | t :: ts, k, h => by
    cases h with
    | inl h =>
      show PytestTorchLean.total k = t + PytestTorchLean.total ts
      rw [total h.2, h.1, zero_add]
    | inr h =>
      obtain ⟨_, rest, e, h⟩ := h
      rw [e]
      exact congrArg (fun y => t + y) (total h)
theorem length : {s k : List K} → Nonzero s k → k.length ≤ s.length
  | [], _, h => by rw [h]; exact Nat.le.refl
  | _ :: ts, k, h => by
    cases h with
    | inl h => exact Nat.le_trans (length h.2) (Nat.le_add_right _ 1)
    | inr h =>
      obtain ⟨_, rest, e, h⟩ := h
      rw [e]
      exact Nat.succ_le_succ (length h)
theorem weighs {m : K} : {s k : List K} → Nonzero s k → {a : K} → Weighs m s a → Weighs m k a
  | [], _, h, _, g => by rw [h]; exact g
  | t :: ts, k, h, a, ⟨x, y, g1, g2, g3⟩ => by
    cases h with
    | inl h =>
      have z := add_le_add g1.nonneg (le_refl y)
      rw [zero_add] at z
      exact (weighs h.2 g2).mono (le_trans z g3)
    | inr h =>
      obtain ⟨_, rest, e, h⟩ := h
      rw [e]
      exact ⟨x, y, g1, weighs h g2, g3⟩
theorem leans {m : K} : {s k : List K} → Nonzero s k → {p n : K} → Leans m s p n → Leans m k p n
  | [], _, h, _, _, g => by rw [h]; exact g
  | t :: ts, k, h, p, n, ⟨x, y, p', n', hx, hy, hs, hp, hn⟩ => by
    cases h with
    | inl h =>
      have zp := add_le_add hx.1 (le_refl p')
      have zn := add_le_add hy.1 (le_refl n')
      rw [zero_add] at zp zn
      exact (leans h.2 hs).mono (le_trans zp hp) (le_trans zn hn)
    | inr h =>
      obtain ⟨_, rest, e, h⟩ := h
      rw [e]
      exact ⟨x, y, p', n', hx, hy, leans h hs, hp, hn⟩
theorem joined : {s t k : List K} → Nonzero (joined s t) k →
    ∃ k1 k2, k = PytestTorchLean.joined k1 k2 ∧ Nonzero s k1 ∧ Nonzero t k2
  | [], _, k, h => ⟨[], k, rfl, rfl, h⟩
  | x :: s, t, k, h => by
    cases h with
    | inl h =>
      obtain ⟨k1, k2, e, h1, h2⟩ := joined (s := s) h.2
      exact ⟨k1, k2, e, Or.inl ⟨h.1, h1⟩, h2⟩
    | inr h =>
      obtain ⟨nonzero, rest, e, h⟩ := h
      obtain ⟨k1, k2, e', h1, h2⟩ := joined (s := s) h
      exact ⟨x :: k1, k2, by rw [e, e']; rfl, Or.inr ⟨nonzero, k1, rfl, h1⟩, h2⟩
end Nonzero

/-- At most `n` of the terms are not 0. -/
def Few (terms : List K) (n : Nat) : Prop := ∀ kept, Nonzero terms kept → kept.length ≤ n

namespace Few
theorem nil : Few ([] : List K) 0 := fun kept h => by rw [show kept = [] from h]; exact Nat.le.refl
theorem mono {s : List K} {m n : Nat} (h : Few s m) (g : m ≤ n) : Few s n :=
  fun kept hk => Nat.le_trans (h kept hk) g
theorem all (s : List K) : Few s s.length := fun _ h => h.length
theorem zero {s : List K} {n : Nat} {t : K} (e : t = 0) (h : Few s n) : Few (t :: s) n := fun kept hk => by
  cases hk with
  | inl hk => exact h kept hk.2
  | inr hk => exact absurd e hk.1
theorem succ {s : List K} {n : Nat} (t : K) (h : Few s n) : Few (t :: s) (n + 1) := fun kept hk => by
  cases hk with
  | inl hk => exact Nat.le_trans (h kept hk.2) (Nat.le_add_right n 1)
  | inr hk =>
    obtain ⟨_, rest, e, hk⟩ := hk
    rw [e]
    exact Nat.succ_le_succ (h rest hk)
theorem join {s t : List K} {m n : Nat} (h : Few s m) (g : Few t n) : Few (joined s t) (m + n) :=
  fun kept hk => by
    obtain ⟨k1, k2, e, h1, h2⟩ := hk.joined
    rw [e, length_joined]
    exact Nat.add_le_add (h k1 h1) (g k2 h2)
end Few

/-! ### The error of a sum -/

theorem operations_small {n k : Nat} (h : k + 1 ≤ n) : operations .rounded k ≤ n + n :=
  Nat.le_trans (Nat.succ_le_succ (Nat.add_le_add (Nat.le_add_right k 1) Nat.le.refl)) (Nat.add_le_add h h)

theorem exactly {m r : K} {s : List K} (e : r = total s) {b : K} (h : 0 ≤ b) :
    AtMost (natural (2 ^ 48) * (m * (r - total s))) b := by
  have z : r - total s = 0 := by rw [e]; exact add_neg' _
  rw [z, mul_zero, mul_zero]
  exact AtMost.zero h

/-- What may be computed for at most `n` products lies near their exact sum. -/
theorem IsSum.near {s : List K} {r : K} (h : IsSum s r) {n : Nat} (len : s.length ≤ n) (small : n ≤ 2 ^ 22)
    {m a : K} (hm : 0 ≤ m) (hw : Weighs m s a) :
    AtMost (natural (2 ^ 48) * (m * (r - total s)))
      (natural (growth n) * a + natural (2 ^ 48) * natural (n + n) * m) := by
  cases h with
  | inl e => exact exactly e (add_nonneg (mul_nonneg (natural_nonneg _) hw.total.nonneg)
      (mul_nonneg (mul_nonneg (natural_nonneg _) (natural_nonneg _)) hm))
  | inr h =>
    obtain ⟨kept, hk, h⟩ := h
    obtain ⟨k, e, near⟩ := h.near
    have few : k + 1 ≤ n := by rw [← e]; exact Nat.le_trans hk.length len
    have near := near (Nat.le_trans few small) m a hm (hk.weighs hw)
    rw [hk.total] at near
    exact near.weaken (add_le_add (mul_le_right hw.total.nonneg (natural_le (growth_mono few)))
      (mul_le_right hm (mul_le_left (natural_nonneg _) (natural_le (operations_small few)))))

/-- The same by what the products above 0 and those below add up to, where at most `c` are not 0. -/
theorem IsSum.close {s : List K} {r : K} (h : IsSum s r) {n c : Nat} (len : s.length ≤ n)
    (small : n ≤ 2 ^ 22) (few : Few s c) {m w larger p q : K} (hm : 0 ≤ m) (hw : Weighs m s w)
    (hl : Leans m s p q) (hp : p ≤ larger) (hq : q ≤ larger) :
    AtMost (natural (2 ^ 48) * (m * (r - total s)))
      (natural (roundingShare c) * (w + natural (c - 1) * larger) +
        natural (2 ^ 48) * natural (n + n) * m) := by
  have large := le_trans hl.nonneg.1 hp
  have w0 := hw.total.nonneg
  cases h with
  | inl e => exact exactly e (add_nonneg
      (mul_nonneg (natural_nonneg _) (add_nonneg w0 (mul_nonneg (natural_nonneg _) large)))
      (mul_nonneg (mul_nonneg (natural_nonneg _) (natural_nonneg _)) hm))
  | inr h =>
    obtain ⟨kept, hk, h⟩ := h
    obtain ⟨k, e, close⟩ := h.close
    have all : k + 1 ≤ n := by rw [← e]; exact Nat.le_trans hk.length len
    have some : k + 1 ≤ c := by rw [← e]; exact few kept hk
    have counted : k ≤ c - 1 := by
      obtain ⟨j, hj⟩ := Nat.exists_of_le some
      rw [hj, Nat.succ_add]
      exact Nat.le_add_right k j
    have close := close (Nat.le_trans all small) m w larger p q hm (hk.weighs hw) (hk.leans hl) hp hq
    rw [hk.total] at close
    refine close.weaken (add_le_add ?_
      (mul_le_right hm (mul_le_left (natural_nonneg _) (natural_le (operations_small all)))))
    refine le_trans (mul_le_right (add_nonneg w0 (mul_nonneg (natural_nonneg k) large))
      (natural_le (roundingShare_mono some))) (mul_le_left (natural_nonneg _) ?_)
    exact add_le_add (le_refl w) (mul_le_right large (natural_le counted))
end PytestTorchLean
