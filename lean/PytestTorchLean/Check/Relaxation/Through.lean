prelude
import PytestTorchLean.Check.Relaxation.Coefficients
/-!
# Through an affine node
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- At once or one after the other: the same. -/
theorem swept_eq {s : Scale} {field : Field}
    {C m size bits offset x base step count direct mirrored memory sources cursor grid gain loss : Nat}
    {f : Nat → Nat → Nat} {next : Nat → Nat → Nat → Nat → Nat → Bool}
    (ok : Multiplies field C m size bits offset x base step f)
    {cs : List Column} {ds : List Digits}
    (hp : Packed C m (2 ^ bits) cs ds)
    (hlen : cs.length = count) :
    swept s field m x base (turned C field.frame.digit (m * count) (joined C m offset cs)) direct mirrored
      memory count sources cursor grid gain loss next =
    sweep s field (coefficients field.frame m x base
        (turned C field.frame.digit (m * count) (joined C m offset cs)) count) direct mirrored memory count 0
      sources cursor grid gain loss next := by
  unfold swept
  rw [force_eq, force_eq]
  generalize Nat.land sources (Nat.sub (Nat.pow 2 32) 1) = slot
  generalize Dense.run count slot sources = n
  unfold sweptFrom
  generalize Tiles.of field.frame m = tiles
  cases e : both (Nat.ble n count)
      (both (together field memory n slot sources cursor) (tiles.fit field.frame m)) with
  | false => rfl
  | true =>
    obtain ⟨e0, e⟩ := both_true e
    obtain ⟨e1, e2⟩ := both_true e
    obtain ⟨g1, e1⟩ := both_true e1
    obtain ⟨g2, e1⟩ := both_true e1
    obtain ⟨g3, e1⟩ := both_true e1
    obtain ⟨g4, g5⟩ := both_true e1
    obtain ⟨t1, e2⟩ := both_true e2
    obtain ⟨t2, e2⟩ := both_true e2
    obtain ⟨t3, e2⟩ := both_true e2
    obtain ⟨t4, t5⟩ := both_true e2
    have g1 : 0 < n := Natural.lt_of_lt_of_le (Nat.succ_le_succ (Nat.zero_le 7)) (Nat.le_of_ble_eq_true g1)
    obtain ⟨rest, hrest⟩ := Nat.exists_of_le (Nat.le_of_ble_eq_true e0)
    have drop : Nat.sub count n = rest := by show count - n = rest; rw [hrest, Natural.add_sub_cancel_left]
    have lt : ∀ k, k < n → k < count := fun k hk => Natural.lt_of_lt_of_le hk (Nat.le_of_ble_eq_true e0)
    have words := Dense.consecutive_sound n slot sources g5
    have g2 : field.first + cursor ≤ slot := Nat.le_of_ble_eq_true g2
    have g3 : slot + n ≤ field.first + field.count := Nat.le_of_ble_eq_true g3
    have g4 : slot + n ≤ memory := Nat.le_of_ble_eq_true g4
    obtain ⟨z, hz⟩ := Nat.exists_of_le g2
    have place : Nat.sub slot field.first = cursor + z := by
      show slot - field.first = cursor + z
      rw [hz, Nat.add_assoc, Natural.add_sub_cancel_left]
    have at_place : slot = field.first + (cursor + z) := by rw [hz, Nat.add_assoc]
    have inside : cursor + z + n ≤ field.count := by
      rw [at_place, Nat.add_assoc] at g3
      exact Nat.le_of_add_le_add_right field.first (by rw [Nat.add_comm, Nat.add_comm field.count]; exact g3)
    have known := fun k hk => coefficients_eq (k := k) ok hp hlen hk
    have columns := fun k hk => turned_columns (k := k) ok hp hlen hk
    obtain ⟨_, _, fits, small⟩ := columns 0 (lt 0 g1)
    have dots := dotsOf_eq (R := field.frame.rows + field.frame.rows) (V := raised offset ds) (count := n)
      (turned := Nat.shiftRight (turned C field.frame.digit (m * count) (joined C m offset cs))
          (field.frame.digit * m * rest)) ok.digit
      (Nat.le_of_ble_eq_true t1) (Nat.le_of_ble_eq_true t2) (Nat.le_of_ble_eq_true t5)
        (Nat.le_of_ble_eq_true t4) (Nat.le_of_ble_eq_true t3) g1 ok.small
      (fun k hk j hj => ((columns k (lt k hk)).2.1 j hj).1)
      (by
        have one : 2 ^ size * 1 ≤ m * (2 ^ size * (2 ^ bits + offset)) := by
          have a := Nat.mul_le_mul ok.rows (Nat.mul_le_mul (Nat.le.refl (n := 2 ^ size))
            (Nat.le_trans (Natural.two_pow_pos bits) (Nat.le_add_right (2 ^ bits) offset)))
          rw [Nat.one_mul] at a
          exact a
        rw [Nat.mul_one] at one
        exact Natural.lt_of_le_of_lt one fits) small fits
      (fun u hu => by
        have inside :=
          Natural.lt_of_le_of_lt (Natural.sub_le (n - 1) u) (Natural.le_of_eq (Natural.succ_pred g1))
        have c := (columns (n - 1 - u) (lt _ inside)).1
        have back : count - 1 - (n - 1 - u) = rest + u := by
          obtain ⟨q, hq⟩ := Nat.exists_of_le hu
          have e : n - 1 = u + q := Natural.sub_eq_of_add_eq (by rw [hq, Nat.succ_add])
          have e' : count - 1 = q + (rest + u) := Natural.sub_eq_of_add_eq (by
            rw [hrest, hq]
            show q + (rest + u) + 1 = u + 1 + q + rest
            simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
          rw [e, Natural.add_sub_cancel_left, e', Natural.add_sub_cancel_left]
        rw [← c]
        refine Eq.trans ?_ (digit_eq (field.frame.digit * m) _ (count - 1 - (n - 1 - u))).symm
        rw [back]
        show _ / 2 ^ (field.frame.digit * m * rest) / 2 ^ (field.frame.digit * m * u) % _ =
          _ / 2 ^ (field.frame.digit * m * (rest + u)) % _
        rw [Natural.shift_shift, Nat.mul_add])
    have block : Nat.add (dotsOf field.frame.digit field.frame.width tiles.width
        (Nat.add field.frame.rows field.frame.rows) tiles.levels m tiles.count n x
        (Nat.shiftRight (turned C field.frame.digit (m * count) (joined C m offset cs))
            (Nat.mul (Nat.mul field.frame.digit m) rest))) (Nat.mul base (ones field.frame.digit n)) =
        Matrix.grid field.frame.digit field.frame.width n (field.frame.rows + field.frame.rows)
            fun r k => coefficient field.frame.rows m f offset ds k r := by
      rw [← ok.matrix] at dots
      show dotsOf field.frame.digit field.frame.width tiles.width (field.frame.rows + field.frame.rows)
          tiles.levels m tiles.count n x
          (Nat.shiftRight (turned C field.frame.digit (m * count) (joined C m offset cs))
            (field.frame.digit * m * rest)) + base * ones field.frame.digit n = _
      rw [dots, ok.base, ones_eq ok.digit]
      have b := side_mul_pack field.frame.digit field.frame.width n (field.frame.rows + field.frame.rows)
        (fun r => offset *
            tally m (f (cond (Nat.ble field.frame.rows r) (r - field.frame.rows) (field.frame.rows + r))))
          (fun _ => 1)
      rw [b, ← grid_add]
      exact grid_congr fun r _ k _ => by rw [Natural.mul_one]; rfl
    have run := sweep_block (s := s) (direct := direct) (mirrored := mirrored) (grid := grid) (gain := gain)
      (loss := loss) (next := fun sources' cursor' grid' gain' loss' => sweep s field
        (coefficients field.frame m x base (turned C field.frame.digit (m * count) (joined C m offset cs))
          count) direct mirrored memory rest (0 + n) sources' cursor' grid' gain' loss' next)
      (coefficients := coefficients field.frame m x base
        (turned C field.frame.digit (m * count) (joined C m offset cs)) count) (k := 0) g1
      (fun i hi => by rw [words i hi, at_place]) (Nat.le_add_right cursor z) (by rw [← at_place]; exact g4)
      inside
    have sum := placed_grid (b := field.frame.digit) (w := field.frame.width)
      (R := field.frame.rows + field.frame.rows)
      (coefficients := coefficients field.frame m x base
        (turned C field.frame.digit (m * count) (joined C m offset cs)) count) n 0 (cursor + z)
      (fun k => coefficient field.frame.rows m f offset ds k)
      (fun k hk => by rw [Nat.zero_add]; exact (known k (lt k hk)).1)
    have all := sweep_append (s := s) (field := field) (direct := direct) (mirrored := mirrored)
      (memory := memory) (m := rest) (next := next)
      (coefficients := coefficients field.frame m x base
        (turned C field.frame.digit (m * count) (joined C m offset cs)) count) n 0 sources cursor grid gain
      loss
    rw [← hrest] at all
    rw [all, run, sum]
    simp only [force_eq]
    show sweep s field _ direct mirrored memory (Nat.sub count n) n _ _ _ gain loss next = _
    rw [place, drop, block, Nat.zero_add]
    rfl

theorem lanesSwept_sound {s : Scale} {field : Field} {slots goal : Nat → K}
    {C m size bits offset x base step count direct mirrored memory : Nat} {f : Nat → Nat → Nat}
    {next : Nat → Nat → Nat → Bool}
    (half : 0 < s.half)
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (ok : Multiplies field C m size bits offset x base step f)
    (low : Nat) :
    (lanes : List (List Column)) → (ds : List Digits) →
    Packed C m (2 ^ bits) (Columns.flatten lanes) ds →
    Even count lanes → (sources cursor grid gain loss limit : Nat) →
    (A : Nat → Nat → Nat) → (c d : Nat → Nat) → (extra : Nat → K) →
    Swept s field slots goal
      (fun r => form m (f r) (f (field.frame.rows + r))
          (fun i => natural s.unit * Linear.combination slots ds (word sources) i) + extra r) low step limit
      cursor grid gain loss A c d →
    lanesSwept s field C m offset x base direct mirrored memory count lanes sources cursor grid gain loss
        next = true →
    ∃ cursor' grid' gain' loss' A' c' d', Swept s field slots goal extra low step
        (limit + lanes.length * (count * (field.weight * (step * (s.top + s.top))))) cursor' grid' gain' loss'
        A' c' d' ∧ next grid' gain' loss' = true := by
  intro lanes
  induction lanes with
  | nil =>
    exact fun
    | [], _, _, sources, cursor, grid, gain, loss, limit, A, c, d, extra, hx, h => by
      obtain ⟨x1, x2, x3, x4, x5⟩ := hx
      refine ⟨cursor, grid, gain, loss, A, c, d, ⟨x1, x2, x3, x4, fun r hr => ?_⟩, h⟩
      obtain ⟨y1, y2, y3⟩ := x5 r hr
      refine ⟨Nat.le_trans y1 (Nat.le_add_right _ _), Nat.le_trans y2 (Nat.le_add_right _ _), ?_⟩
      have z : (form m (f r) (f (field.frame.rows + r))
                (fun i => natural s.unit * Linear.combination slots [] (word sources) i) + extra r : K) =
          extra r := by
        have e := ahead_eq (s := s) (slots := slots) (t := fun _ _ => 0) (R := 0) (r := 0) (m := m) (f := f r)
          (g := f (field.frame.rows + r)) [] 0 (word sources) (fun j hj => absurd hj (Nat.not_succ_le_zero j))
        rw [← e]; exact zero_add _
      rw [← z]; exact y3
    | _ :: _, h, _, _, _, _, _, _, _, _, _, _, _, _, _ => h.elim
  | cons lane lanes smaller =>
    intro ds hp he sources cursor grid gain loss limit A c d extra hx h
    obtain ⟨d1, d2, e, p1, p2⟩ := packed_split lane (Columns.flatten lanes) ds hp
    obtain ⟨len, he⟩ := he
    have len1 : d1.length = count := by rw [← Columns.packed_length lane d1 p1]; exact len
    have h : force (fun columns => swept s field m x base columns direct mirrored memory count sources cursor
          grid gain loss fun sources' cursor' grid' gain' loss' => lanesSwept s field C m offset x base direct
          mirrored memory count lanes sources' cursor' grid' gain' loss' next)
        (turned C field.frame.digit (Nat.mul m count) (joined C m offset lane)) = true := h
    rw [force_eq] at h
    have h := (swept_eq ok p1 len).symm.trans h
    have known := fun k hk => coefficients_eq (k := k) ok p1 len hk
    have tail : (fun k => word sources (d1.length + k)) = word (Nat.shiftRight sources (32 * count)) :=
        funext fun k => by
      show sources / 2 ^ (32 * (d1.length + k)) % 2 ^ 32 = sources / 2 ^ (32 * count) / 2 ^ (32 * k) % 2 ^ 32
      rw [Natural.shift_shift, ← Nat.mul_add, len1]
    have split : ∀ r, r < field.frame.rows →
        (ahead s slots (coefficient field.frame.rows m f offset d1) field.frame.rows r count 0
              (word sources) + (form m (f r) (f (field.frame.rows + r))
                  (fun i => natural s.unit *
                    Linear.combination slots d2 (word (Nat.shiftRight sources (32 * count))) i) + extra r) :
            K) =
        form m (f r) (f (field.frame.rows + r))
              (fun i => natural s.unit * Linear.combination slots ds (word sources) i) + extra r :=
            fun r hr => by
      have a := ahead_eq (s := s) (slots := slots) (t := coefficient field.frame.rows m f offset d1)
        (R := field.frame.rows) (r := r) (m := m) (f := f r)
        (g := f (field.frame.rows + r)) d1 0 (word sources) (fun j hj => by
          rw [Nat.zero_add]
          exact coefficient_sub (bound := 0) hr (known j (by rw [← len1]; exact hj)).2.2)
      rw [len1] at a
      rw [a, e, ← tail, ← add_assoc]
      refine congrArg (fun y => y + extra r) ?_
      unfold form
      rw [← sum_add]
      refine Columns.sum_congr fun i _ => ?_
      show (natural (f r i) - natural (f (field.frame.rows + r) i)) * (natural s.unit * _) +
          (natural (f r i) - natural (f (field.frame.rows + r) i)) * (natural s.unit * _) =
        (natural (f r i) - natural (f (field.frame.rows + r) i)) * (natural s.unit * _)
      rw [Columns.combination_append]
      exact (ring4 K c u x y, c * (u * x) + c * (u * y), c * (u * (x + y))) _ _ _ _
    have inv : Swept s field slots goal
      (fun r =>
        ahead s slots (coefficient field.frame.rows m f offset d1) field.frame.rows r count 0 (word sources) +
          (fun r => form m (f r) (f (field.frame.rows + r))
                (fun i => natural s.unit *
                  Linear.combination slots d2 (word (Nat.shiftRight sources (32 * count))) i) + extra r) r)
        low step limit cursor grid gain loss A c d := by
      obtain ⟨x1, x2, x3, x4, x5⟩ := hx
      refine ⟨x1, x2, x3, x4, fun r hr => ?_⟩
      obtain ⟨y1, y2, y3⟩ := x5 r hr
      have s1 := split r hr
      refine ⟨y1, y2, ?_⟩
      show natural field.weight * (_ + (ahead s slots (coefficient field.frame.rows m f offset d1)
                    field.frame.rows r count 0 (word sources) + (_ + extra r))) + _ ≤ _
      rw [s1]; exact y3
    obtain ⟨cursor', grid', gain', loss', A', c', d', r1, r2⟩ := sweep_sound half sf hm ok.digit ok.width
      ok.fits (fun k hk => ⟨(known k hk).1, (known k hk).2.1⟩) count 0 (Nat.zero_add count) _ _ _ _ _ _ _ _ _
      _ inv h
    obtain ⟨cursor'', grid'', gain'', loss'', A'', c'', d'', q1, q2⟩ :=
      smaller d2 p2 he _ _ _ _ _ _ _ _ _ _ r1 r2
    refine ⟨cursor'', grid'', gain'', loss'', A'', c'', d'', ?_, q2⟩
    have grow : ∀ y : Nat, limit + y + lanes.length * y = limit + (lane :: lanes).length * y := fun y => by
      show _ = limit + (lanes.length + 1) * y
      rw [Nat.succ_mul, Nat.add_assoc, Nat.add_comm y]
    rw [grow] at q1
    exact q1
end Relaxation
end PytestTorchLean
