prelude
import PytestTorchLean.Check.Relaxation.ChooseLines
/-!
# Through a maximum or a minimum of two slots

The certificate gives both slopes of every result, as multiples of `2^-bits` (Check/Relaxation/ChooseLines).
What a result reads may stand anywhere: a slot outside of the run that the rows go on with is replaced by its
bounds at once, as the constant in `max(a, 6)` is.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### One result after the other -/

/-- The coefficients of result `k`, spread over the two slots that it reads. -/
def chooseOne (s : Scale) (frame : Frame) (maximum : Bool)
    (bits lower upper sources first m direct memory positive negative k : Nat) (p n gain loss : Nat)
    (next : Nat → Nat → Nat → Nat → Bool) : Bool :=
  force (fun unit => force (fun slot => force (fun slot' => force (fun low => force (fun high =>
      both (both (both (Nat.ble (Nat.succ slot) memory) (Nat.ble (Nat.succ slot') memory))
          (both (Nat.ble low unit) (Nat.ble high unit)))
        (force (fun more => force (fun fewer => force (fun word => force (fun word' =>
            place s frame first m direct slot (Nat.mul low more) (Nat.mul high fewer) p n gain loss
                fun p n gain loss =>
            place s frame first m direct slot' (Nat.mul (Nat.sub unit low) more)
                (Nat.mul (Nat.sub unit high) fewer) p n gain loss fun p n gain loss =>
            force (fun down => force (fun up => force (fun loss' => next p n gain loss')
              (Nat.add loss (Bool.casesOn (motive := fun _ => Nat) maximum
                    (Nat.mul (chosenOffset (Nat.sub unit low) low down up) more)
                    (Nat.mul (chosenOffset high (Nat.sub unit high) down up) fewer))))
              (Nat.sub (Nat.shiftRight word s.half) (Nat.land word' (Nat.sub (Nat.pow 2 s.half) 1))))
              (Nat.sub (Nat.shiftRight word' s.half) (Nat.land word (Nat.sub (Nat.pow 2 s.half) 1))))
          (Memory.lookup s.stride direct slot')) (Memory.lookup s.stride direct slot))
          (cutOut frame.digit frame.width frame.rows negative k 1))
              (cutOut frame.digit frame.width frame.rows positive k 1)))
      (Memory.lookup (Nat.succ bits) upper k)) (Memory.lookup (Nat.succ bits) lower k))
      (Memory.lookup 32 sources (Nat.succ (Nat.mul 2 k)))) (Memory.lookup 32 sources (Nat.mul 2 k)))
      (Nat.pow 2 bits)
def chooseEach (s : Scale) (frame : Frame) (maximum : Bool)
    (bits lower upper sources first m direct memory positive negative n : Nat)
    (next : Nat → Nat → Nat → Nat → Bool) : Bool :=
  Nat.rec (motive := fun _ => (Nat → Nat → Nat → Nat → Bool) → Bool) (fun next => next 0 0 0 0)
    (fun k before next => before fun p q gain loss => chooseOne s frame maximum bits lower upper sources first
        m direct memory positive negative k p q gain loss next) n next

theorem lookup_word (sources i : Nat) : Memory.lookup 32 sources i = word sources i := digit_eq 32 sources i

/-- What a result is replaced by, row by row: `natural d * (f r - g r) * y` is not exceeded. -/
theorem chosen_le {maximum : Bool} {a b y : K}
    (h : Extremum.IsChoice maximum a b y)
    {low high d down up more fewer : Nat}
    (hl : low ≤ d)
    (hh : high ≤ d)
    (hd : b - a ≤ natural down)
    (hu : a - b ≤ natural up) :
    (natural (low * more) - natural (high * fewer)) * a +
      (natural ((d - low) * more) - natural ((d - high) * fewer)) * b -
      natural (cond maximum (chosenOffset high (d - high) down up * fewer)
          (chosenOffset (d - low) low down up * more)) ≤
    natural d * ((natural more - natural fewer) * y) := by
  have nm := natural_nonneg (K := K) more
  have nf := natural_nonneg (K := K) fewer
  cases maximum with
  | true =>
    have b1 := mul_nonneg nm (sub_nonneg (maximum_lower h hl))
    obtain ⟨o1, o2⟩ := chosenOffset_le high (d - high) down up
    have b2 := mul_nonneg nf (sub_nonneg (maximum_upper h hh hd hu o1 o2))
    show _ - natural (chosenOffset high (d - high) down up * fewer) ≤ _
    rw [natural_mul, natural_mul, natural_mul, natural_mul, natural_mul]
    refine le_cert ?_ (add_nonneg b1 b2)
    generalize (natural (d - low) : K) = l'
    generalize (natural (d - high) : K) = h'
    generalize (natural (chosenOffset high _ down up) : K) = o
    generalize (natural low : K) = l
    generalize (natural high : K) = h
    generalize (natural more : K) = m
    generalize (natural fewer : K) = f
    generalize (natural d : K) = d
    have e1 := (ring8 K m f d y l a k b, m * (d * y - (l * a + k * b)), m * d * y - m * l * a - m * k * b) m f
      d y l a l' b
    have e2 := (ring8 K o f d y l a k b, f * (l * a + k * b + o - d * y),
        f * l * a + f * k * b + f * o - f * d * y) o f d y h a h' b
    rw [e1, e2]
    have e3 := (ring8 K l m h f a k j b, (l * m - h * f) * a + (k * m - j * f) * b,
        m * l * a - f * h * a + (m * k * b - f * j * b)) l m h f a l' h' b
    rw [e3, (ring4 K d m f y, d * ((m - f) * y), m * d * y - f * d * y) d m f y,
        (ring2 K o f, o * f, f * o) o f]
    exact (ring8 K p q r t u v w z, p - q - (r - t + (u - v) - w), p - r - u + (t + v + w - q)) _ _ _ _ _ _ _
      0
  | false =>
    have b1 := mul_nonneg nf (sub_nonneg (minimum_upper h hh))
    obtain ⟨o1, o2⟩ := chosenOffset_le (d - low) low down up
    have b2 := mul_nonneg nm (sub_nonneg (minimum_lower h hl hd hu o1 o2))
    show _ - natural (chosenOffset (d - low) low down up * more) ≤ _
    rw [natural_mul, natural_mul, natural_mul, natural_mul, natural_mul]
    refine le_cert ?_ (add_nonneg b1 b2)
    generalize (natural (d - low) : K) = l'
    generalize (natural (d - high) : K) = h'
    generalize (natural (chosenOffset _ low down up) : K) = o
    generalize (natural low : K) = l
    generalize (natural high : K) = h
    generalize (natural more : K) = m
    generalize (natural fewer : K) = f
    generalize (natural d : K) = d
    have e1 := (ring8 K m f d y l a k b, f * (l * a + k * b - d * y), f * l * a + f * k * b - f * d * y) m f d
      y h a h' b
    have e2 := (ring8 K o m d y l a k b, m * (d * y + o - (l * a + k * b)),
        m * d * y + m * o - m * l * a - m * k * b) o m d y l a l' b
    rw [e1, e2]
    have e3 := (ring8 K l m h f a k j b, (l * m - h * f) * a + (k * m - j * f) * b,
        m * l * a - f * h * a + (m * k * b - f * j * b)) l m h f a l' h' b
    rw [e3, (ring4 K d m f y, d * ((m - f) * y), m * d * y - f * d * y) d m f y,
        (ring2 K o f, o * f, f * o) o m]
    exact (ring8 K p q r t u v w z, p - q - (r - t + (u - v) - w), t + v - q + (p + w - r - u)) _ _ _ _ _ _ _
      0

theorem chooseOne_sound {s : Scale} {frame : Frame} {slots : Nat → K} {maximum : Bool}
    {bits lower upper sources first m direct mirrored memory size n start k p q gain loss : Nat}
    {f g : Nat → Nat → Nat} {total : Nat → K} {next : Nat → Nat → Nat → Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (digit : 0 < frame.digit)
    (hw : n ≤ frame.width)
    (hs : size ≤ frame.digit)
    (hf : ∀ r, r < frame.rows → ∀ j, j < n → f r j < 2 ^ size ∧ g r j < 2 ^ size)
    (hk : k < n)
    (choice : Extremum.IsChoice maximum (slots (word sources (2 * k))) (slots (word sources (2 * k + 1)))
      (slots (start + k)))
    (hx : Replaced s frame slots first m (2 ^ bits * 2 ^ size)
      (s.top * (2 ^ bits * 2 ^ size) + s.top * (2 ^ bits * 2 ^ size)) (3 * k) p q gain loss total)
    (h : chooseOne s frame maximum bits lower upper sources first m direct memory
      (grid frame.digit frame.width n frame.rows f) (grid frame.digit frame.width n frame.rows g) k p q gain
      loss next = true) :
    ∃ p' q' gain' loss', Replaced s frame slots first m (2 ^ bits * 2 ^ size)
        (s.top * (2 ^ bits * 2 ^ size) + s.top * (2 ^ bits * 2 ^ size)) (3 * (k + 1)) p' q' gain' loss'
        (fun r =>
          total r + natural (2 ^ bits) * ((natural (f r k) - natural (g r k)) * values s slots start k)) ∧
      next p' q' gain' loss' = true := by
  unfold chooseOne at h
  simp only [force_eq] at h
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨hc, hd⟩ := both_true hc
  obtain ⟨c1, c2⟩ := both_true hc
  obtain ⟨c3, c4⟩ := both_true hd
  have w1 : Memory.lookup 32 sources (Nat.mul 2 k) = word sources (2 * k) := lookup_word _ _
  have w2 : Memory.lookup 32 sources (Nat.succ (Nat.mul 2 k)) = word sources (2 * k + 1) := lookup_word _ _
  rw [w1] at c1 h
  rw [w2] at c2 h
  have c1 : word sources (2 * k) < memory := Nat.le_of_ble_eq_true c1
  have c2 : word sources (2 * k + 1) < memory := Nat.le_of_ble_eq_true c2
  generalize word sources (2 * k) = i at *
  generalize word sources (2 * k + 1) = i' at *
  generalize Memory.lookup (Nat.succ bits) lower k = low at *
  generalize Memory.lookup (Nat.succ bits) upper k = high at *
  have c3 : low ≤ 2 ^ bits := Nat.le_of_ble_eq_true c3
  have c4 : high ≤ 2 ^ bits := Nat.le_of_ble_eq_true c4
  have wide : ∀ {a : Nat},
    a < 2 ^ size → a < 2 ^ frame.digit := fun h => Natural.lt_of_lt_of_le h (Natural.two_pow_le hs)
  have column : ∀ (A : Nat → Nat → Nat), (∀ r, r < frame.rows → ∀ j, j < n → A r j < 2 ^ size) →
      cutOut frame.digit frame.width frame.rows (grid frame.digit frame.width n frame.rows A) k 1 =
          side frame.digit frame.width frame.rows fun r => A r k := fun A hA => by
    rw [cutOut_eq digit hw (fun r hr j hj => wide (hA r hr j hj)) hk]
    rfl
  rw [column f fun r hr j hj => (hf r hr j hj).1, column g fun r hr j hj => (hf r hr j hj).2] at h
  obtain ⟨l, u, e1, e2, lu, ut, wi⟩ := lookup_within sf hm c1
  obtain ⟨l', u', e1', e2', lu', ut', wi'⟩ := lookup_within sf hm c2
  rw [e1, e2, e1', e2'] at h
  have bound : ∀ {a v : Nat}, a ≤ 2 ^ bits → v < 2 ^ size → a * v ≤ 2 ^ bits * 2 ^ size :=
    fun ha hv => Nat.mul_le_mul ha (Natural.le_of_lt hv)
  have less : ∀ a, 2 ^ bits - a ≤ 2 ^ bits := fun a => Natural.sub_le _ _
  obtain ⟨p, q, gain, loss, hx, h⟩ := place_sound (f := fun r => low * f r k) (g := fun r => high * g r k) sf
    hm c1 (side_mul _ _ _ _ _).symm (side_mul _ _ _ _ _).symm
    (fun r hr => ⟨bound c3 (hf r hr k hk).1, bound c4 (hf r hr k hk).2⟩) Nat.le.refl hx h
  obtain ⟨p, q, gain, loss, hx, h⟩ := place_sound (f := fun r => (2 ^ bits - low) * f r k)
    (g := fun r => (2 ^ bits - high) * g r k) sf hm c2 (side_mul _ _ _ _ _).symm (side_mul _ _ _ _ _).symm
    (fun r hr => ⟨bound (less _) (hf r hr k hk).1, bound (less _) (hf r hr k hk).2⟩) Nat.le.refl hx h
  have small : ∀ {a v : Nat}, a ≤ 2 ^ bits * s.top →
      v < 2 ^ size → a * v ≤ s.top * (2 ^ bits * 2 ^ size) + s.top * (2 ^ bits * 2 ^ size) :=
      fun {a v} ha hv => by
    refine Nat.le_trans (Nat.mul_le_mul ha (Natural.le_of_lt hv))
      (Nat.le_trans (Natural.le_of_eq ?_) (Nat.le_add_right _ _))
    rw [Nat.mul_comm (2 ^ bits), Nat.mul_assoc]
  have exact_ : ∀ {a : Nat}, a ≤ 2 ^ bits → a + (2 ^ bits - a) = 2 ^ bits :=
      fun h => by rw [Nat.add_comm]; exact Natural.sub_add_cancel h
  have down : u' - l ≤ s.top := Nat.le_trans (Natural.sub_le _ _) ut'
  have up : u - l' ≤ s.top := Nat.le_trans (Natural.sub_le _ _) ut
  have charged := charge_sound (offset := cond maximum (chosenOffset high (2 ^ bits - high) (u' - l) (u - l'))
      (chosenOffset (2 ^ bits - low) low (u' - l) (u - l')))
    (z := fun r => cond maximum (g r k) (f r k)) (column := cond maximum
        (side frame.digit frame.width frame.rows fun r => g r k)
        (side frame.digit frame.width frame.rows fun r => f r k))
    (by cases maximum <;> rfl)
    (fun r hr => by
      cases maximum with
      | true => exact small (chosenOffset_bound (Natural.le_of_eq (exact_ c4)) down up) (hf r hr k hk).2
      | false =>
        exact small (chosenOffset_bound (Natural.le_of_eq (by rw [Nat.add_comm]; exact exact_ c3)) down up)
          (hf r hr k hk).1) hx
  refine ⟨p, q, gain, _, charged.mono fun r hr => ?_, ?_⟩
  rotate_left
  · cases maximum with
    | true => exact h
    | false => exact h
  · have b := chosen_le (more := f r k) (fewer := g r k) (choice_values (s := s) choice) c3 c4
      (apart_le wi' wi) (apart_le wi wi')
    have same : (cond maximum (chosenOffset high (2 ^ bits - high) (u' - l) (u - l'))
          (chosenOffset (2 ^ bits - low) low (u' - l) (u - l'))) * cond maximum (g r k) (f r k) =
        cond maximum (chosenOffset high (2 ^ bits - high) (u' - l) (u - l') * g r k)
            (chosenOffset (2 ^ bits - low) low (u' - l) (u - l') * f r k) := by
      cases maximum <;> rfl
    rw [same]
    show _ ≤ total r +
        natural (2 ^ bits) * ((natural (f r k) - natural (g r k)) * (natural s.unit * slots (start + k)))
    refine le_cert ?_ (sub_nonneg b)
    exact (ring5 K o x y c z, o + z - (o + x + y - c), z - (x + y - c)) _ _ _ _ _

theorem chooseEach_sound {s : Scale} {frame : Frame} {slots : Nat → K} {maximum : Bool}
    {bits lower upper sources first m direct mirrored memory size n start : Nat} {f g : Nat → Nat → Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (digit : 0 < frame.digit)
    (hw : n ≤ frame.width)
    (hs : size ≤ frame.digit)
    (hf : ∀ r, r < frame.rows → ∀ j, j < n → f r j < 2 ^ size ∧ g r j < 2 ^ size)
    (choice : ∀ i, i < n →
      Extremum.IsChoice maximum (slots (word sources (2 * i))) (slots (word sources (2 * i + 1)))
        (slots (start + i))) :
    (k : Nat) → k ≤ n → (next : Nat → Nat → Nat → Nat → Bool) →
    chooseEach s frame maximum bits lower upper sources first m direct memory
        (grid frame.digit frame.width n frame.rows f) (grid frame.digit frame.width n frame.rows g) k next =
      true →
    ∃ p q gain loss, Replaced s frame slots first m (2 ^ bits * 2 ^ size)
        (s.top * (2 ^ bits * 2 ^ size) + s.top * (2 ^ bits * 2 ^ size)) (3 * k) p q gain loss
        (fun r => natural (2 ^ bits) * form k (f r) (g r) (values s slots start)) ∧
      next p q gain loss = true := by
  intro k
  induction k with
  | zero =>
    intro _ next h
    refine ⟨0, 0, 0, 0, ⟨fun _ _ => 0, fun _ _ => 0, fun _ => 0, fun _ => 0, (grid_zero _ _ _ _).symm,
          (grid_zero _ _ _ _).symm, (side_zero _ _ _).symm, (side_zero _ _ _).symm,
          fun r _ => ⟨fun _ _ => ⟨Nat.zero_le _, Nat.zero_le _⟩, Nat.zero_le _, Nat.zero_le _, ?_⟩⟩, h⟩
    have z : form m (fun _ => 0) (fun _ => 0) (values s slots first) = (0 : K) := form_zero m _
    rw [z]
    exact le_of_eq ((ring1 K x, 0 + 0, x * 0 + 0) _)
  | succ k smaller =>
    intro hk next h
    obtain ⟨p, q, gain, loss, hx, h⟩ := smaller (Natural.le_of_lt hk) _ h
    obtain ⟨p, q, gain, loss, hx, h⟩ := chooseOne_sound sf hm digit hw hs hf hk (choice k hk) hx h
    refine ⟨p, q, gain, loss, hx.mono fun r _ => ?_, h⟩
    unfold form
    rw [sum_append k 1]
    show _ ≤ natural (2 ^ bits) * (_ + ((natural (f r k) - natural (g r k)) * values s slots start k + 0))
    exact le_of_eq ((ring3 K d a b, d * a + d * b, d * (a + (b + 0))) _ _ _)

/-! ### All results -/

/-- The batch over the `m` slots from `first` on, of which the results of a maximum or a minimum are
    chosen. -/
def choose (s : Scale) (frame : Frame) (maximum : Bool)
    (bits lower upper first m n sources direct memory : Nat) (x : Batch) (next : Batch → Bool) : Bool :=
  both (both (fits s frame memory x)
      (both (both (Nat.beq x.count n) (Nat.ble m frame.width))
        (both (slopesFit bits n lower) (slopesFit bits n upper))))
    (force (fun unit => force (fun longer => force (fun size =>
        both
          (both (Nat.ble (Nat.succ (Nat.mul 3 n)) (Nat.pow 2 longer)) (Nat.ble (Nat.succ size) frame.digit))
          (chooseEach s frame maximum bits lower upper sources first m direct memory x.positive x.negative n
              fun p q gain loss =>
            force (fun positive =>
                force (fun negative => force (fun gain' => force (fun loss' => force (fun limit =>
                next
                  ⟨Nat.mul unit x.scale, x.weight, limit, first, m, size, positive, negative, gain', loss'⟩)
              (Nat.add (Nat.mul unit x.limit)
                  (Nat.mul x.weight
                    (Nat.mul (Nat.mul 3 n) (Nat.mul 2 (Nat.mul s.top (Nat.mul unit (Nat.pow 2 x.size))))))))
              (Nat.add (Nat.mul unit x.loss) (Nat.mul x.weight loss)))
                (Nat.add (Nat.mul unit x.gain) (Nat.mul x.weight gain)))
              (minus frame.digit frame.width m frame.rows size q p))
                  (minus frame.digit frame.width m frame.rows size p q)))
      (Nat.add (Nat.add x.size bits) longer)) (Nat.succ (Nat.log2 (Nat.mul 3 n)))) (Nat.pow 2 bits))

/-- Rows go on through a maximum or a minimum of two slots and stay below their goals. -/
theorem choose_sound {s : Scale} {frame : Frame} {slots goal : Nat → K} {maximum : Bool}
    {bits lower upper first m n sources direct mirrored memory : Nat} {x : Batch} {next : Batch → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hx : x.Holds s frame slots goal)
    (choice : ∀ i, i < n →
      Extremum.IsChoice maximum (slots (word sources (2 * i))) (slots (word sources (2 * i + 1)))
        (slots (x.start + i)))
    (h : choose s frame maximum bits lower upper first m n sources direct memory x next = true) :
    ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true := by
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨hf, hc⟩ := both_true hc
  obtain ⟨c1, c2⟩ := both_true (both_true hc).1
  have ok := fits_sound hf
  have c1 := Nat.eq_of_beq_eq_true c1
  subst c1
  have c2 : m ≤ frame.width := Nat.le_of_ble_eq_true c2
  simp only [force_eq] at h
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨c3, c4⟩ := both_true hc
  generalize Nat.succ (Nat.log2 (Nat.mul 3 x.count)) = longer at *
  have c3 : 3 * x.count < 2 ^ longer := Nat.le_of_ble_eq_true c3
  have c4 : x.size + bits + longer + 1 ≤ frame.digit := Nat.le_of_ble_eq_true c4
  obtain ⟨f, g, c, d, p1, p2, p3, p4, hr⟩ := hx
  rw [p1, p2] at h
  obtain ⟨p, q, gain, loss, ⟨fp, fq, cp, cq, e1, e2, e3, e4, hs⟩, h⟩ := chooseEach_sound (start := x.start) sf
    hm ok.digit ok.width (Nat.le_trans (Nat.le_add_right _ 1) ok.size) (fun r hr' => (hr r hr').1) choice
    x.count Nat.le.refl _ h
  have room : 3 * x.count * (2 ^ bits * 2 ^ x.size) < 2 ^ (x.size + bits + longer) := by
    rw [Natural.pow_add, Natural.pow_add, Nat.mul_comm (3 * x.count), Nat.mul_comm (2 ^ bits)]
    exact Natural.mul_lt_mul_left (Nat.mul_pos (Natural.two_pow_pos _) (Natural.two_pow_pos _)) c3
  have pw : ∀ r, r < frame.rows →
    ∀ j, j < m → fp r j < 2 ^ (x.size + bits + longer) :=
      fun r hr' j hj => Natural.lt_of_le_of_lt ((hs r hr').1 j hj).1 room
  have qw : ∀ r, r < frame.rows →
    ∀ j, j < m → fq r j < 2 ^ (x.size + bits + longer) :=
      fun r hr' j hj => Natural.lt_of_le_of_lt ((hs r hr').1 j hj).2 room
  have m1 : minus frame.digit frame.width m frame.rows (Nat.add (Nat.add x.size bits) longer) p q =
      grid frame.digit frame.width m frame.rows fun r j => fp r j - fq r j := by
    rw [e1, e2]; exact minus_eq c2 c4 pw qw
  have m2 : minus frame.digit frame.width m frame.rows (Nat.add (Nat.add x.size bits) longer) q p =
      grid frame.digit frame.width m frame.rows fun r j => fq r j - fp r j := by
    rw [e1, e2]; exact minus_eq c2 c4 qw pw
  rw [m1, m2] at h
  refine ⟨_, ?_, h⟩
  refine ⟨_, _, fun r => 2 ^ bits * c r + x.weight * cp r, fun r => 2 ^ bits * d r + x.weight * cq r, rfl,
      rfl, ?_, ?_, fun r hr' => ?_⟩
  · show 2 ^ bits * x.gain + x.weight * gain = _
    rw [p3, e3, side_add, side_mul, side_mul]
  · show 2 ^ bits * x.loss + x.weight * loss = _
    rw [p4, e4, side_add, side_mul, side_mul]
  · obtain ⟨_, q2, q3, q4⟩ := hr r hr'
    obtain ⟨_, s2, s3, s4⟩ := hs r hr'
    have twice : s.top * (2 ^ bits * 2 ^ x.size) + s.top * (2 ^ bits * 2 ^ x.size) =
      2 * (s.top * (2 ^ bits * 2 ^ x.size)) := (Natural.two_mul _).symm
    rw [twice] at s2 s3
    refine ⟨fun j hj => ⟨Natural.lt_of_le_of_lt (Natural.sub_le _ _) (pw r hr' j hj),
          Natural.lt_of_le_of_lt (Natural.sub_le _ _) (qw r hr' j hj)⟩,
        Nat.add_le_add (Nat.mul_le_mul Nat.le.refl q2) (Nat.mul_le_mul Nat.le.refl s2),
        Nat.add_le_add (Nat.mul_le_mul Nat.le.refl q3) (Nat.mul_le_mul Nat.le.refl s3), ?_⟩
    rw [form_cancel]
    have s4 : form m (fp r) (fq r) (values s slots first) + natural (cp r) ≤
      natural (2 ^ bits) * form x.count (f r) (g r) (values s slots x.start) + natural (cq r) := s4
    have b := mul_le_left (natural_nonneg (K := K) x.weight) s4
    have q4 := mul_le_left (natural_nonneg (K := K) (2 ^ bits)) q4
    show natural x.weight * form m (fp r) (fq r) (values s slots first) +
        natural (2 ^ bits * c r + x.weight * cp r) ≤
      natural (2 ^ bits * x.scale) * goal r + natural (2 ^ bits * d r + x.weight * cq r)
    rw [natural_add, natural_add, natural_mul (2 ^ bits) (c r), natural_mul (2 ^ bits) x.scale,
        natural_mul (2 ^ bits) (d r), natural_mul x.weight, natural_mul x.weight]
    rw [mul_assoc (natural (2 ^ bits)) (natural x.scale)]
    generalize form m (fp r) (fq r) (values s slots first) = y at *
    generalize form x.count (f r) (g r) (values s slots x.start) = w at *
    generalize (natural x.scale : K) * goal r = o at *
    generalize (natural x.weight : K) = t at *
    generalize (natural (2 ^ bits) : K) = u at *
    have b := sub_nonneg b
    have q4 := sub_nonneg q4
    rw [(ring8 K t u w k y c o d, t * (u * w + k) - t * (y + c), t * u * w + t * k - t * y - t * c) t u w
        (natural (cq r)) y (natural (cp r)) 0 0] at b
    rw [(ring8 K t u w k y c o d, u * (o + d) - u * (t * w + c), u * o + u * d - t * u * w - u * c) t u w 0 0
        (natural (c r)) o (natural (d r))] at q4
    refine le_cert ?_ (add_nonneg b q4)
    generalize t * u * w = z
    generalize t * (natural (cq r) : K) = z1
    generalize t * (natural (cp r) : K) = z2
    generalize u * (natural (d r) : K) = z3
    generalize u * (natural (c r) : K) = z4
    generalize u * o = z5
    generalize t * y = z6
    exact (ring8 K z a b c d e f g, e + (c + a) - (f + (d + b)), z + a - f - b + (e + c - z - d)) z z1 z2 z3
      z4 z5 z6 0
end Relaxation
end PytestTorchLean
