prelude
import PytestTorchLean.Check.Rounded
import PytestTorchLean.Check.Passed
/-!
# Sums of products of two slots: the corners of their box

The product of two bounded numbers lies between the least and the largest of the products of their bounds: at
one of four corners. The square of a slot is in addition not negative. Here are the bounds of one product, and
of the exact sum of several.

Fixed-point numbers are offset by the center `c`, so a corner is counted as `x * z + (2c - x) * (2c - z)`,
which is `2 (x - c) (z - c) + 2 c c`: two products of natural numbers, none negative.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Bilinear

/-! ### One product -/

/-- Twice the product of two fixed-point numbers, plus `2 c c`. -/
def corner (top x z : Nat) : Nat := Nat.add (Nat.mul x z) (Nat.mul (Nat.sub top x) (Nat.sub top z))
def least (a b : Nat) : Nat := Nat.sub a (Nat.sub a b)
def most (a b : Nat) : Nat := Nat.add b (Nat.sub a b)

/-- The bounds of a product from the bounds of its factors, and of its absolute value; `zero` is the corner of
    0 and 0. -/
def transfer (top zero : Nat) (square : Bool) (l u l' u' : Nat) (next : Nat → Nat → Nat → Bool) : Bool :=
  force (fun p => force (fun q => force (fun r => force (fun t => force
            (fun low => force (fun high =>
                force (fun size => next low high size) (most (Nat.sub high zero) (Nat.sub zero low)))
              (most (most p q) (most r t)))
            (Bool.casesOn (motive := fun _ => Nat) square (least (least p q) (least r t))
              (most zero (least (least p q) (least r t))))) (corner top u u')) (corner top u l'))
      (corner top l u')) (corner top l l')

theorem least_le (a b : Nat) : least a b ≤ a ∧ least a b ≤ b := by
  show a - (a - b) ≤ a ∧ a - (a - b) ≤ b
  refine ⟨Natural.sub_le _ _, ?_⟩
  cases Nat.le_total a b with
  | inl h => exact Nat.le_trans (Natural.sub_le _ _) h
  | inr h =>
    have e : a - (a - b) = b :=
      Natural.sub_eq_of_add_eq (by rw [Nat.add_comm]; exact Natural.sub_add_cancel h)
    exact Natural.le_of_eq e
theorem le_most (a b : Nat) : a ≤ most a b ∧ b ≤ most a b := by
  show a ≤ b + (a - b) ∧ b ≤ b + (a - b)
  refine ⟨?_, Nat.le_add_right _ _⟩
  cases Nat.le_total b a with
  | inl h => rw [Nat.add_comm, Natural.sub_add_cancel h]; exact Nat.le.refl
  | inr h => exact Nat.le_trans h (Nat.le_add_right _ _)
/-- What is above both numbers is above the larger. -/
theorem most_le {a b c : Nat} (ha : a ≤ c) (hb : b ≤ c) : most a b ≤ c := by
  show b + (a - b) ≤ c
  cases Nat.le_total b a with
  | inl h => rw [Nat.add_comm, Natural.sub_add_cancel h]; exact ha
  | inr h => rw [Nat.sub_eq_zero_of_le h]; exact hb

variable {K : Type u} [OrderedRing K]

/-- `corner` of two ring elements. -/
def Corner (top x z : K) : K := x * z + (top - x) * (top - z)
theorem corner_natural {top x z : Nat} (hx : x ≤ top) (hz : z ≤ top) :
    (natural (corner top x z) : K) = Corner (natural top) (natural x) (natural z) := by
  show (natural (x * z + (top - x) * (top - z)) : K) = _
  rw [natural_add, natural_mul, natural_mul, Linear.natural_sub hx, Linear.natural_sub hz]
  rfl
theorem corner_comm (top x z : K) : Corner top x z = Corner top z x :=
  (ring3 K t x z, x * z + (t - x) * (t - z), z * x + (t - z) * (t - x)) _ _ _

/-- As long as the other factor stays, the least value is at an end. -/
theorem edge_low {top l u x z low : K} (h1 : l ≤ x) (h2 : x ≤ u) (hl : low ≤ Corner top l z)
    (hu : low ≤ Corner top u z) :
    low ≤ Corner top x z := by
  cases le_total top (z + z) with
  | inl g =>
    refine le_cert ?_ (add_nonneg (sub_nonneg hl) (mul_nonneg (sub_nonneg h1) (sub_nonneg g)))
    exact (ring5 K t x z l w, x * z + (t - x) * (t - z) - w,
        l * z + (t - l) * (t - z) - w + (x - l) * (z + z - t)) top x z l low
  | inr g =>
    refine le_cert ?_ (add_nonneg (sub_nonneg hu) (mul_nonneg (sub_nonneg h2) (sub_nonneg g)))
    exact (ring5 K t x z u w, x * z + (t - x) * (t - z) - w,
        u * z + (t - u) * (t - z) - w + (u - x) * (t - (z + z))) top x z u low
theorem edge_high {top l u x z high : K} (h1 : l ≤ x) (h2 : x ≤ u) (hl : Corner top l z ≤ high)
    (hu : Corner top u z ≤ high) :
    Corner top x z ≤ high := by
  cases le_total top (z + z) with
  | inl g =>
    refine le_cert ?_ (add_nonneg (sub_nonneg hu) (mul_nonneg (sub_nonneg h2) (sub_nonneg g)))
    exact (ring5 K t x z u w, w - (x * z + (t - x) * (t - z)),
        w - (u * z + (t - u) * (t - z)) + (u - x) * (z + z - t)) top x z u high
  | inr g =>
    refine le_cert ?_ (add_nonneg (sub_nonneg hl) (mul_nonneg (sub_nonneg h1) (sub_nonneg g)))
    exact (ring5 K t x z l w, w - (x * z + (t - x) * (t - z)),
        w - (l * z + (t - l) * (t - z)) + (x - l) * (t - (z + z))) top x z l high

/-- **Four corners.** A product lies between the least and the largest of the products of the bounds. -/
theorem corners {top l u l' u' x z low high : K}
    (h1 : l ≤ x)
    (h2 : x ≤ u)
    (g1 : l' ≤ z)
    (g2 : z ≤ u')
    (low1 : low ≤ Corner top l l')
    (low2 : low ≤ Corner top l u')
    (low3 : low ≤ Corner top u l')
    (low4 : low ≤ Corner top u u')
    (high1 : Corner top l l' ≤ high)
    (high2 : Corner top l u' ≤ high)
    (high3 : Corner top u l' ≤ high)
    (high4 : Corner top u u' ≤ high) :
    low ≤ Corner top x z ∧ Corner top x z ≤ high := by
  constructor
  · refine edge_low h1 h2 ?_ ?_
    · rw [corner_comm] at low1 low2 ⊢; exact edge_low g1 g2 low1 low2
    · rw [corner_comm] at low3 low4 ⊢; exact edge_low g1 g2 low3 low4
  · refine edge_high h1 h2 ?_ ?_
    · rw [corner_comm] at high1 high2 ⊢; exact edge_high g1 g2 high1 high2
    · rw [corner_comm] at high3 high4 ⊢; exact edge_high g1 g2 high3 high4

/-- A square is not below the corner of 0 and 0. -/
theorem square_nonneg (c x : K) : Corner (c + c) c c ≤ Corner (c + c) x x :=
  le_cert ((ring2 K c x, x * x + (c + c - x) * (c + c - x) - (c * c + (c + c - c) * (c + c - c)),
        (x - c) * (x - c) + (x - c) * (x - c)) c x) (add_nonneg (sq_nonneg _) (sq_nonneg _))

/-- The image of a product. -/
theorem corner_image (s : Scale) (x z : K) :
    Corner (natural s.top) (s.image x) (s.image z) =
    natural (2 * s.unit * s.unit) * (x * z) + natural (corner s.top s.center s.center) := by
  have ct : s.center ≤ s.top := Nat.le_add_right _ _
  rw [corner_natural ct ct, natural_mul, natural_mul]
  have t : (natural s.top : K) = natural s.center + natural s.center := natural_add _ _
  have two : (natural 2 : K) = 1 + 1 := by rw [natural_succ]; rfl
  rw [t, two]
  unfold Corner Scale.image
  exact (ring4 K u c x z, (u * x + c) * (u * z + c) + (c + c - (u * x + c)) * (c + c - (u * z + c)),
    (1 + 1) * u * u * (x * z) + (c * c + (c + c - c) * (c + c - c))) (natural s.unit) (natural s.center) x z

/-- **One product.** What `transfer` hands on bounds the product and its absolute value. -/
theorem transfer_sound {s : Scale} {square : Bool} {l u l' u' : Nat} {x z : K} {next : Nat → Nat → Nat → Bool}
    (hx : Within s l u x) (hz : Within s l' u' z)
    (h1 : l ≤ u)
    (h2 : u ≤ s.top)
    (g1 : l' ≤ u')
    (g2 : u' ≤ s.top)
    (same : square = true → x = z)
    (h : transfer s.top (corner s.top s.center s.center) square l u l' u' next = true) :
    ∃ low high size, next low high size = true ∧
      natural low ≤ natural (2 * s.unit * s.unit) * (x * z) + natural (corner s.top s.center s.center) ∧
      natural (2 * s.unit * s.unit) * (x * z) + natural (corner s.top s.center s.center) ≤ natural high ∧
      AtMost (natural (2 * s.unit * s.unit) * (x * z)) (natural size) := by
  unfold transfer at h
  simp only [force_eq] at h
  have l2 := Nat.le_trans h1 h2
  have k2 := Nat.le_trans g1 g2
  generalize ep : corner s.top l l' = p at h
  generalize eq : corner s.top l u' = q at h
  generalize er : corner s.top u l' = r at h
  generalize et : corner s.top u u' = t at h
  have np := corner_natural (K := K) l2 k2
  have nq := corner_natural (K := K) l2 g2
  have nr := corner_natural (K := K) h2 k2
  have nt := corner_natural (K := K) h2 g2
  rw [ep] at np; rw [eq] at nq; rw [er] at nr; rw [et] at nt
  have a := least_le p q
  have b := least_le r t
  have c := least_le (least p q) (least r t)
  have a' := le_most p q
  have b' := le_most r t
  have c' := le_most (most p q) (most r t)
  have below : ∀ {n m : Nat} {v : K},
      n ≤ m → (natural m : K) = v → (natural n : K) ≤ v := fun k e => by rw [← e]; exact natural_le k
  have above : ∀ {n m : Nat} {v : K},
      n ≤ m → (natural n : K) = v → v ≤ natural m := fun k e => by rw [← e]; exact natural_le k
  have key := corners (top := natural s.top) (low := natural (least (least p q) (least r t)))
    (high := natural (most (most p q) (most r t))) hx.1 hx.2 hz.1 hz.2 (below (Nat.le_trans c.1 a.1) np)
    (below (Nat.le_trans c.1 a.2) nq) (below (Nat.le_trans c.2 b.1) nr) (below (Nat.le_trans c.2 b.2) nt)
    (above (Nat.le_trans a'.1 c'.1) np) (above (Nat.le_trans a'.2 c'.1) nq)
    (above (Nat.le_trans b'.1 c'.2) nr) (above (Nat.le_trans b'.2 c'.2) nt)
  rw [corner_image] at key
  have finish : ∀ low : Nat,
    natural low ≤ natural (2 * s.unit * s.unit) * (x * z) + natural (corner s.top s.center s.center) →
      next low (most (most p q) (most r t))
          (most (Nat.sub (most (most p q) (most r t)) (corner s.top s.center s.center))
            (Nat.sub (corner s.top s.center s.center) low)) = true →
      ∃ low high size, next low high size = true ∧
        natural low ≤ natural (2 * s.unit * s.unit) * (x * z) + natural (corner s.top s.center s.center) ∧
        natural (2 * s.unit * s.unit) * (x * z) + natural (corner s.top s.center s.center) ≤ natural high ∧
        AtMost (natural (2 * s.unit * s.unit) * (x * z)) (natural size) := fun low hl h => by
    refine ⟨_, _, _, h, hl, key.2, ?_⟩
    have up := key.2
    generalize most (most p q) (most r t) = high at *
    generalize corner s.top s.center s.center = zero at *
    generalize natural (2 * s.unit * s.unit) * (x * z) = v at *
    have m := le_most (high - zero) (zero - low)
    have m1 := le_trans (Rows.sub_ge (K := K) high zero) (natural_le m.1)
    have m2 := le_trans (Rows.sub_ge (K := K) zero low) (natural_le m.2)
    refine ⟨le_trans ?_ m1, le_trans ?_ m2⟩
    · exact le_cert ((ring3 K h v z, h - z - v, h - (v + z)) (natural high) v (natural zero)) (sub_nonneg up)
    · exact le_cert ((ring3 K l v z, z - l - -v, v + z - l) (natural low) v (natural zero)) (sub_nonneg hl)
  cases square with
  | false => exact finish _ key.1 h
  | true =>
    refine finish _ ?_ h
    have e := same rfl
    have sq : (natural (corner s.top s.center s.center) : K) ≤
        natural (2 * s.unit * s.unit) * (x * z) + natural (corner s.top s.center s.center) := by
      have inside : s.center ≤ s.top := Nat.le_add_right _ _
      rw [← corner_image, corner_natural inside inside, e]
      have t : (natural s.top : K) = natural s.center + natural s.center := natural_add _ _
      rw [t]
      exact square_nonneg _ _
    cases Nat.le_total (corner s.top s.center s.center) (least (least p q) (least r t)) with
    | inl g => exact le_trans (natural_le (most_le g Nat.le.refl)) key.1
    | inr g => exact le_trans (natural_le (most_le Nat.le.refl g)) sq

/-! ### A sum of products -/

/-- Add the bounds of the products that `sources` names; `next` gets the sums and the sources that follow. -/
def accumulate (s : Scale) (zero direct count : Nat) (terms : Nat) :
    Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Nat → Bool) → Bool)
    (fun sources low high size next => next sources low high size)
    (fun _ rest sources low high size next => force (fun first => force (fun second =>
        both (Nat.ble (Nat.succ first) count) (both (Nat.ble (Nat.succ second) count)
          (force (fun x => force (fun z => force (fun l => force (fun u => force (fun l' => force (fun u' =>
              transfer s.top zero (Nat.beq first second) l u l' u' fun low' high' size' =>
                force (fun sources' => force (fun low'' => force (fun high'' =>
                        force (fun size'' => rest sources' low'' high'' size'' next) (Nat.add size size'))
                      (Nat.add high high')) (Nat.add low low')) (Nat.shiftRight sources 64))
            (Nat.shiftRight z s.half)) (Nat.land z (Nat.sub (Nat.pow 2 s.half) 1))) (Nat.shiftRight x s.half))
              (Nat.land x (Nat.sub (Nat.pow 2 s.half) 1)))
            (Memory.lookup s.stride direct second)) (Memory.lookup s.stride direct first))))
      (Nat.land (Nat.shiftRight sources 32) (Nat.sub (Nat.pow 2 32) 1)))
        (Nat.land sources (Nat.sub (Nat.pow 2 32) 1))) terms

theorem accumulate_succ (s : Scale) (zero direct count terms sources low high size : Nat)
    (next : Nat → Nat → Nat → Nat → Bool) :
    accumulate s zero direct count (terms + 1) sources low high size next =
      (let first := Nat.land sources (2 ^ 32 - 1)
       let second := Nat.land (Nat.shiftRight sources 32) (2 ^ 32 - 1)
       let x := Memory.lookup s.stride direct first
       let z := Memory.lookup s.stride direct second
       both (Nat.ble (Nat.succ first) count) (both (Nat.ble (Nat.succ second) count)
         (transfer s.top zero (Nat.beq first second) (Nat.land x (2 ^ s.half - 1)) (Nat.shiftRight x s.half)
             (Nat.land z (2 ^ s.half - 1)) (Nat.shiftRight z s.half)
           fun low' high' size' => accumulate s zero direct count terms (Nat.shiftRight sources 64)
             (low + low') (high + high') (size + size') next))) := by
  unfold accumulate
  simp only [force_eq]
  rfl

/-- The products that `slot` names. -/
def multiplied (slots : Nat → K) (slot : Nat → Nat) (k : Nat) : K :=
  slots (slot (2 * k)) * slots (slot (2 * k + 1))
theorem shift_word (sources j : Nat) : word (Nat.shiftRight sources 64) j = word sources (2 + j) := by
  show sources / 2 ^ 64 / 2 ^ (32 * j) % 2 ^ 32 = sources / 2 ^ (32 * (2 + j)) % 2 ^ 32
  rw [Natural.shift_shift, Nat.mul_add]

theorem bounds_at {s : Scale} {slots : Nat → K} {direct mirrored count slot : Nat} (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count) (hs : slot < count) :
    ∃ l u, Nat.land (Memory.lookup s.stride direct slot) (2 ^ s.half - 1) = l ∧
      Nat.shiftRight (Memory.lookup s.stride direct slot) s.half = u ∧
      l ≤ u ∧
      u ≤ s.top ∧
      Within s l u (slots slot) := by
  obtain ⟨l, u, h1, _, hw⟩ := hm
  have h1 : direct = pack s.stride count (fun i => Memory.directWord s (l i) (u i)) := h1
  obtain ⟨w1, w2, w3⟩ := hw slot hs
  have small : ∀ {a : Nat}, a ≤ s.top → a < 2 ^ s.half := fun h => Nat.le_trans (Nat.succ_le_succ h) sf.half
  have e : Memory.lookup s.stride direct slot = Memory.directWord s (l slot) (u slot) := by
    rw [h1]
    exact Memory.lookup_pack (f := fun i => Memory.directWord s (l i) (u i))
      (fun i hi => (Memory.word_lt sf (hw i hi).1 (hw i hi).2.1).1) hs
  rw [e]
  refine ⟨l slot, u slot, ?_, ?_, w1, w2, w3⟩
  · show Nat.land (l slot + 2 ^ s.half * u slot) (2 ^ s.half - 1) = l slot
    rw [land_low, Natural.add_mul_mod _ (small (Nat.le_trans w1 w2))]
  · exact Natural.add_mul_div _ (small (Nat.le_trans w1 w2))

theorem accumulate_sound {s : Scale} {slots : Nat → K} {direct mirrored count : Nat} (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count) :
    (terms : Nat) → (slot : Nat → Nat) → (sources low high size : Nat) →
    (next : Nat → Nat → Nat → Nat → Bool) → (∀ j, word sources j = slot j) →
    accumulate s (corner s.top s.center s.center) direct count terms sources low high size next = true →
    ∃ sources' low' high' size', (∀ j, word sources' j = slot (2 * terms + j)) ∧
      next sources' (low + low') (high + high') (size + size') = true ∧
      natural low' ≤ natural (2 * s.unit * s.unit) * sum terms (multiplied slots slot) +
          natural (terms * corner s.top s.center s.center) ∧
      natural (2 * s.unit * s.unit) * sum terms (multiplied slots slot) +
          natural (terms * corner s.top s.center s.center) ≤ natural high' ∧
      Weighs (natural (2 * s.unit * s.unit)) (listed terms fun k => [multiplied slots slot k])
        (natural size') := by
  intro terms
  induction terms with
  | zero =>
    intro slot sources low high size next hw h
    have z : natural (2 * s.unit * s.unit) * sum 0 (multiplied slots slot) +
          natural (0 * corner s.top s.center s.center) = 0 := by
      rw [Nat.zero_mul]
      show natural (2 * s.unit * s.unit) * (0 : K) + 0 = 0
      rw [mul_zero, add_zer]
    refine ⟨sources, 0, 0, 0, fun j => ?_, h, ?_, ?_, le_refl _⟩
    · rw [hw, Nat.mul_zero, Nat.zero_add]
    · rw [z]; exact le_refl _
    · rw [z]; exact le_refl _
  | succ terms smaller =>
    intro slot sources low high size next hw h
    rw [accumulate_succ] at h
    obtain ⟨b1, h⟩ := both_true h
    obtain ⟨b2, h⟩ := both_true h
    have first : Nat.land sources (2 ^ 32 - 1) = slot 0 := by rw [← hw]; exact word_zero sources
    have second : Nat.land (Nat.shiftRight sources 32) (2 ^ 32 - 1) = slot 1 := by
      rw [← hw]; exact (word_zero _).trans (word_succ sources 0)
    rw [first] at b1 h
    rw [second] at b2 h
    obtain ⟨l, u, e1, e2, x1, x2, x3⟩ := bounds_at sf hm (Nat.le_of_ble_eq_true b1)
    obtain ⟨l', u', e3, e4, z1, z2, z3⟩ := bounds_at sf hm (Nat.le_of_ble_eq_true b2)
    rw [e1, e2, e3, e4] at h
    obtain ⟨low1, high1, size1, h, r1, r2, r3⟩ :=
      transfer_sound x3 z3 x1 x2 z1 z2 (fun e => by rw [Nat.eq_of_beq_eq_true e]) h
    obtain ⟨sources', low', high', size', w', h', q1, q2, q3⟩ := smaller (fun j => slot (2 + j))
      (Nat.shiftRight sources 64) _ _ _ next (fun j => by rw [shift_word, hw]) h
    have tail : sum (terms + 1) (multiplied slots slot) =
        slots (slot 0) * slots (slot 1) + sum terms (multiplied slots fun j => slot (2 + j)) := by
      show slots (slot 0) * slots (slot 1) + sum terms (fun k => multiplied slots slot (k + 1)) = _
      refine congrArg _ (Columns.sum_congr fun k _ => ?_)
      show slots (slot (2 * k + 2)) * slots (slot (2 * k + 2 + 1)) =
        slots (slot (2 + 2 * k)) * slots (slot (2 + (2 * k + 1)))
      rw [Nat.add_comm 2 (2 * k), Nat.add_comm 2 (2 * k + 1)]
    have grow : (natural ((terms + 1) * corner s.top s.center s.center) : K) =
        natural (corner s.top s.center s.center) + natural (terms * corner s.top s.center s.center) := by
      rw [Nat.succ_mul, Nat.add_comm, natural_add]
    have join : natural (2 * s.unit * s.unit) * sum (terms + 1) (multiplied slots slot) +
      natural ((terms + 1) * corner s.top s.center s.center) =
        (natural (2 * s.unit * s.unit) * (slots (slot 0) * slots (slot 1)) +
            natural (corner s.top s.center s.center)) +
        (natural (2 * s.unit * s.unit) * sum terms (multiplied slots fun j => slot (2 + j)) +
              natural (terms * corner s.top s.center s.center)) := by
      rw [tail, grow]
      exact (ring5 K u a b z w, u * (a + b) + (z + w), u * a + z + (u * b + w)) _ _ _ _ _
    refine ⟨sources', low1 + low', high1 + high', size1 + size', fun j => ?_, ?_, ?_, ?_, ?_⟩
    · rw [w']
      show slot (2 + (2 * terms + j)) = slot (2 * terms + 2 + j)
      refine congrArg slot ?_
      simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    · rw [← Nat.add_assoc, ← Nat.add_assoc, ← Nat.add_assoc]; exact h'
    · rw [join, natural_add]; exact add_le_add r1 q1
    · rw [join, natural_add]; exact add_le_add r2 q2
    · refine ⟨natural size1, natural size', r3, ?_, le_of_eq (natural_add _ _).symm⟩
      have e : (listed terms fun k => [multiplied slots slot (k + 1)]) =
          listed terms fun k => [multiplied slots (fun j => slot (2 + j)) k] := by
        have f : (fun k => [multiplied slots slot (k + 1)]) =
            fun k => [multiplied slots (fun j => slot (2 + j)) k] := funext fun k => by
          show [slots (slot (2 * k + 2)) * slots (slot (2 * k + 2 + 1))] =
            [slots (slot (2 + 2 * k)) * slots (slot (2 + (2 * k + 1)))]
          rw [Nat.add_comm 2 (2 * k), Nat.add_comm 2 (2 * k + 1)]
        rw [f]
      show Weighs _ (joined [] (listed terms fun k => [multiplied slots slot (k + 1)])) _
      rw [e]; exact q3
end Bilinear
end PytestTorchLean
