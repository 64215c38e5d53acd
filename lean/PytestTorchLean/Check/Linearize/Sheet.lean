prelude
import PytestTorchLean.Check.Bilinear
/-!
# A product of two bounded values next to a plane

Over a rectangle the difference of a product and a plane is least and largest at corners: it is linear in
either factor while the other stays (McCormick). The difference of a square and a line is in addition not
below its vertex.

Fixed-point numbers are offset by the center, slopes by an offset of their own, so that all numbers are
natural.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Linearize
open Bilinear

/-! ### What the kernel computes -/

/-- Twice the offset of the slopes less the slope, times a fixed-point number: `slope` is raised by half of
    `twice`. -/
def slant (top twice slope x : Nat) : Nat :=
  Nat.add (Nat.mul slope (Nat.sub top x)) (Nat.mul (Nat.sub twice slope) x)
/-- `plus - minus` times the product of two fixed-point numbers, less a plane with two raised slopes, all of
    it doubled and raised. -/
def sheet (plus minus unit top twice slope slope' x z : Nat) : Nat :=
  Nat.add (Nat.add (Nat.mul plus (corner top x z)) (Nat.mul minus (corner top x (Nat.sub top z))))
    (Nat.mul unit (Nat.add (slant top twice slope x) (slant top twice slope' z)))
/-- What is added to the difference of a product and its plane: its value where the product and the slopes are
    0. -/
def raise (plus minus unit center twice : Nat) : Nat :=
  Nat.add (Nat.mul (Nat.add plus minus) (Nat.mul 2 (Nat.mul center center)))
    (Nat.mul unit (Nat.mul 2 (Nat.mul twice center)))
/-- How far the difference of a square and a line may lie below 0, rounded up. -/
def sag (plus unit twice slope slope' : Nat) : Nat :=
  force (fun t => Nat.succ (Nat.div (Nat.mul t t) (Nat.mul 2 plus)))
    (Nat.mul unit (Nat.add (Nat.sub (Nat.add slope slope') twice) (Nat.sub twice (Nat.add slope slope'))))

/-- Bounds of the raised difference of a product and a plane, from bounds of the factors. -/
def piece (plus minus unit center top twice : Nat) (square : Bool) (slope slope' l u l' u' : Nat)
    (next : Nat → Nat → Bool) : Bool :=
  force (fun p => force (fun q => force (fun r => force (fun t =>
      Bool.casesOn (motive := fun _ => Bool) square
        (force (fun low => force (next low) (most (most p q) (most r t))) (least (least p q) (least r t)))
        (force (fun base => force (fun depth => both (Nat.ble depth base)
            (force (fun low => force (next low) (most (most p q) (most r t)))
                (most (Nat.sub base depth) (least (least p q) (least r t)))))
          (sag plus unit twice slope slope')) (raise plus minus unit center twice)))
    (sheet plus minus unit top twice slope slope' u u')) (sheet plus minus unit top twice slope slope' u l'))
    (sheet plus minus unit top twice slope slope' l u')) (sheet plus minus unit top twice slope slope' l l')

/-! ### Functions with a constant slope -/

variable {K : Type u} [OrderedRing K]

/-- `f` is a line. -/
def Straight (f : K → K) : Prop := ∃ k, ∀ x y, f y = f x + (y - x) * k
namespace Straight
theorem add {f g : K → K} : Straight f → Straight g → Straight fun x => f x + g x
  | ⟨j, h⟩, ⟨k, h'⟩ => ⟨j + k, fun x y => by
    show f y + g y = f x + g x + (y - x) * (j + k)
    rw [h x y, h' x y]
    exact (ring5 K f g d j k, f + d * j + (g + d * k), f + g + d * (j + k)) _ _ _ _ _⟩
theorem scale (c : K) {f : K → K} : Straight f → Straight fun x => c * f x
  | ⟨k, h⟩ => ⟨c * k, fun x y => by
    show c * f y = c * f x + (y - x) * (c * k)
    rw [h x y]
    exact (ring4 K c f d k, c * (f + d * k), c * f + d * (c * k)) _ _ _ _⟩
theorem constant (c : K) : Straight fun _ : K => c := ⟨0, fun x y => (ring2 K c d, c, c + d * 0) c (y - x)⟩
theorem low {f : K → K} {l u x a : K} (h1 : l ≤ x) (h2 : x ≤ u) (hl : a ≤ f l) (hu : a ≤ f u) :
    Straight f → a ≤ f x
  | ⟨k, h⟩ => by
    cases le_total 0 k with
    | inl g =>
      rw [h l x]
      exact le_cert ((ring3 K f a m, f + m - a, (f - a) + m) _ _ _)
        (add_nonneg (sub_nonneg hl) (mul_nonneg (sub_nonneg h1) g))
    | inr g =>
      rw [h u x]
      refine le_cert ?_ (add_nonneg (sub_nonneg hu) (mul_nonneg (sub_nonneg h2) (neg_nonneg g)))
      exact (ring5 K f a x u k, f + (x - u) * k - a, (f - a) + (u - x) * -k) _ _ _ _ _
theorem high {f : K → K} {l u x a : K} (h1 : l ≤ x) (h2 : x ≤ u) (hl : f l ≤ a) (hu : f u ≤ a)
    (h : Straight f) :
    f x ≤ a := by
  obtain ⟨k, h⟩ := h
  cases le_total 0 k with
  | inl g =>
    rw [h u x]
    refine le_cert ?_ (add_nonneg (sub_nonneg hu) (mul_nonneg (sub_nonneg h2) g))
    exact (ring5 K f a x u k, a - (f + (x - u) * k), (a - f) + (u - x) * k) _ _ _ _ _
  | inr g =>
    rw [h l x]
    refine le_cert ?_ (add_nonneg (sub_nonneg hl) (mul_nonneg (sub_nonneg h1) (neg_nonneg g)))
    exact (ring5 K f a x l k, a - (f + (x - l) * k), (a - f) + (x - l) * -k) _ _ _ _ _
end Straight

/-- `slant` and `sheet` of ring elements. -/
def Slant (top twice slope x : K) : K := slope * (top - x) + (twice - slope) * x
def Sheet (plus minus unit top twice slope slope' x z : K) : K :=
  plus * Corner top x z + minus * Corner top x (top - z) +
    unit * (Slant top twice slope x + Slant top twice slope' z)

theorem slant_natural {top twice slope x : Nat} (hx : x ≤ top) (hs : slope ≤ twice) :
    (natural (slant top twice slope x) : K) =
    Slant (natural top) (natural twice) (natural slope) (natural x) := by
  show (natural (slope * (top - x) + (twice - slope) * x) : K) = _
  rw [natural_add, natural_mul, natural_mul, Linear.natural_sub hx, Linear.natural_sub hs]
  rfl
theorem sheet_natural {plus minus unit top twice slope slope' x z : Nat} (hx : x ≤ top) (hz : z ≤ top)
    (hs : slope ≤ twice) (hs' : slope' ≤ twice) :
    (natural (sheet plus minus unit top twice slope slope' x z) : K) =
    Sheet (natural plus) (natural minus) (natural unit) (natural top) (natural twice) (natural slope)
      (natural slope') (natural x) (natural z) := by
  show (natural (plus * corner top x z + minus * corner top x (top - z) +
        unit * (slant top twice slope x + slant top twice slope' z)) : K) = _
  rw [natural_add, natural_add, natural_mul, natural_mul, natural_mul, natural_add, corner_natural hx hz,
      corner_natural hx (Natural.sub_le _ _), slant_natural hx hs, slant_natural hz hs',
      Linear.natural_sub hz]
  rfl

theorem corner_straight (top z : K) : Straight fun x => Corner top x z := ⟨z + z - top, fun x y =>
  (ring4 K t x y z, y * z + (t - y) * (t - z), x * z + (t - x) * (t - z) + (y - x) * (z + z - t)) _ _ _ _⟩
theorem corner_straight' (top x : K) : Straight fun z => Corner top x z := ⟨x + x - top, fun z y =>
  (ring4 K t x y z, x * y + (t - x) * (t - y), x * z + (t - x) * (t - z) + (y - z) * (x + x - t)) _ _ _ _⟩
theorem corner_mirrored (top x : K) : Straight fun z => Corner top x (top - z) := ⟨top - (x + x), fun z y =>
  (ring4 K t x y z, x * (t - y) + (t - x) * (t - (t - y)),
      x * (t - z) + (t - x) * (t - (t - z)) + (y - z) * (t - (x + x))) _ _ _ _⟩
theorem slant_straight (top twice slope : K) : Straight fun x => Slant top twice slope x :=
  ⟨twice - (slope + slope), fun x y =>
  (ring5 K t w s x y, s * (t - y) + (w - s) * y, s * (t - x) + (w - s) * x + (y - x) * (w - (s + s))) _ _ _ _
    _⟩
theorem sheet_straight (plus minus unit top twice slope slope' z : K) :
    Straight fun x => Sheet plus minus unit top twice slope slope' x z :=
  ((corner_straight top z).scale plus |>.add ((corner_straight top (top - z)).scale minus)).add
    (((slant_straight top twice slope).add (Straight.constant (Slant top twice slope' z))).scale unit)
theorem sheet_straight' (plus minus unit top twice slope slope' x : K) :
    Straight fun z => Sheet plus minus unit top twice slope slope' x z :=
  ((corner_straight' top x).scale plus |>.add ((corner_mirrored top x).scale minus)).add
    (((Straight.constant (Slant top twice slope x)).add (slant_straight top twice slope')).scale unit)

/-- **Four corners.** A function that is a line in either argument lies between the least and the largest of
    its values at the corners. -/
theorem corners {f : K → K → K} {l u l' u' x z low high : K}
    (first : ∀ z, Straight fun x => f x z)
    (second : ∀ x, Straight fun z => f x z)
    (h1 : l ≤ x)
    (h2 : x ≤ u)
    (g1 : l' ≤ z)
    (g2 : z ≤ u')
    (low1 : low ≤ f l l')
    (low2 : low ≤ f l u')
    (low3 : low ≤ f u l')
    (low4 : low ≤ f u u')
    (high1 : f l l' ≤ high)
    (high2 : f l u' ≤ high)
    (high3 : f u l' ≤ high)
    (high4 : f u u' ≤ high) :
    low ≤ f x z ∧ f x z ≤ high :=
  ⟨Straight.low (f := fun x => f x z) h1 h2 (Straight.low (f := fun z => f l z) g1 g2 low1 low2 (second l))
      (Straight.low (f := fun z => f u z) g1 g2 low3 low4 (second u)) (first z),
    Straight.high (f := fun x => f x z) h1 h2
      (Straight.high (f := fun z => f l z) g1 g2 high1 high2 (second l))
      (Straight.high (f := fun z => f u z) g1 g2 high3 high4 (second u)) (first z)⟩

/-! ### What the raised numbers stand for -/

theorem two_eq : (natural 2 : K) = 1 + 1 := by rw [natural_succ]; rfl
theorem corner_center (center : Nat) : corner (center + center) center center = 2 * (center * center) := by
  show center * center + (center + center - center) * (center + center - center) = _
  rw [Natural.add_sub_cancel_left, Natural.two_mul]
theorem slant_image (s : Scale) (offset : Nat) (slope x : K) :
    Slant (natural s.top) (natural (offset + offset)) slope (s.image x) =
    natural (2 * ((offset + offset) * s.center)) - natural (2 * s.unit) * ((slope - natural offset) * x) -
      natural ((offset + offset) * s.center) := by
  have top : (natural s.top : K) = natural s.center + natural s.center := natural_add _ _
  unfold Slant Scale.image
  rw [top, natural_mul 2 s.unit, natural_mul 2, natural_mul (offset + offset), natural_add, two_eq]
  exact (ring5 K u o c s x, s * (c + c - (u * x + c)) + (o + o - s) * (u * x + c),
    (1 + 1) * ((o + o) * c) - (1 + 1) * u * ((s - o) * x) - (o + o) * c) _ _ _ _ _
/-- A product less a plane, in units of the product of two fixed-point numbers, halved. -/
def difference (plus minus offset : Nat) (slope slope' x z : K) : K :=
  (natural plus - natural minus) * (x * z) - (slope - natural offset) * x - (slope' - natural offset) * z
theorem sheet_image (s : Scale) (plus minus offset : Nat) (slope slope' x z : K) :
    Sheet (natural plus) (natural minus) (natural s.unit) (natural s.top) (natural (offset + offset)) slope
      slope' (s.image x) (s.image z) =
    natural (2 * s.unit * s.unit) * difference plus minus offset slope slope' x z +
      natural (raise plus minus s.unit s.center (offset + offset)) := by
  have mirrored : natural s.top - s.image z = s.image (-z) := by
    have top : (natural s.top : K) = natural s.center + natural s.center := natural_add _ _
    unfold Scale.image
    rw [top]
    exact (ring3 K u c z, c + c - (u * z + c), u * -z + c) _ _ _
  have zero : (natural (corner s.top s.center s.center) : K) = natural (2 * (s.center * s.center)) :=
    congrArg _ (corner_center _)
  unfold Sheet difference
  rw [mirrored, corner_image, corner_image, slant_image, slant_image, zero]
  show _ =
    _ + natural ((plus + minus) * (2 * (s.center * s.center)) + s.unit * (2 * ((offset + offset) * s.center)))
  rw [natural_add ((plus + minus) * _), natural_mul (plus + minus), natural_add plus,
      natural_mul s.unit (2 * _), natural_mul (2 * s.unit) s.unit, natural_mul 2 s.unit,
      natural_mul 2 ((offset + offset) * _), two_eq]
  generalize (natural (2 * (s.center * s.center)) : K) = zero
  generalize (natural ((offset + offset) * s.center) : K) = w
  have parts : ∀ p n u y a b : K, p * ((1 + 1) * u * u * y + zero) + n * ((1 + 1) * u * u * -y + zero) +
        u * ((1 + 1) * w - (1 + 1) * u * a - w + ((1 + 1) * w - (1 + 1) * u * b - w)) =
      (1 + 1) * u * u * ((p - n) * y - a - b) + ((p + n) * zero + u * ((1 + 1) * w)) := fun p n u y a b =>
    (ring8 K p n u y a b z w, p * ((1 + 1) * u * u * y + z) + n * ((1 + 1) * u * u * -y + z) +
        u * ((1 + 1) * w - (1 + 1) * u * a - w + ((1 + 1) * w - (1 + 1) * u * b - w)),
        (1 + 1) * u * u * ((p - n) * y - a - b) + ((p + n) * z + u * ((1 + 1) * w))) p n u y a b zero w
  rw [OrderedRing.mul_neg]
  exact parts _ _ _ _ _ _

theorem below {n m : Nat} {v : K} (h : n ≤ m) (e : (natural m : K) = v) : natural n ≤ v := by
  rw [← e]
  exact natural_le h
theorem above {n m : Nat} {v : K} (h : n ≤ m) (e : (natural n : K) = v) : v ≤ natural m := by
  rw [← e]
  exact natural_le h

/-- A distance, squared. -/
theorem distance_square (a b : Nat) :
    (natural ((a - b + (b - a)) * (a - b + (b - a))) : K) =
    (natural a - natural b) * (natural a - natural b) := by
  cases Nat.le_total a b with
  | inl h =>
    rw [Nat.sub_eq_zero_of_le h, Nat.zero_add, natural_mul, Linear.natural_sub h]
    exact (ring2 K a b, (b - a) * (b - a), (a - b) * (a - b)) _ _
  | inr h =>
    rw [Nat.sub_eq_zero_of_le h, Nat.add_zero, natural_mul, Linear.natural_sub h]

/-- The difference of a square and a line is not below its vertex. -/
theorem vertex {plus unit offset slope slope' : Nat} (hp : 0 < plus) (x : K) :
    0 ≤ natural (2 * unit * unit) * difference plus 0 offset (natural slope) (natural slope') x x +
      natural (sag plus unit (offset + offset) slope slope') := by
  have e : sag plus unit (offset + offset) slope slope' =
    (unit * (slope + slope' - (offset + offset) + (offset + offset - (slope + slope')))) *
      (unit * (slope + slope' - (offset + offset) + (offset + offset - (slope + slope')))) / (2 * plus) +
          1 := by
    unfold sag
    rw [force_eq]; rfl
  have positive : 0 < 2 * plus := Nat.mul_pos (by decide) hp
  rw [e]
  generalize d : slope + slope' - (offset + offset) + (offset + offset - (slope + slope')) = t
  have large := natural_le (K := K) (Affine.ceiling (n := unit * t * (unit * t)) positive)
  generalize unit * t * (unit * t) / (2 * plus) + 1 = q at large ⊢
  have square : (natural (t * t) : K) =
      (natural slope + natural slope' - (natural offset + natural offset)) *
        (natural slope + natural slope' - (natural offset + natural offset)) := by
    rw [← d, distance_square, natural_add, natural_add]
  rw [natural_mul (2 * plus), natural_mul (unit * t), natural_mul unit, natural_mul 2, two_eq] at large
  rw [natural_mul] at square
  refine cancel_natural positive ?_
  rw [OrderedRing.mul_zero]
  unfold difference
  rw [natural_mul (2 * unit), natural_mul 2 unit, natural_mul 2 plus, two_eq]
  have zero : (natural 0 : K) = 0 := rfl
  rw [zero]
  generalize (natural slope : K) = a at *
  generalize (natural slope' : K) = b at *
  generalize (natural offset : K) = o at *
  have v := sq_nonneg (natural unit * ((1 + 1) * natural plus * x - (a - o + (b - o))))
  refine le_cert ?_ (add_nonneg v (sub_nonneg large))
  have sq : natural unit * natural t * (natural unit * natural t) =
      natural unit * natural unit * ((a + b - (o + o)) * (a + b - (o + o)) : K) := by
    rw [← square]
    exact (ring2 K u t, u * t * (u * t), u * u * (t * t)) _ _
  rw [sq]
  exact (ring8 K u p x a b o q z,
      (1 + 1) * p * ((1 + 1) * u * u * ((p - 0) * (x * x) - (a - o) * x - (b - o) * x) + q) - 0,
      u * ((1 + 1) * p * x - (a - o + (b - o))) * (u * ((1 + 1) * p * x - (a - o + (b - o)))) +
      ((1 + 1) * p * q - u * u * ((a + b - (o + o)) * (a + b - (o + o))))) _ _ _ _ _ _ _ 0

/-- **One product.** What `piece` hands on bounds the product less the plane. -/
theorem piece_sound {s : Scale} {plus minus offset : Nat} {square : Bool} {slope slope' l u l' u' : Nat}
    {x z : K} {next : Nat → Nat → Bool} (hx : Within s l u x) (hz : Within s l' u' z)
    (h1 : l ≤ u)
    (h2 : u ≤ s.top)
    (g1 : l' ≤ u')
    (g2 : u' ≤ s.top)
    (hs : slope ≤ offset + offset)
    (hs' : slope' ≤ offset + offset)
    (same : square = true → x = z ∧ 0 < plus ∧ minus = 0)
    (h : piece plus minus s.unit s.center s.top (offset + offset) square slope slope' l u l' u' next = true) :
    ∃ low high, next low high = true ∧
      natural low ≤ natural (2 * s.unit * s.unit) *
            difference plus minus offset (natural slope) (natural slope') x z +
          natural (raise plus minus s.unit s.center (offset + offset)) ∧
      natural (2 * s.unit * s.unit) * difference plus minus offset (natural slope) (natural slope') x z +
          natural (raise plus minus s.unit s.center (offset + offset)) ≤ natural high := by
  unfold piece at h
  simp only [force_eq] at h
  have l2 := Nat.le_trans h1 h2
  have k2 := Nat.le_trans g1 g2
  generalize ep : sheet plus minus s.unit s.top (offset + offset) slope slope' l l' = p at h
  generalize eq : sheet plus minus s.unit s.top (offset + offset) slope slope' l u' = q at h
  generalize er : sheet plus minus s.unit s.top (offset + offset) slope slope' u l' = r at h
  generalize et : sheet plus minus s.unit s.top (offset + offset) slope slope' u u' = t at h
  have np := sheet_natural (K := K) (plus := plus) (minus := minus) (unit := s.unit) l2 k2 hs hs'
  have nq := sheet_natural (K := K) (plus := plus) (minus := minus) (unit := s.unit) l2 g2 hs hs'
  have nr := sheet_natural (K := K) (plus := plus) (minus := minus) (unit := s.unit) h2 k2 hs hs'
  have nt := sheet_natural (K := K) (plus := plus) (minus := minus) (unit := s.unit) h2 g2 hs hs'
  rw [ep] at np; rw [eq] at nq; rw [er] at nr; rw [et] at nt
  have a := least_le p q
  have b := least_le r t
  have c := least_le (least p q) (least r t)
  have a' := le_most p q
  have b' := le_most r t
  have c' := le_most (most p q) (most r t)
  have key := corners (f := Sheet (natural plus) (natural minus) (natural s.unit) (natural s.top)
      (natural (offset + offset)) (natural slope) (natural slope'))
    (low := natural (least (least p q) (least r t))) (high := natural (most (most p q) (most r t)))
    (sheet_straight _ _ _ _ _ _ _) (sheet_straight' _ _ _ _ _ _ _) hx.1 hx.2 hz.1 hz.2
    (below (Nat.le_trans c.1 a.1) np) (below (Nat.le_trans c.1 a.2) nq) (below (Nat.le_trans c.2 b.1) nr)
    (below (Nat.le_trans c.2 b.2) nt) (above (Nat.le_trans a'.1 c'.1) np) (above (Nat.le_trans a'.2 c'.1) nq)
    (above (Nat.le_trans b'.1 c'.2) nr) (above (Nat.le_trans b'.2 c'.2) nt)
  rw [sheet_image] at key
  cases square with
  | false => exact ⟨_, _, h, key.1, key.2⟩
  | true =>
    obtain ⟨e, hp, zero⟩ := same rfl
    obtain ⟨deep, h⟩ := both_true h
    have deep := Nat.le_of_ble_eq_true deep
    refine ⟨_, _, h, ?_, key.2⟩
    subst e
    subst zero
    have low := vertex (K := K) (unit := s.unit) (offset := offset) (slope := slope) (slope' := slope') hp x
    have floor : natural
      (raise plus 0 s.unit s.center (offset + offset) - sag plus s.unit (offset + offset) slope slope') ≤
        natural (2 * s.unit * s.unit) * difference plus 0 offset (natural slope) (natural slope') x x +
            (natural (raise plus 0 s.unit s.center (offset + offset)) : K) := by
      rw [Linear.natural_sub deep]
      exact le_cert ((ring3 K v b d, v + b - (b - d), v + d - 0) _ _ _) (sub_nonneg low)
    cases Nat.le_total
        (raise plus 0 s.unit s.center (offset + offset) - sag plus s.unit (offset + offset) slope slope')
        (least (least p q) (least r t)) with
    | inl g => exact le_trans (natural_le (most_le g Nat.le.refl)) key.1
    | inr g => exact le_trans (natural_le (most_le Nat.le.refl g)) floor

end Linearize
end PytestTorchLean
