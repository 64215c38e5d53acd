prelude
import PytestTorchLean.Check.Apply
import PytestTorchLean.Check.Spread
/-!
# A sum of products as the middle of one product

Numbers that are packed with enough room, times others that are packed in reverse order: the middle of this
product is the sum of their products, as in the product of two polynomials. So the sum over all columns takes
one multiplication.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
namespace Dense

/-! ### The product -/

/-- `sum_k x_k * w_k` -/
def dot : List Nat → (Nat → Nat) → Nat
  | [], _ => 0
  | w :: ws, x => x 0 * w + dot ws (fun k => x (k + 1))
/-- The weights with the last in the lowest digit. -/
def reversed (c : Nat) : List Nat → Nat
  | [] => 0
  | w :: ws => w * 2 ^ (c * ws.length) + reversed c ws

/-- No weight exceeds `bound`. -/
def Below (bound : Nat) : List Nat → Prop
  | [] => True
  | w :: ws => w ≤ bound ∧ Below bound ws

theorem mul_reversed_le {c x y v : Nat} (hx : x ≤ y) : (ws : List Nat) → Below v ws →
    x * reversed c ws ≤ y * v * pack c ws.length (fun _ => 1)
  | [], _ => Nat.le.refl
  | w :: ws, h => by
    have ih := mul_reversed_le (c := c) hx ws h.2
    show x * (w * 2 ^ (c * ws.length) + reversed c ws) ≤ y * v * pack c (ws.length + 1) (fun _ => 1)
    have last : pack c 1 (fun _ => 1) = 1 := by show 1 + 2 ^ c * 0 = 1; rw [Nat.mul_zero]
    rw [pack_append c ws.length 1 (fun _ => 1), last, Natural.mul_one, Nat.mul_add, Nat.mul_add,
        ← Nat.mul_assoc, Nat.add_comm]
    exact Nat.add_le_add ih (Nat.mul_le_mul (Nat.mul_le_mul hx h.1) Nat.le.refl)

theorem expand (P N x X w W : Nat) :
    P * ((x + P * X) * (w * N + W)) = P * (x * W) + N * P * (x * w + P * (X * w)) + P * (P * (X * W)) := by
  simp only [Nat.mul_add, Nat.add_mul, Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm, Nat.add_assoc,
      Nat.add_left_comm, Nat.add_comm]
theorem collect (P N a b c d e f : Nat) :
    P * a + N * P * (b + P * c) + P * (d + N * (e + P * f)) =
    P * (a + d) + N * P * (b + e + P * (c + f)) := by
  simp only [Nat.mul_add, Nat.add_mul, Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm, Nat.add_assoc,
      Nat.add_left_comm, Nat.add_comm]

/-- The product of the spread words and the reversed weights, digit by digit. -/
theorem product {c y v : Nat} :
    (ws : List Nat) → (x : Nat → Nat) → Below v ws →
    (∀ k, k < ws.length → x k ≤ y) →
    ∃ low high, 2 ^ c * (pack c ws.length x * reversed c ws) =
        low + 2 ^ (c * ws.length) * (dot ws x + 2 ^ c * high) ∧
      low ≤ ws.length * (y * v) * pack c ws.length (fun _ => 1)
  | [], _, _, _ => ⟨0, 0, rfl, Nat.zero_le _⟩
  | w :: ws, x, h, hx => by
    obtain ⟨low, high, e, le⟩ :=
      product (c := c) ws (fun k => x (k + 1)) h.2 (fun k hk => hx (k + 1) (Nat.succ_le_succ hk))
    have first := mul_reversed_le (c := c) (hx 0 (Nat.succ_le_succ (Nat.zero_le _))) ws h.2
    refine ⟨2 ^ c * (x 0 * reversed c ws + low), pack c ws.length (fun k => x (k + 1)) * w + high, ?_, ?_⟩
    · show 2 ^ c * ((x 0 + 2 ^ c * pack c ws.length (fun k => x (k + 1))) *
              (w * 2 ^ (c * ws.length) + reversed c ws)) =
        2 ^ c * (x 0 * reversed c ws + low) + 2 ^ (c * ws.length + c) *
            (x 0 * w + dot ws (fun k => x (k + 1)) +
                2 ^ c * (pack c ws.length (fun k => x (k + 1)) * w + high))
      rw [expand, e, collect, Natural.pow_add]
    · show 2 ^ c * (x 0 * reversed c ws + low) ≤
        (ws.length + 1) * (y * v) * (1 + 2 ^ c * pack c ws.length (fun _ => 1))
      generalize pack c ws.length (fun _ => 1) = T at *
      generalize y * v = q at *
      have sum : x 0 * reversed c ws + low ≤ (ws.length + 1) * q * T := by
        rw [Nat.succ_mul, Nat.add_mul, Nat.add_comm (ws.length * q * T)]
        exact Nat.add_le_add first le
      have a := Nat.mul_le_mul (Nat.le.refl (n := 2 ^ c)) sum
      rw [Nat.mul_left_comm] at a
      refine Nat.le_trans a ?_
      exact Nat.mul_le_mul Nat.le.refl (Nat.le_add_left _ _)

/-- The middle digit of the product. -/
theorem middle {c y v n : Nat} {ws : List Nat} {x : Nat → Nat} (hn : ws.length = n + 1) (hb : Below v ws)
    (hx : ∀ k, k < ws.length → x k ≤ y) (hq : ws.length * (y * v) < 2 ^ c) (hd : dot ws x < 2 ^ c) :
    Nat.land (Nat.shiftRight (pack c ws.length x * reversed c ws) (c * n)) (2 ^ c - 1) = dot ws x := by
  obtain ⟨low, high, e, le⟩ := product (c := c) ws x hb hx
  have small : low < 2 ^ (c * ws.length) := by
    rw [← ones_mul c ws.length]
    refine Nat.succ_le_succ (Nat.le_trans le (Nat.mul_le_mul ?_ Nat.le.refl))
    have m := Natural.mask_succ c
    rw [← m] at hq
    exact Nat.le_of_succ_le_succ hq
  have cut : pack c ws.length x * reversed c ws / 2 ^ (c * n) = dot ws x + 2 ^ c * high := by
    have a := Natural.add_mul_div (dot ws x + 2 ^ c * high) small
    rw [← e] at a
    have split : c * ws.length = c + c * n := by rw [hn, Nat.mul_succ, Nat.add_comm]
    rw [split, ← Natural.shift_shift, Natural.mul_div_cancel (Natural.two_pow_pos c)] at a
    exact a
  show Nat.land (pack c ws.length x * reversed c ws / 2 ^ (c * n)) _ = _
  rw [cut, land_low, Natural.add_mul_mod _ hd]

/-! ### Columns -/

def positives (cs : List Column) : List Nat :=
  List.rec (motive := fun _ => List Nat) [] (fun c _ rest => c.positive :: rest) cs
def negatives (cs : List Column) : List Nat :=
  List.rec (motive := fun _ => List Nat) [] (fun c _ rest => c.negative :: rest) cs
theorem positives_length : (cs : List Column) → (positives cs).length = cs.length
  | [] => rfl
  | _ :: cs => congrArg Nat.succ (positives_length cs)
theorem negatives_length : (cs : List Column) → (negatives cs).length = cs.length
  | [] => rfl
  | _ :: cs => congrArg Nat.succ (negatives_length cs)
theorem below {b rows bound : Nat} : (cs : List Column) → (ds : List Digits) → Packed b rows bound cs ds →
    Below (pack b rows (fun _ => bound)) (positives cs) ∧ Below (pack b rows (fun _ => bound)) (negatives cs)
  | [], [], _ => ⟨trivial, trivial⟩
  | c :: cs, d :: ds, h => by
    obtain ⟨⟨hp, hn, hd⟩, ht⟩ := h
    obtain ⟨i1, i2⟩ := below cs ds ht
    refine ⟨⟨?_, i1⟩, ⟨?_, i2⟩⟩
    · show c.positive ≤ _; rw [hp]; exact pack_le fun i hi => (hd i hi).1
    · show c.negative ≤ _; rw [hn]; exact pack_le fun i hi => (hd i hi).2
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim

theorem accumulate_dots {stride count : Nat} {f g : Nat → Nat} (hf : ∀ i, i < count → f i < 2 ^ stride)
    (hg : ∀ i, i < count → g i < 2 ^ stride) :
    (cs : List Column) → (sources : Nat) → (source : Nat → Nat) →
    Linear.Reads sources source cs.length → (∀ k, k < cs.length → source k < count) →
    Linear.accumulate stride (pack stride count f) (pack stride count g) cs sources =
      dot (positives cs) (fun k => f (source k)) + dot (negatives cs) (fun k => g (source k))
  | [], _, _, _, _ => rfl
  | c :: cs, sources, source, hr, hs => by
    have h0 := hs 0 (Nat.succ_le_succ (Nat.zero_le _))
    have ih := accumulate_dots hf hg cs (Nat.shiftRight sources 32) (fun k => source (k + 1))
      (Linear.reads_tail hr) (fun k hk => hs (k + 1) (Nat.succ_le_succ hk))
    rw [Linear.accumulate_cons, force_eq, force_eq, Linear.reads_head hr, Memory.lookup_pack hf h0,
        Memory.lookup_pack hg h0, ih]
    exact Nat.add_add_add_comm _ _ _ _

/-- `reversed`, as the kernel computes it. -/
def horner (c : Nat) (ws : List Nat) : Nat → Nat :=
  List.rec (motive := fun _ => Nat → Nat) (fun x => x)
    (fun w _ rest x => force rest (Nat.add (Nat.mul x (Nat.pow 2 c)) w)) ws
theorem horner_eq (c : Nat) :
    (ws : List Nat) → (x : Nat) → horner c ws x = x * 2 ^ (c * ws.length) + reversed c ws
  | [], x => by show x = x * 1 + 0; rw [Natural.mul_one]; rfl
  | w :: ws, x => by
    have e : horner c (w :: ws) x = force (horner c ws) (x * 2 ^ c + w) := rfl
    rw [e, force_eq, horner_eq c ws]
    show (x * 2 ^ c + w) * 2 ^ (c * ws.length) + reversed c ws =
      x * 2 ^ (c * ws.length + c) + (w * 2 ^ (c * ws.length) + reversed c ws)
    rw [Nat.add_mul, Nat.mul_assoc, ← Natural.pow_add, Nat.add_comm c, Nat.add_assoc]

/-- The middle digit of `n + 1` words times as many weights. -/
def times (stride c levels first n packed weights : Nat) : Nat :=
  Nat.land (Nat.shiftRight
      (Nat.mul (spread c stride levels 1
            (Nat.land (Nat.shiftRight packed (Nat.mul stride first))
              (Nat.sub (Nat.pow 2 (Nat.mul stride (Nat.succ n))) 1))) weights)
      (Nat.mul c n)) (Nat.sub (Nat.pow 2 c) 1)

/-- A segment of a packed vector. -/
theorem segment {b first n count : Nat} {f : Nat → Nat} (hs : first + n ≤ count)
    (hf : ∀ i, i < count → f i < 2 ^ b) :
    Nat.land (Nat.shiftRight (pack b count f) (b * first)) (2 ^ (b * n) - 1) =
    pack b n (fun i => f (first + i)) := by
  obtain ⟨rest, rfl⟩ := Nat.exists_of_le hs
  have small : ∀ i, i < first + n → f i < 2 ^ b := fun i hi => hf i (Nat.le_trans hi (Nat.le_add_right _ _))
  rw [Nat.add_assoc, shift_pack_append (fun i hi => small i (Nat.le_trans hi (Nat.le_add_right _ _)))]
  exact land_pack_append (h := fun i => f (first + i))
    fun i hi => small (first + i) (Nat.add_le_add (Nat.le.refl (n := first)) hi)

theorem times_eq {stride c levels first n count y v : Nat} {f : Nat → Nat} {ws : List Nat}
    (hk : stride ≤ c)
    (hc : 0 < c)
    (hn : ws.length = n + 1)
    (hl : n + 1 ≤ 2 ^ levels)
    (hs : first + (n + 1) ≤ count)
    (hf : ∀ i, i < count → f i < 2 ^ stride ∧ f i ≤ y)
    (hb : Below v ws)
    (hq : ws.length * (y * v) < 2 ^ c)
    (hd : dot ws (fun k => f (first + k)) < 2 ^ c) :
    times stride c levels first n (pack stride count f) (horner c ws 0) =
    dot ws (fun k => f (first + k)) := by
  have inside : ∀ i, i < n + 1 → first + i < count :=
    fun i hi => Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := first)) hi) hs
  have e : Nat.land (Nat.shiftRight (pack stride count f) (Nat.mul stride first))
      (Nat.sub (Nat.pow 2 (Nat.mul stride (Nat.succ n))) 1) = pack stride (n + 1) (fun i => f (first + i)) :=
    segment hs (fun i hi => (hf i hi).1)
  unfold times
  rw [e, spread_pack hk hc hl (fun i hi => (hf _ (inside i hi)).1), horner_eq, Nat.zero_mul, Nat.zero_add,
      ← hn]
  exact middle hn hb (fun k hk' => (hf _ (inside k (by rw [hn] at hk'; exact hk'))).2) hq hd
end Dense
end PytestTorchLean
