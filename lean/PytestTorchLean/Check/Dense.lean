prelude
import PytestTorchLean.Check.DenseProduct
/-!
# Consecutive slots: one product for all columns

Where the first columns of a matrix read consecutive slots, the memory's words need not be taken out
one by one. They are spread so that each word has as much room as a column has digits; times the columns
packed in reverse order, the middle of this product is the sum over all columns, as in the product of two
polynomials. The result equals `Linear.accumulate`, so every theorem about that applies.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
namespace Dense

/-! ### The first columns and the others -/

def take (n : Nat) : List Column → List Column :=
  Nat.rec (motive := fun _ => List Column → List Column) (fun _ => [])
    (fun _ rest cs => List.rec (motive := fun _ => List Column) [] (fun c later _ => c :: rest later) cs) n
def drop (n : Nat) : List Column → List Column :=
  Nat.rec (motive := fun _ => List Column → List Column) (fun cs => cs)
    (fun _ rest cs => List.rec (motive := fun _ => List Column) [] (fun _ later _ => rest later) cs) n

theorem split_columns {b rows bound : Nat} :
    (n : Nat) → (cs : List Column) → (es : List Digits) →
    Packed b rows bound cs es → n ≤ cs.length →
    ∃ heads tails, es = Columns.appendDigits heads tails ∧
      Packed b rows bound (take n cs) heads ∧
      Packed b rows bound (drop n cs) tails ∧
      (take n cs).length = n ∧
      n + (drop n cs).length = cs.length
  | 0, cs, es, h, _ => ⟨[], es, rfl, trivial, h, rfl, Nat.zero_add _⟩
  | n + 1, c :: cs, e :: es, h, hn => by
    obtain ⟨heads, tails, e1, e2, e3, e4, e5⟩ := split_columns n cs es h.2 (Nat.le_of_succ_le_succ hn)
    refine ⟨e :: heads, tails, congrArg (fun l => e :: l) e1, ⟨h.1, e2⟩, e3, congrArg Nat.succ e4, ?_⟩
    show n + 1 + (drop n cs).length = cs.length + 1
    rw [Nat.succ_add, e5]
  | _ + 1, [], _, _, hn => absurd hn (Nat.not_succ_le_zero _)
  | _ + 1, _ :: _, [], h, _ => h.elim
theorem accumulate_split (stride direct mirrored : Nat) :
    (n : Nat) → (cs : List Column) → (sources : Nat) →
    n ≤ cs.length →
    Linear.accumulate stride direct mirrored cs sources =
      Linear.accumulate stride direct mirrored (take n cs) sources +
        Linear.accumulate stride direct mirrored (drop n cs) (Nat.shiftRight sources (32 * n))
  | 0, cs, sources, _ => by
    have e : Nat.shiftRight sources (32 * 0) = sources := Natural.div_one _
    rw [e]
    show Linear.accumulate stride direct mirrored cs sources =
      0 + Linear.accumulate stride direct mirrored cs sources
    rw [Nat.zero_add]
  | n + 1, c :: cs, sources, h => by
    have ih :=
      accumulate_split stride direct mirrored n cs (Nat.shiftRight sources 32) (Nat.le_of_succ_le_succ h)
    have e : Nat.shiftRight (Nat.shiftRight sources 32) (32 * n) = Nat.shiftRight sources (32 * (n + 1)) := by
      show sources / 2 ^ 32 / 2 ^ (32 * n) = sources / 2 ^ (32 * (n + 1))
      rw [Natural.shift_shift, Nat.mul_succ, Nat.add_comm]
    rw [e] at ih
    show Linear.accumulate stride direct mirrored (c :: cs) sources =
      Linear.accumulate stride direct mirrored (c :: take n cs) sources +
        Linear.accumulate stride direct mirrored (drop n cs) _
    rw [Linear.accumulate_cons, Linear.accumulate_cons, force_eq, force_eq, force_eq, force_eq, ih]
    exact (Nat.add_assoc _ _ _).symm
  | _ + 1, [], _, h => absurd h (Nat.not_succ_le_zero _)

/-- How many words follow each other, from `start` on. -/
def run (count : Nat) : Nat → Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat) (fun _ _ => 0)
    (fun _ rest start packed => Bool.casesOn (motive := fun _ => Nat)
        (Nat.beq (Nat.land packed (Nat.sub (Nat.pow 2 32) 1)) start) 0
        (Nat.succ (force (fun next => force (fun later => rest next later) (Nat.shiftRight packed 32))
            (Nat.succ start)))) count

/-- The first `count` words are `start`, `start + 1`, ...: times `2^32`, and with ones added, they are
    themselves but for the ends. A few steps of the kernel for any `count`. -/
def consecutive (count start packed : Nat) : Bool :=
  both (Nat.ble (Nat.add start count) (Nat.pow 2 32))
    (share (fun words => Nat.beq (Nat.add (Nat.add (Nat.shiftLeft words 32) (ones 32 (Nat.succ count))) start)
        (Nat.succ (Nat.add words (Nat.shiftLeft (Nat.add start count) (Nat.mul 32 count)))))
      (Nat.land packed (Nat.sub (Nat.pow 2 (Nat.mul 32 count)) 1)))

/-- What `consecutive` compares, of a number that passes. -/
theorem consecutive_pack (start : Nat) : (count : Nat) →
    pack 32 count (fun i => start + i) * 2 ^ 32 + ones 32 (count + 1) + start =
      pack 32 count (fun i => start + i) + (start + count) * 2 ^ (32 * count) + 1
  | 0 => by
    show 0 * 2 ^ 32 + ones 32 1 + start = 0 + (start + 0) * 2 ^ (32 * 0) + 1
    have e : ones 32 1 = 1 := by rw [ones_eq (Nat.succ_le_succ (Nat.zero_le 31))]; rfl
    have z : 2 ^ (32 * 0) = 1 := rfl
    rw [e, z, Nat.zero_mul, Nat.zero_add, Nat.add_zero, Natural.mul_one, Nat.zero_add, Nat.add_comm]
  | count + 1 => by
    have ih := consecutive_pack start count
    have last : pack 32 (count + 1) (fun i => start + i) =
        pack 32 count (fun i => start + i) + (start + count) * 2 ^ (32 * count) := by
      rw [pack_append]
      show _ + 2 ^ (32 * count) * (start + (count + 0) + 2 ^ 32 * 0) = _
      rw [Nat.mul_zero, Nat.add_zero, Nat.add_zero, Nat.mul_comm]
    have more : ones 32 (count + 1 + 1) = ones 32 (count + 1) + 2 ^ (32 * (count + 1)) := by
      rw [ones_eq (Nat.succ_le_succ (Nat.zero_le 31)), ones_eq (Nat.succ_le_succ (Nat.zero_le 31)),
        pack_append 32 (count + 1) 1]
      show _ + 2 ^ (32 * (count + 1)) * (1 + 2 ^ 32 * 0) = _
      rw [Nat.mul_zero, Nat.add_zero, Natural.mul_one]
    have power : 2 ^ (32 * count) * 2 ^ 32 = 2 ^ (32 * (count + 1)) := by rw [← Natural.pow_add, Nat.mul_succ]
    rw [last, more, Nat.add_mul, Nat.mul_assoc, power]
    generalize pack 32 count (fun i => start + i) = x at *
    generalize ones 32 (count + 1) = o at *
    generalize 2 ^ (32 * (count + 1)) = t at *
    generalize (start + count) * 2 ^ (32 * count) = y at *
    have e : (start + (count + 1)) * t = (start + count) * t + t := by
      rw [← Nat.add_assoc, Nat.succ_mul]
    rw [e]
    have e1 : x * 2 ^ 32 + (start + count) * t + (o + t) + start =
        x * 2 ^ 32 + o + start + ((start + count) * t + t) := by
      simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    rw [e1, ih]
    simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
/-- Only one number passes. -/
theorem consecutive_unique {b x y o s : Nat} (hb : 2 ≤ b) (h : x * b + o = x + s)
    (g : y * b + o = y + s) : x = y := by
  have aux : ∀ u v : Nat, u ≤ v → u * b + o = u + s → v * b + o = v + s → u = v := fun u v le hu hv => by
    obtain ⟨d, rfl⟩ := Nat.exists_of_le le
    have e : u * b + o + d * b = u * b + o + d := by
      have e1 : (u + d) * b + o = u * b + o + d * b := by
        rw [Nat.add_mul]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
      have e2 : u + d + s = u * b + o + d := by
        rw [hu]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
      rw [← e1, ← e2]; exact hv
    have d0 := Natural.add_left_cancel _ e
    cases d with
    | zero => rfl
    | succ d =>
      have big : (d + 1) * 2 ≤ (d + 1) * b := Nat.mul_le_mul Nat.le.refl hb
      rw [d0, Nat.mul_comm, Natural.two_mul] at big
      exact absurd big (fun q => Nat.not_succ_le_self (d + 1)
        (Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := d + 1)) (Nat.succ_le_succ (Nat.zero_le d))) q))
  cases Nat.le_total x y with
  | inl le => exact aux x y le h g
  | inr le => exact (aux y x le g h).symm
theorem word_low {n i : Nat} (hi : i < n) (x : Nat) : word (Nat.land x (2 ^ (32 * n) - 1)) i = word x i := by
  obtain ⟨k, rfl⟩ := Nat.exists_of_le hi
  rw [land_low]
  have size : 32 * (i + 1 + k) = 32 * i + (32 + 32 * k) := by rw [Nat.mul_add, Nat.mul_succ, Nat.add_assoc]
  show x % 2 ^ (32 * (i + 1 + k)) / 2 ^ (32 * i) % 2 ^ 32 = x / 2 ^ (32 * i) % 2 ^ 32
  rw [size]
  obtain ⟨q, r, e, g⟩ := Natural.euclid (Natural.two_pow_pos (32 * i)) x
  obtain ⟨q2, r2, e2, g2⟩ := Natural.euclid (Natural.two_pow_pos (32 + 32 * k)) q
  rw [e, e2, Nat.mul_add, ← Nat.add_assoc, ← Nat.mul_assoc, ← Natural.pow_add, Natural.add_mul_mod,
    Natural.add_mul_div _ g, Nat.add_assoc, Natural.pow_add, Nat.mul_assoc, ← Nat.mul_add,
    Natural.add_mul_div _ g]
  · have z := Natural.mod_mod (Nat.le_add_right 32 (32 * k)) (r2 + 2 ^ (32 + 32 * k) * q2)
    rw [Natural.add_mul_mod _ g2] at z; exact z
  · rw [Natural.pow_add]; exact Natural.add_mul_lt g g2
theorem consecutive_sound (count start packed : Nat) (h : consecutive count start packed = true) :
    ∀ k, k < count → word packed k = start + k := by
  intro k hk
  obtain ⟨small, same⟩ := both_true h
  have small : start + count ≤ 2 ^ 32 := Nat.le_of_ble_eq_true small
  rw [share_eq] at same
  have same : Nat.land packed (2 ^ (32 * count) - 1) * 2 ^ 32 + ones 32 (count + 1) + start =
      Nat.land packed (2 ^ (32 * count) - 1) + (start + count) * 2 ^ (32 * count) + 1 :=
    Nat.eq_of_beq_eq_true same
  have found : Nat.land packed (2 ^ (32 * count) - 1) = pack 32 count (fun i => start + i) :=
    consecutive_unique (Natural.two_pow_le (Nat.succ_le_succ (Nat.zero_le 31)))
      ((Nat.add_assoc _ _ _).symm.trans (same.trans (Nat.add_assoc _ _ _)))
      ((Nat.add_assoc _ _ _).symm.trans ((consecutive_pack start count).trans (Nat.add_assoc _ _ _)))
  rw [← word_low hk packed, found]
  exact digit_pack (b := 32) (f := fun i => start + i)
    (fun i hi => Natural.lt_of_lt_of_le (Nat.add_le_add (Nat.le.refl (n := start)) hi) small) hk

/-! ### Instead of `accumulate` -/

/-- Whether `n` columns from slot `first` on can be taken at once. The product forms `n` times as many digits
    as are used, so it pays for short ones only: of at most `longest` bits. -/
def usable (longest stride c first n count : Nat) : Bool :=
  both (Nat.ble (Nat.mul n c) longest) <| both (Nat.ble 5 n)
    (both (Nat.ble (Nat.add first n) count)
      (both (Nat.ble 1 stride) (both (Nat.ble stride c) (Nat.ble n (Nat.pow 2 (Nat.succ (Nat.log2 n)))))))

/-- `accumulate`, where the first `n` columns read the slots from `first` on. -/
def applyRun (longest stride c direct mirrored count : Nat) (columns : List Column)
    (sources first run : Nat) : Nat :=
  force (fun n =>
      Bool.casesOn (motive := fun _ => Nat) (usable longest stride c first n count)
        (Linear.accumulate stride direct mirrored columns sources)
        (Nat.add (Nat.add (times stride c (Nat.succ (Nat.log2 n)) first (Nat.pred n) direct
              (horner c (positives (take n columns)) 0))
            (times stride c (Nat.succ (Nat.log2 n)) first (Nat.pred n) mirrored
              (horner c (negatives (take n columns)) 0)))
          (Linear.accumulate stride direct mirrored (drop n columns)
            (Nat.shiftRight sources (Nat.mul 32 n))))) run

/-- The bounds of all rows, as `Linear.accumulate` gives them; `total` is the number of columns. A run is
    followed only until it is too long. -/
def apply (longest stride c direct mirrored count total : Nat) (columns : List Column) (sources : Nat) :
    Nat :=
  force (fun first => force (fun n =>
      Bool.casesOn (motive := fun _ => Nat) (both (Nat.ble n total) (consecutive n first sources))
        (Linear.accumulate stride direct mirrored columns sources)
        (applyRun longest stride c direct mirrored count columns sources first n))
    (run (Bool.casesOn (motive := fun _ => Nat) (Nat.ble total (Nat.succ (Nat.div longest c)))
          (Nat.succ (Nat.div longest c)) total) first sources)) (Nat.land sources (Nat.sub (Nat.pow 2 32) 1))

theorem two_halves (h x y : Nat) (hx : x ≤ y) {z : Nat} (hz : z ≤ y) : x + 2 ^ h * z ≤ y + 2 ^ h * y :=
  Nat.add_le_add hx (Nat.mul_le_mul Nat.le.refl hz)

theorem applyRun_eq {K : Type u} [OrderedRing K] {s : Scale}
    {longest b rows bound count direct mirrored sources first n : Nat} {slots : Nat → K} {cs : List Column}
    {ds : List Digits}
    (fits : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hp : Packed b rows bound cs ds)
    (n_le : n ≤ cs.length)
    (follows : ∀ k, k < n → word sources k = first + k)
    (hr : Linear.reach s bound cs.length < 2 ^ s.half)
    (hb : s.half + s.half ≤ b) :
    applyRun longest s.stride (b * rows) direct mirrored count cs sources first n =
    Linear.accumulate s.stride direct mirrored cs sources := by
  unfold applyRun
  rw [force_eq]
  cases c : usable longest s.stride (b * rows) first n count with
  | false => rfl
  | true =>
    obtain ⟨_, c⟩ := both_true c
    obtain ⟨c1, c⟩ := both_true c
    obtain ⟨c2, c⟩ := both_true c
    obtain ⟨c3, c⟩ := both_true c
    obtain ⟨c4, c5⟩ := both_true c
    have c1 := Nat.le_of_ble_eq_true c1
    have c2 : first + n ≤ count := Nat.le_of_ble_eq_true c2
    have c3 := Nat.le_of_ble_eq_true c3
    have c4 := Nat.le_of_ble_eq_true c4
    have c5 : n ≤ 2 ^ (Nat.succ (Nat.log2 n)) := Nat.le_of_ble_eq_true c5
    cases n with
    | zero => exact absurd c1 (Nat.not_succ_le_zero 4)
    | succ n =>
    obtain ⟨heads, tails, _, hheads, _, hlen, _⟩ := split_columns (n + 1) cs ds hp n_le
    rw [accumulate_split s.stride direct mirrored (n + 1) cs sources n_le]
    show times _ _ _ _ _ _ _ + times _ _ _ _ _ _ _ + _ = _
    refine congrArg (fun x => x +
        Linear.accumulate s.stride direct mirrored (drop (n + 1) cs) (Nat.shiftRight sources (32 * (n + 1))))
      ?_
    obtain ⟨l, u, h1, h2, hw⟩ := hm
    have h1 : direct = pack s.stride count (fun i => Memory.directWord s (l i) (u i)) := h1
    have h2 : mirrored = pack s.stride count (fun i => Memory.mirroredWord s (l i) (u i)) := h2
    have hw' : ∀ k, k < count → l k ≤ u k ∧ u k ≤ s.top := fun k hk => ⟨(hw k hk).1, (hw k hk).2.1⟩
    have reads : Linear.Reads sources (fun k => first + k) (take (n + 1) cs).length := fun k hk => by
      rw [hlen] at hk; exact (follows k hk).symm
    have inside : ∀ k, k < (take (n + 1) cs).length → first + k < count := fun k hk => by
      rw [hlen] at hk; exact Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := first)) hk) c2
    have words := fun i hi => Memory.word_lt fits (hw i hi).1 (hw i hi).2.1
    have dots := accumulate_dots (fun i hi => (words i hi).1) (fun i hi => (words i hi).2) (take (n + 1) cs)
      sources (fun k => first + k) reads inside
    have whole :=
      Linear.accumulate_eq fits hw' (take (n + 1) cs) heads sources (fun k => first + k) hheads reads inside
    rw [h1, h2]
    have reach_le : Linear.reach s bound (take (n + 1) cs).length ≤ Linear.reach s bound cs.length := by
      rw [hlen]; exact Nat.mul_le_mul n_le Nat.le.refl
    have total :
      dot (positives (take (n + 1) cs)) (fun k => Memory.directWord s (l (first + k)) (u (first + k))) +
        dot (negatives (take (n + 1) cs)) (fun k => Memory.mirroredWord s (l (first + k)) (u (first + k))) <
            2 ^ (b * rows) := by
      rw [← dots, whole]
      refine pack_lt fun i hi => ?_
      obtain ⟨a1, a2, _⟩ := Linear.small hi hw' (take (n + 1) cs) heads (fun k => first + k) hheads inside
      have lt : ∀ {x}, x ≤ Linear.reach s bound (take (n + 1) cs).length → x < 2 ^ s.half := fun hx =>
        Nat.le_trans (Nat.succ_le_succ (Nat.le_trans hx reach_le)) hr
      exact Nat.le_trans (Memory.halves_lt (lt a1) (lt a2)) (Natural.two_pow_le hb)
    obtain ⟨b1, b2⟩ := below (take (n + 1) cs) heads hheads
    have q : (n + 1) * ((s.top + 2 ^ s.half * s.top) * pack b rows (fun _ => bound)) < 2 ^ (b * rows) := by
      rw [← Nat.mul_assoc, ← pack_mul]
      refine pack_lt fun i _ => ?_
      have e : (n + 1) * (s.top + 2 ^ s.half * s.top) * bound =
          (n + 1) * (s.top * bound) + 2 ^ s.half * ((n + 1) * (s.top * bound)) := by
        simp only [Nat.mul_add, Nat.add_mul, Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]
      have lt : (n + 1) * (s.top * bound) < 2 ^ s.half :=
        Nat.le_trans (Nat.succ_le_succ (Nat.mul_le_mul n_le (Nat.le_add_right _ _))) hr
      rw [e]
      exact Nat.le_trans (Memory.halves_lt lt lt) (Natural.two_pow_le hb)
    have plen := (positives_length (take (n + 1) cs)).trans hlen
    have nlen := (negatives_length (take (n + 1) cs)).trans hlen
    have small : ∀ i, i < count →
        Memory.directWord s (l i) (u i) < 2 ^ s.stride ∧
          Memory.directWord s (l i) (u i) ≤ s.top + 2 ^ s.half * s.top := fun i hi =>
      ⟨(words i hi).1, two_halves _ _ _ (Nat.le_trans (hw' i hi).1 (hw' i hi).2) (hw' i hi).2⟩
    have small' : ∀ i, i < count →
        Memory.mirroredWord s (l i) (u i) < 2 ^ s.stride ∧
          Memory.mirroredWord s (l i) (u i) ≤ s.top + 2 ^ s.half * s.top := fun i hi =>
      ⟨(words i hi).2, two_halves _ _ _ (Natural.sub_le _ _) (Natural.sub_le _ _)⟩
    have c0 := Nat.le_trans c3 c4
    have t1 := times_eq (n := n) (levels := Nat.succ (Nat.log2 (n + 1))) c4 c0 plen c5 c2 small b1
      (by rw [plen]; exact q) (Nat.le_trans (Nat.succ_le_succ (Nat.le_add_right _ _)) total)
    have t2 := times_eq (n := n) (levels := Nat.succ (Nat.log2 (n + 1))) c4 c0 nlen c5 c2 small' b2
      (by rw [nlen]; exact q) (Nat.le_trans (Nat.succ_le_succ (Nat.le_add_left _ _)) total)
    rw [dots, ← t1, ← t2]
    rfl

theorem apply_eq {K : Type u} [OrderedRing K] {s : Scale}
    {longest b rows bound count direct mirrored sources : Nat} {slots : Nat → K} {cs : List Column}
    {ds : List Digits}
    (fits : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hp : Packed b rows bound cs ds)
    (hr : Linear.reach s bound cs.length < 2 ^ s.half)
    (hb : s.half + s.half ≤ b) :
    apply longest s.stride (b * rows) direct mirrored count cs.length cs sources =
    Linear.accumulate s.stride direct mirrored cs sources := by
  unfold apply
  rw [force_eq]
  generalize Nat.land sources (Nat.sub (Nat.pow 2 32) 1) = first
  rw [force_eq]
  generalize run _ first sources = n
  cases c : both (Nat.ble n cs.length) (consecutive n first sources) with
  | false => rfl
  | true =>
    obtain ⟨c1, c2⟩ := both_true c
    exact applyRun_eq fits hm hp (Nat.le_of_ble_eq_true c1) (consecutive_sound n first sources c2) hr hb
end Dense
end PytestTorchLean
