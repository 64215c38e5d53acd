prelude
import PytestTorchLean.Check.Dots
/-!
# A grid times many columns

`dotsOf` multiplies the rows of a grid, cut into pieces, by one reversed vector after the other and puts the
results side by side: a grid again. The vectors come in one number, the last one first.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Matrix
open Natural

/-! ### Cutting a number into digits by halving -/

/-- The digits `0` to `n - 1` of `W` bits of `x`, before `tail`, one after the other. -/
def sliced (W : Nat) (tail : List Nat) (n : Nat) : Nat → List Nat :=
  Nat.rec (motive := fun _ => Nat → List Nat) (fun _ => tail)
    (fun _ rest x => List.cons (Nat.land x (Nat.sub (Nat.pow 2 W) 1)) (rest (Nat.shiftRight x W))) n
/-- The same for `n` that is at least 1 and at most `fuel`: the number is halved until few digits are left. -/
def cut (W fuel : Nat) : Nat → Nat → List Nat → List Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → List Nat → List Nat) (fun _ _ tail => tail)
    (fun _ rest n x tail => cond (Nat.ble n 8) (sliced W tail n x)
      (force (fun half => force (fun low => force
              (fun high => rest half low (rest (Nat.sub n half) high tail))
              (Nat.shiftRight x (Nat.mul W half))) (Nat.land x (Nat.sub (Nat.pow 2 (Nat.mul W half)) 1)))
          (Nat.div n 2))) fuel
theorem cut_succ (W fuel n x : Nat) (tail : List Nat) :
    cut W (fuel + 1) n x tail =
    cond (Nat.ble n 8) (sliced W tail n x)
      (cut W fuel (n / 2) (Nat.land x (2 ^ (W * (n / 2)) - 1))
        (cut W fuel (n - n / 2) (Nat.shiftRight x (W * (n / 2))) tail)) := by
  show cond _ _ (force _ _) = _
  rw [force_eq, force_eq, force_eq]; rfl
/-- `f 0`, ..., `f (n - 1)`, then `tail`. -/
def enumerated (tail : List Nat) : Nat → (Nat → Nat) → List Nat
  | 0, _ => tail
  | n + 1, f => f 0 :: enumerated tail n (fun i => f (i + 1))
theorem enumerated_add (tail : List Nat) (m n : Nat) (f : Nat → Nat) :
    enumerated tail (m + n) f = enumerated (enumerated tail n (fun i => f (m + i))) m f := by
  induction m generalizing f with
  | zero =>
    have e : (fun i => f (0 + i)) = f := funext fun i => congrArg f (Nat.zero_add i)
    rw [Nat.zero_add, e]; rfl
  | succ m ih =>
    rw [Nat.succ_add]
    show f 0 :: enumerated tail (m + n) (fun i => f (i + 1)) = f 0 :: _
    rw [ih]
    have e : (fun i => f (m + i + 1)) =
        fun i => f (m + 1 + i) := funext fun i => by rw [Nat.add_assoc, Nat.add_comm i 1, ← Nat.add_assoc]
    rw [e]
theorem enumerated_congr {tail : List Nat} {n : Nat} {f g : Nat → Nat} (h : ∀ i, i < n → f i = g i) :
    enumerated tail n f = enumerated tail n g := by
  induction n generalizing f g with
  | zero => rfl
  | succ n ih =>
    show f 0 :: _ = g 0 :: _
    rw [h 0 (Nat.succ_le_succ (Nat.zero_le n)), ih fun i hi => h (i + 1) (Nat.succ_le_succ hi)]
theorem digit_low {W h i : Nat} (hi : i < h) (x : Nat) :
    digit W (Nat.land x (2 ^ (W * h) - 1)) i = digit W x i := by
  obtain ⟨k, rfl⟩ := Nat.exists_of_le hi
  rw [land_low]
  have size : W * (i + 1 + k) = W * i + (W + W * k) := by rw [Nat.mul_add, Nat.mul_succ, Nat.add_assoc]
  show x % 2 ^ (W * (i + 1 + k)) / 2 ^ (W * i) % 2 ^ W = x / 2 ^ (W * i) % 2 ^ W
  rw [size]
  obtain ⟨q, r, e, g⟩ := euclid (two_pow_pos (W * i)) x
  obtain ⟨q2, r2, e2, g2⟩ := euclid (two_pow_pos (W + W * k)) q
  rw [e, e2, Nat.mul_add, ← Nat.add_assoc, ← Nat.mul_assoc, ← Natural.pow_add, add_mul_mod, add_mul_div _ g,
      Nat.add_assoc, Natural.pow_add, Nat.mul_assoc, ← Nat.mul_add, add_mul_div _ g]
  · have z := mod_mod (Nat.le_add_right W (W * k)) (r2 + 2 ^ (W + W * k) * q2)
    rw [add_mul_mod _ g2] at z; exact z
  · rw [Natural.pow_add]; exact add_mul_lt g g2
theorem sliced_eq (W : Nat) (tail : List Nat) :
    (n x : Nat) → sliced W tail n x = enumerated tail n (digit W x)
  | 0, _ => rfl
  | n + 1, x => by
    show Nat.land x (2 ^ W - 1) :: sliced W tail n (Nat.shiftRight x W) =
      digit W x 0 :: enumerated tail n fun i => digit W x (i + 1)
    rw [sliced_eq W tail n, land_low, digit_zero]
    exact congrArg (fun l => x % 2 ^ W :: l) (enumerated_congr fun i _ => (digit_succ W x i).symm)
theorem cut_eq (W : Nat) :
    (fuel n x : Nat) → (tail : List Nat) → 1 ≤ n →
    n ≤ fuel → cut W fuel n x tail = enumerated tail n (digit W x)
  | 0, n, _, _, h1, h2 => absurd (Nat.le_trans h1 h2) (Nat.not_succ_le_zero 0)
  | fuel + 1, n, x, tail, h1, h2 => by
    rw [cut_succ]
    cases e : Nat.ble n 8 with
    | true => exact sliced_eq W tail n x
    | false =>
      have lt : 1 < n := (le_or_lt n 1).elim (fun g => Bool.noConf_tf
          ((Nat.ble_eq_true_of_le (Nat.le_trans g (Nat.succ_le_succ (Nat.zero_le 7)))).symm.trans e)) id
      obtain ⟨low_pos, sum, low_lt, high_pos⟩ := Decode.half_facts lt
      generalize n - n / 2 = high at *
      generalize n / 2 = low at *
      subst sum
      have below : low ≤ fuel := Nat.le_of_succ_le_succ (Nat.le_trans low_lt h2)
      have above : high ≤ fuel := Nat.le_of_succ_le_succ (Nat.le_trans
        (Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := high)) low_pos) (le_of_eq (Nat.add_comm high low)))
          h2)
      show cut W fuel low _ (cut W fuel high _ tail) = _
      rw [cut_eq W fuel high _ tail high_pos above, cut_eq W fuel low _ _ low_pos below, enumerated_add,
          enumerated_congr fun i hi => digit_low hi x]
      refine congrArg (fun l => enumerated l low (digit W x)) (enumerated_congr fun i _ => ?_)
      show x / 2 ^ (W * low) / 2 ^ (W * i) % 2 ^ W = x / 2 ^ (W * (low + i)) % 2 ^ W
      rw [shift_shift, Nat.mul_add]

/-! ### Results side by side -/

theorem grid_succ (b w z R : Nat) (h : Nat → Nat → Nat) :
    grid b w (z + 1) R h = side b w R (fun r => h r 0) + grid b w z R (fun r i => h r (i + 1)) * 2 ^ b := by
  show pack (b * w) R (fun r => h r 0 + 2 ^ b * pack b z (fun i => h r (i + 1))) = _
  rw [pack_add, pack_mul, Nat.mul_comm (2 ^ b)]; rfl
theorem grid_last (b w z R : Nat) (h : Nat → Nat → Nat) :
    grid b w (z + 1) R h = grid b w z R h + side b w R (fun r => h r z) * 2 ^ (b * z) := by
  have e : ∀ r, pack b (z + 1) (h r) = pack b z (h r) + 2 ^ (b * z) * h r z := fun r => by
    rw [pack_append]
    have one : pack b 1 (fun i => h r (z + i)) = h r z := by
      show h r (z + 0) + 2 ^ b * 0 = h r z
      rw [Nat.mul_zero, Nat.add_zero, Nat.add_zero]
    rw [one]
  refine (pack_congr fun r _ => e r).trans ?_
  rw [pack_add, pack_mul, Nat.mul_comm (2 ^ (b * z))]; rfl

/-- Results of the vectors `vs`, the later ones in lower places: `z` of them wait in the narrow grid `y`, the
    others are in `g`. -/
def results (b w c R levels n count : Nat) (ys vs : List Nat) : Nat → Nat → Nat → Nat :=
  List.rec (motive := fun _ => Nat → Nat → Nat → Nat)
    (fun y z g => Nat.add (Nat.shiftLeft g (Nat.mul b z)) (wider b w c levels y))
    (fun v _ rest y z g => force (fun z' =>
        cond (Nat.beq z' c) (rest 0 0
              (Nat.add (Nat.shiftLeft g (Nat.mul b c))
                (wider b w c levels (Nat.add (Nat.shiftLeft y b) (dot b c R n count v ys)))))
            (rest (Nat.add (Nat.shiftLeft y b) (dot b c R n count v ys)) z' g)) (Nat.succ z)) vs
theorem results_cons (b w c R levels n count : Nat) (ys : List Nat) (v : Nat) (vs : List Nat) (y z g : Nat) :
    results b w c R levels n count ys (v :: vs) y z g =
    cond (Nat.beq (z + 1) c)
      (results b w c R levels n count ys vs 0 0
        (g * 2 ^ (b * c) + wider b w c levels (y * 2 ^ b + dot b c R n count v ys)))
      (results b w c R levels n count ys vs (y * 2 ^ b + dot b c R n count v ys) (z + 1) g) := by
  unfold results
  simp only [force_eq]
  rfl

/-- What is known of the vectors: their results. -/
def Known (b c R n count : Nat) (ys : List Nat) : List Nat → (Nat → Nat → Nat) → Prop
  | [], _ => True
  | v :: vs, D => dot b c R n count v ys = side b c R (D 0) ∧
      (∀ r, r < R → D 0 r < 2 ^ b) ∧
      Known b c R n count ys vs (fun u => D (u + 1))

theorem results_eq {b w c R levels n count : Nat} {ys : List Nat} (hb : 0 < b) (hc : 0 < c) (hw : c ≤ w)
    (hl : R ≤ 2 ^ levels) :
    (vs : List Nat) → (D : Nat → Nat → Nat) → Known b c R n count ys vs D →
    (z g : Nat) → (h : Nat → Nat → Nat) → z < c → (∀ r, r < R → ∀ i, i < z → h r i < 2 ^ b) →
    results b w c R levels n count ys vs (grid b c z R h) z g =
      (g * 2 ^ (b * z) + grid b w z R h) * 2 ^ (b * vs.length) +
        grid b w vs.length R (fun r i => D (vs.length - 1 - i) r)
  | [], _, _, z, g, h, hz, hh => by
    have wide : wider b w c levels (grid b c z R h) = grid b w z R h :=
      wider_eq hb hc hw hl (fun r hr => row_lt (Natural.le_of_lt hz) (hh r hr))
    show g * 2 ^ (b * z) + wider b w c levels (grid b c z R h) = _ * 2 ^ (b * 0) + grid b w 0 R _
    rw [wide]
    have one : 2 ^ (b * 0) = 1 := rfl
    have none : grid b w 0 R (fun r i => (fun _ => 0) i) = 0 := grid_zero b w 0 R
    rw [one, Natural.mul_one]
    exact (Nat.add_zero _).symm.trans (congrArg (fun y => g * 2 ^ (b * z) + grid b w z R h + y) none.symm)
  | v :: vs, D, ⟨k1, k2, k3⟩, z, g, h, hz, hh => by
    -- the narrow grid with one more digit
    have next : grid b c z R h * 2 ^ b + dot b c R n count v ys =
        grid b c (z + 1) R (fun r i => Nat.casesOn i (D 0 r) (h r)) := by
      rw [grid_succ, k1, Nat.add_comm]; rfl
    have next' : grid b w z R h * 2 ^ b + side b w R (D 0) =
        grid b w (z + 1) R (fun r i => Nat.casesOn i (D 0 r) (h r)) := by
      rw [grid_succ, Nat.add_comm]; rfl
    have small : ∀ r, r < R →
        ∀ i, i < z + 1 → Nat.casesOn (motive := fun _ => Nat) i (D 0 r) (h r) < 2 ^ b := fun r hr i hi => by
      cases i with
      | zero => exact k2 r hr
      | succ i => exact hh r hr i (Nat.le_of_succ_le_succ hi)
    have result : ∀ value : Nat, value = (g * 2 ^ (b * z) + grid b w z R h) * 2 ^ b + side b w R (D 0) →
        value * 2 ^ (b * vs.length) + grid b w vs.length R (fun r i => D (vs.length - 1 - i + 1) r) =
        (g * 2 ^ (b * z) + grid b w z R h) * 2 ^ (b * (vs.length + 1)) +
            grid b w (vs.length + 1) R (fun r i => D (vs.length + 1 - 1 - i) r) := by
      intro value hv
      have last : grid b w vs.length R (fun r i => D (vs.length + 1 - 1 - i) r) =
          grid b w vs.length R (fun r i => D (vs.length - 1 - i + 1) r) :=
        grid_congr fun r _ i hi => by
          obtain ⟨k, hk⟩ := Nat.exists_of_le hi
          have e1 : vs.length - 1 - i = k := by
            have e : vs.length - 1 = i + k := sub_eq_of_add_eq (by rw [hk, Nat.succ_add])
            rw [e, Natural.add_sub_cancel_left]
          have e2 : vs.length + 1 - 1 - i = k + 1 := by
            show vs.length - i = k + 1
            exact sub_eq_of_add_eq (by rw [hk, Nat.add_comm (k + 1), Nat.add_comm k 1, ← Nat.add_assoc])
          rw [e1, e2]
      have first : side b w R (fun r => D (vs.length + 1 - 1 - vs.length) r) = side b w R (D 0) :=
          side_congr fun r _ => by
        have e : vs.length + 1 - 1 - vs.length = 0 := Nat.sub_self vs.length
        rw [e]
      rw [grid_last, last, first, hv, Nat.mul_succ, Natural.pow_add, Nat.add_mul, Nat.mul_assoc,
          ← Nat.mul_comm (2 ^ b) (2 ^ (b * vs.length)), Nat.add_assoc, Nat.add_comm (side b w R (D 0) * _)]
    rw [results_cons, next]
    show _ =
      _ * 2 ^ (b * (vs.length + 1)) + grid b w (vs.length + 1) R (fun r i => D (vs.length + 1 - 1 - i) r)
    cases e : Nat.beq (z + 1) c with
    | true =>
      have e : z + 1 = c := Nat.eq_of_beq_eq_true e
      have wide : wider b w c levels (grid b c (z + 1) R (fun r i => Nat.casesOn i (D 0 r) (h r))) =
          grid b w (z + 1) R (fun r i => Nat.casesOn i (D 0 r) (h r)) :=
        wider_eq hb hc hw hl (fun r hr => row_lt (le_of_eq e) (small r hr))
      have empty : grid b c 0 R (fun _ _ => 0) = 0 := grid_zero b c 0 R
      have ih := results_eq hb hc hw hl vs (fun u => D (u + 1)) k3 0
        (g * 2 ^ (b * c) + wider b w c levels (grid b c (z + 1) R (fun r i => Nat.casesOn i (D 0 r) (h r))))
          (fun _ _ => 0) hc
        (fun _ _ i hi => absurd hi (Nat.not_succ_le_zero i))
      rw [empty] at ih
      refine ih.trans (result _ ?_)
      have empty' : grid b w 0 R (fun _ _ => 0) = 0 := grid_zero b w 0 R
      have one : 2 ^ (b * 0) = 1 := rfl
      rw [empty', wide, ← next', ← e, Nat.mul_succ b z, Natural.pow_add, one, Natural.mul_one, Nat.add_zero,
          Nat.add_mul, Nat.mul_assoc, Nat.add_assoc]
    | false =>
      have lt : z + 1 < c := by
        cases le_or_lt c (z + 1) with
        | inr g => exact g
        | inl g =>
          have same : z + 1 = c := Nat.le_antisymm hz g
          rw [same, Nat.beq_refl] at e; exact Bool.noConf_tf e
      have ih := results_eq hb hc hw hl vs (fun u => D (u + 1)) k3 (z + 1) g
        (fun r i => Nat.casesOn i (D 0 r) (h r)) lt small
      refine ih.trans (result _ ?_)
      rw [← next', Nat.mul_succ b z, Natural.pow_add, Nat.add_mul, Nat.mul_assoc, ← Nat.add_assoc]

/-! ### One tile for everything -/

/-- The reversed vectors `vs` times the rows of `x`, side by side behind what is in `y`: with one tile that
    has room for all results, nothing has to be counted or moved. `mask` is the lowest digit of every
    row. -/
def beside (b down mask x : Nat) (vs : List Nat) : Nat → Nat :=
  List.rec (motive := fun _ => Nat → Nat) (fun y => y)
    (fun v _ rest y => rest (Nat.add (Nat.shiftLeft y b)
        (Nat.land (Nat.shiftRight (Nat.mul x v) down) mask))) vs

/-- The same with the digits left where the products have them: `mask` is that digit of every row, and what is
    in `y` lies as high. Each vector saves the kernel a step and a long number. -/
def besideUp (b mask x : Nat) (vs : List Nat) : Nat → Nat :=
  List.rec (motive := fun _ => Nat → Nat) (fun y => y)
    (fun v _ rest y => rest (Nat.add (Nat.shiftLeft y b) (Nat.land (Nat.mul x v) mask))) vs
theorem besideUp_eq (b down mask x : Nat) : (vs : List Nat) → (y : Nat) →
    besideUp b (mask * 2 ^ down) x vs (y * 2 ^ down) = beside b down mask x vs y * 2 ^ down
  | [], _ => rfl
  | v :: vs, y => by
    have e : y * 2 ^ down * 2 ^ b + Nat.land (x * v) (mask * 2 ^ down) =
        (y * 2 ^ b + Nat.land (x * v / 2 ^ down) mask) * 2 ^ down := by
      obtain ⟨q, r, e, h⟩ := euclid (two_pow_pos down) (x * v)
      have z := land_split down r 0 q mask h (two_pow_pos down)
      rw [Nat.zero_add, land_zero, Nat.zero_add] at z
      rw [e, Nat.mul_comm mask, z, add_mul_div q h, Nat.add_mul, Nat.mul_assoc y,
          Nat.mul_comm (2 ^ down) (2 ^ b), ← Nat.mul_assoc y, Nat.mul_comm (2 ^ down) (Nat.land q mask)]
    show besideUp b (mask * 2 ^ down) x vs (y * 2 ^ down * 2 ^ b + Nat.land (x * v) (mask * 2 ^ down)) =
      beside b down mask x vs (y * 2 ^ b + Nat.land (x * v / 2 ^ down) mask) * 2 ^ down
    rw [e]; exact besideUp_eq b down mask x vs _
theorem besideUp_down (b down mask x : Nat) (vs : List Nat) :
    Nat.shiftRight (besideUp b (mask * 2 ^ down) x vs 0) down = beside b down mask x vs 0 := by
  have e := besideUp_eq b down mask x vs 0
  rw [Nat.zero_mul] at e
  show besideUp b (mask * 2 ^ down) x vs 0 / 2 ^ down = _
  rw [e, Nat.mul_comm, mul_div_cancel (two_pow_pos down)]

theorem dot_one {b c R n x v : Nat} (h1 : 1 ≤ n) (hn : n ≤ c) (hv : v < 2 ^ (b * n)) :
    dot b c R n 1 v [x] =
    Nat.land (Nat.shiftRight (x * v) (b * (n - 1))) ((2 ^ b - 1) * ones (b * c) R) := by
  obtain ⟨pad, rfl⟩ := Nat.exists_of_le hn
  obtain ⟨m, rfl⟩ := Nat.exists_of_le h1
  have e1 : 1 + m - 1 = m := Natural.add_sub_cancel_left 1 m
  have e2 : 1 + m + pad - 1 = pad + m := sub_eq_of_add_eq (by
    rw [Nat.add_comm 1 m, Natural.add_right_comm m 1 pad, Nat.add_comm m pad])
  have e3 : (1 + m + pad) * 1 - (1 + m) = pad := by rw [Natural.mul_one, Natural.add_sub_cancel_left]
  have small : v * 2 ^ (b * pad) < 2 ^ (b * (1 + m + pad)) := by
    rw [Nat.mul_add b (1 + m) pad, Natural.pow_add, Nat.mul_comm v, Nat.mul_comm (2 ^ (b * (1 + m)))]
    exact mul_lt_mul_left (two_pow_pos _) hv
  have product : piecesTimes b (1 + m + pad) [x] (v * 2 ^ (b * pad)) = x * v * 2 ^ (b * pad) := by
    rw [piecesTimes_cons, land_low, mod_eq_self small, Nat.mul_assoc]; rfl
  show Nat.land (Nat.shiftRight (piecesTimes b _ [x] (v * 2 ^ (b * ((1 + m + pad) * 1 - (1 + m)))))
    (b * (1 + m + pad - 1))) _ = _
  rw [e1, e2, e3, product]
  refine congrArg (fun y => Nat.land y _) ?_
  show x * v * 2 ^ (b * pad) / 2 ^ (b * (pad + m)) = x * v / 2 ^ (b * m)
  rw [Nat.mul_add b pad m, ← shift_shift, Nat.mul_comm (x * v), mul_div_cancel (two_pow_pos _)]

theorem beside_eq {b w c R levels n x : Nat} (hb : 0 < b) (hc : 0 < c) (hw : c ≤ w) (hl : R ≤ 2 ^ levels)
    (h1 : 1 ≤ n) (hn : n ≤ c) :
    (N : Nat) → (v : Nat → Nat) → (∀ u, u < N → v u < 2 ^ (b * n)) →
    (y z : Nat) → z < c → z + N ≤ c →
    results b w c R levels n 1 [x] (enumerated [] N v) y z 0 =
    wider b w c levels
      (beside b (b * (n - 1)) ((2 ^ b - 1) * ones (b * c) R) x (enumerated [] N v) y)
  | 0, _, _, y, z, _, _ => by
    show 0 * 2 ^ (b * z) + wider b w c levels y = _
    rw [Nat.zero_mul, Nat.zero_add]; rfl
  | N + 1, v, hv, y, z, _, hz => by
    have here := dot_one (R := R) (x := x) h1 hn (hv 0 (Nat.succ_le_succ (Nat.zero_le N)))
    show results b w c R levels n 1 [x] (v 0 :: enumerated [] N fun u => v (u + 1)) y z 0 = _
    rw [results_cons, here]
    cases e : Nat.beq (z + 1) c with
    | false =>
      have more : z + 1 ≤ c := Nat.le_trans (Nat.succ_le_succ (Nat.le_add_right z N)) hz
      have more : z + 1 < c := by
        cases le_or_lt c (z + 1) with
        | inr g => exact g
        | inl g =>
          have same : z + 1 = c := Nat.le_antisymm more g
          rw [same, Nat.beq_refl] at e; exact Bool.noConf_tf e
      exact beside_eq hb hc hw hl h1 hn N (fun u => v (u + 1)) (fun u hu => hv (u + 1) (Nat.succ_le_succ hu))
        _ (z + 1) more (by rw [Natural.add_right_comm]; exact hz)
    | true =>
      -- the tile is full, so no vector is left
      have e : z + 1 = c := Nat.eq_of_beq_eq_true e
      have none : N = 0 := Nat.le_antisymm (Nat.le_of_add_le_add_right (z + 1)
        (by rw [Nat.zero_add, Nat.add_comm N, Natural.add_right_comm, e]; exact hz)) (Nat.zero_le N)
      subst none
      have g1 : grid b c 0 R (fun _ _ => 0) = 0 := grid_zero b c 0 R
      have g2 : grid b w 0 R (fun _ _ => 0) = 0 := grid_zero b w 0 R
      have empty : wider b w c levels (grid b c 0 R fun _ _ => 0) = grid b w 0 R fun _ _ => 0 :=
        wider_eq hb hc hw hl
          (fun r _ => row_lt (Nat.zero_le c) (fun i hi => absurd hi (Nat.not_succ_le_zero i)))
      rw [g1, g2] at empty
      show (0 * 2 ^ (b * c) + wider b w c levels _) * 2 ^ (b * 0) + wider b w c levels 0 = _
      have one : 2 ^ (b * 0) = 1 := rfl
      rw [empty, one, Natural.mul_one, Nat.zero_mul, Nat.zero_add, Nat.add_zero]
      rfl

end Matrix
end PytestTorchLean
