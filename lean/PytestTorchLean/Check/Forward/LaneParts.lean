prelude
import PytestTorchLean.Check.Forward.LaneInputs
/-!
# Parts of the same widths, together

The forms of many parts go through all layers side by side; the property is decided part by part.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural
variable {K : Type u} [OrderedRing K]

/-! ### What is computed -/

/-- The lowest digit of every piece, side by side. -/
def lowest (b mask : Nat) : List Memory → Memory
  | [] => ⟨0, 0⟩
  | ⟨x, y⟩ :: pieces =>
    match lowest b mask pieces with
    | ⟨u, v⟩ => ⟨Nat.add (Nat.land x mask) (Nat.shiftLeft u b), Nat.add (Nat.land y mask) (Nat.shiftLeft v b)⟩
/-- The pieces without it. -/
def others (b : Nat) : List Memory → List Memory
  | [] => []
  | ⟨x, y⟩ :: pieces => ⟨Nat.shiftRight x b, Nat.shiftRight y b⟩ :: others b pieces
/-- A column of every part, from pieces of a digit for each part. -/
def partColumns (b mask : Nat) : Nat → List Memory → List Memory
  | 0, _ => []
  | Nat.succ lanes, pieces => lowest b mask pieces :: partColumns b mask lanes (others b pieces)
/-- A column of every part. -/
def apartOf (s : Scale) (lanes m : Nat) (c : Memory) : List Memory :=
  partColumns s.stride (Nat.sub (Nat.pow 2 s.stride) 1) lanes
    (pieces (Nat.mul s.stride lanes) (Nat.sub (Nat.pow 2 (Nat.mul s.stride lanes)) 1) m c.direct c.mirrored)
/-- `check` of every part's numbers. -/
def eachPart (check : Memory → Bool) : List Memory → Bool
  | [] => true
  | c :: cs => both (check c) (eachPart check cs)

/-- The property on parts of these magnitudes, by `rows` rows on each. `layers`, `last` and `columns` are for
    as many parts. -/
def partsTogether (s : Scale) (slope fraction : Nat) (strict : Bool) (alternatives lanes : Nat)
    (layers : List Layer) (last : Substitution) (rows : Nat) (columns : List Memory) (magnitudes : List Nat)
    (parts : List (List Range)) : Bool :=
  both (both (Nat.beq (List.length parts) lanes) (both (roomy s slope fraction magnitudes)
      (allFit s magnitudes parts)))
    (paired s (Nat.mul lanes (List.length magnitudes))
      (Nat.mul (Nat.succ (Nat.pow 2 s.half)) (middlesBeside s.stride (Nat.mul s.stride lanes) parts))
      fun constant => through s slope fraction magnitudes
        (fun constant' columns' =>
            finishWith s fraction last magnitudes constant' columns' fun bounds masses =>
          eachPart (fun c => clausesPositive s s.stride strict alternatives rows c.direct c.mirrored)
            (apartOf s lanes rows ⟨bounds, masses⟩))
        layers (Nat.mul lanes (List.length magnitudes)) constant columns)

/-! ### One part of them -/

def memoryAt : List Memory → Nat → Memory
  | [], _ => ⟨0, 0⟩
  | c :: _, 0 => c
  | _ :: cs, l + 1 => memoryAt cs l
theorem eachPart_at {check : Memory → Bool} : (cs : List Memory) → eachPart check cs = true →
    (l : Nat) → l < cs.length → check (memoryAt cs l) = true
  | [], _, l, hl => absurd hl (Nat.not_succ_le_zero l)
  | c :: cs, h, 0, _ => (both_true h).1
  | c :: cs, h, l + 1, hl => eachPart_at cs (both_true h).2 l (Nat.le_of_succ_le_succ hl)

theorem lowest_eq {b lanes : Nat} : (xs : List Memory) → (f g : Nat → Nat → Nat) →
    (∀ j, j < xs.length → f j 0 < 2 ^ b ∧ g j 0 < 2 ^ b) →
    Each xs (fun j => pack b (lanes + 1) (f j)) (fun j => pack b (lanes + 1) (g j)) →
    lowest b (Nat.sub (Nat.pow 2 b) 1) xs =
        ⟨pack b xs.length (fun j => f j 0), pack b xs.length (fun j => g j 0)⟩ ∧
      Each (others b xs) (fun j => pack b lanes (fun l => f j (l + 1)))
        (fun j => pack b lanes (fun l => g j (l + 1))) ∧
      (others b xs).length = xs.length
  | [], _, _, _, _ => ⟨rfl, trivial, rfl⟩
  | ⟨x, y⟩ :: xs, f, g, h, ⟨hx, hy, he⟩ => by
    have hx : x = _ := hx
    have hy : y = _ := hy
    obtain ⟨h1, h2⟩ := h 0 (Nat.succ_le_succ (Nat.zero_le _))
    obtain ⟨r1, r2, r3⟩ := lowest_eq xs (fun j => f (j + 1)) (fun j => g (j + 1))
      (fun j hj => h (j + 1) (Nat.succ_le_succ hj)) he
    refine ⟨?_, ⟨?_, ?_, r2⟩, congrArg Nat.succ r3⟩
    · unfold lowest
      rw [r1, hx, hy]
      show Memory.mk (Nat.land _ _ + Nat.shiftLeft _ b) (Nat.land _ _ + Nat.shiftLeft _ b) = _
      rw
        [NatEquations.shiftLeft_eq, NatEquations.shiftLeft_eq, Nat.mul_comm _ (2 ^ b), Nat.mul_comm _ (2 ^ b)]
      refine congr (congrArg Memory.mk ?_) ?_
      · exact congrArg (fun t => t + _) (land_pack_succ h1)
      · exact congrArg (fun t => t + _) (land_pack_succ h2)
    · show Nat.shiftRight x b = _
      rw [hx]; exact shift_pack_succ h1
    · show Nat.shiftRight y b = _
      rw [hy]; exact shift_pack_succ h2
theorem partColumns_eq {b : Nat} : (lanes : Nat) → (xs : List Memory) → (f g : Nat → Nat → Nat) →
    (∀ j l, j < xs.length → l < lanes → f j l < 2 ^ b ∧ g j l < 2 ^ b) →
    Each xs (fun j => pack b lanes (f j)) (fun j => pack b lanes (g j)) →
    (partColumns b (Nat.sub (Nat.pow 2 b) 1) lanes xs).length = lanes ∧
      ∀ l, l < lanes → memoryAt (partColumns b (Nat.sub (Nat.pow 2 b) 1) lanes xs) l =
        ⟨pack b xs.length (fun j => f j l), pack b xs.length (fun j => g j l)⟩
  | 0, _, _, _, _, _ => ⟨rfl, fun l hl => absurd hl (Nat.not_succ_le_zero l)⟩
  | lanes + 1, xs, f, g, h, he => by
    obtain ⟨r1, r2, r3⟩ :=
      lowest_eq xs f g (fun j hj => h j 0 hj (Nat.succ_le_succ (Nat.zero_le _))) he
    obtain ⟨q1, q2⟩ := partColumns_eq lanes (others b xs) (fun j l => f j (l + 1)) (fun j l => g j (l + 1))
      (fun j l hj hl => h j (l + 1) (by rw [← r3]; exact hj) (Nat.succ_le_succ hl)) r2
    refine ⟨congrArg Nat.succ q1, fun l hl => ?_⟩
    cases l with
    | zero => exact r1
    | succ l =>
      have z := q2 l (Nat.le_of_succ_le_succ hl)
      rw [r3] at z; exact z

theorem apartOf_eq {s : Scale} {lanes m l : Nat} {f g : Nat → Nat} (hl : l < lanes)
    (small : ∀ v, v < lanes * m → f v < 2 ^ s.stride ∧ g v < 2 ^ s.stride) :
    (apartOf s lanes m ⟨pack s.stride (lanes * m) f, pack s.stride (lanes * m) g⟩).length = lanes ∧
    memoryAt (apartOf s lanes m ⟨pack s.stride (lanes * m) f, pack s.stride (lanes * m) g⟩) l =
      ⟨pack s.stride m (fun j => f (besides lanes l j)),
          pack s.stride m (fun j => g (besides lanes l j))⟩ := by
  have pos : 0 < lanes := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le l)) hl
  have at_lane : ∀ {l j : Nat}, l < lanes → lanes * j + l = besides lanes l j := fun {l j} h => by
    unfold besides; rw [Natural.mod_eq_self h]
  have words : ∀ j l, j < m → l < lanes →
      f (lanes * j + l) < 2 ^ s.stride ∧ g (lanes * j + l) < 2 ^ s.stride := fun j l hj hl => by
    rw [at_lane hl]; exact small _ (besides_lt pos hj)
  obtain ⟨q1, q2⟩ := pieces_eq (b := s.stride * lanes) m
    (fun j => pack s.stride lanes (fun l => f (lanes * j + l)))
    (fun j => pack s.stride lanes (fun l => g (lanes * j + l)))
    (fun j hj => ⟨pack_lt fun l hl => (words j l hj hl).1, pack_lt fun l hl => (words j l hj hl).2⟩)
  obtain ⟨p1, p2⟩ := partColumns_eq (b := s.stride) lanes _ (fun j l => f (lanes * j + l))
    (fun j l => g (lanes * j + l)) (fun j l hj hl => words j l (by rw [← q2]; exact hj) hl) q1
  have e : apartOf s lanes m ⟨pack s.stride (lanes * m) f, pack s.stride (lanes * m) g⟩ =
      partColumns s.stride (Nat.sub (Nat.pow 2 s.stride) 1) lanes
        (pieces (s.stride * lanes) (Nat.sub (Nat.pow 2 (s.stride * lanes)) 1) m
          (pack (s.stride * lanes) m fun j => pack s.stride lanes fun l => f (lanes * j + l))
          (pack (s.stride * lanes) m fun j => pack s.stride lanes fun l => g (lanes * j + l))) := by
    unfold apartOf
    rw [Decode.pack_group, Decode.pack_group]; rfl
  rw [e]
  refine ⟨p1, ?_⟩
  rw [p2 l hl, q2]
  refine congr (congrArg Memory.mk ?_) ?_
  · exact pack_congr fun j _ => by rw [at_lane hl]
  · exact pack_congr fun j _ => by rw [at_lane hl]

theorem every_partAt {p : List Range → Prop} : (parts : List (List Range)) →
    (∀ l, l < parts.length → p (partAt parts l)) → Every p parts
  | [], _ => trivial
  | _ :: parts, h => ⟨h 0 (Nat.succ_le_succ (Nat.zero_le _)),
      every_partAt parts fun l hl => h (l + 1) (Nat.succ_le_succ hl)⟩

/-- Whatever lies in one of the parts has the property. -/
theorem partsTogether_sound {s : Scale} {slots z : Nat → K} {slope fraction m origin lanes : Nat}
    {p : Property} {layers : List Layer} {last : Substitution} {columns : List Memory} {magnitudes : List Nat}
    {parts : List (List Range)} {n : Nat}
    (sf : s.Fits)
    (center : 1 ≤ s.center)
    (pos : 0 < lanes)
    (hn : magnitudes.length = n)
    (chain : Chain s z m layers (fun i => slots (origin + i)) n)
    (y : Nat → K)
    (hlast : last.Holds s z m y)
    (rows : last.rows = p.forms.rows)
    (whole : last.shift = 0)
    (signs : ∀ row, row < p.forms.rows → Signed p.strict (y row) → Signed p.strict (p.forms.form slots 0 row))
    (hcs : Paired (Holds s (lanes * n)) columns (mapped (spreadBand lanes) (unitBands s fraction n 0)))
    (h : partsTogether s slope fraction p.strict p.alternatives lanes (layersBeside s lanes layers n)
      (last.beside s lanes m) last.rows columns magnitudes parts = true) :
    Every (fun ranges => RangesHold s slots origin ranges → p.Holds slots) parts := by
  unfold partsTogether at h
  obtain ⟨conditions, h⟩ := both_true h
  obtain ⟨count, conditions⟩ := both_true conditions
  obtain ⟨roomy, fit⟩ := both_true conditions
  have r := roomy_sound roomy
  have count := Nat.eq_of_beq_eq_true count
  subst hn
  subst count
  rw [constant_eq pos fit] at h
  have tops : ∀ v, v < parts.length * magnitudes.length → middleOf parts parts.length v ≤ s.top := fun v hv =>
    fitsIn_top _ _ (allFit_at parts fit _ (mod_lt pos v)) _
  obtain ⟨constant, hc, h⟩ := paired_sound r
    (fun v hv => ⟨Natural.lt_of_le_of_lt (tops v hv) r.top_lt, Natural.lt_of_le_of_lt (tops v hv) r.top_lt⟩) h
  refine every_partAt parts fun l hl hr => ?_
  obtain ⟨constant', columns', hx, h⟩ := through_sound
    (next := fun constant' columns' =>
      finishWith s fraction (last.beside s parts.length m) magnitudes constant' columns' fun bounds masses =>
        eachPart (fun c => clausesPositive s s.stride p.strict p.alternatives last.rows c.direct c.mirrored)
          (apartOf s parts.length last.rows ⟨bounds, masses⟩)) sf r _ _ _ constant columns
    (chain_beside (l := l) sf r.half center pos layers _ _ chain) (inputs_beside fit hl hr hc hcs) h
  obtain ⟨low, high, mass, hd, positive, h⟩ := finishWith_sound (z := fun v => y (v / parts.length)) sf r.half
    r.places (Substitution.beside_on (l := l) sf r.half center pos hlast) whole hx h
  have hd : ∀ v, v < parts.length * last.rows → low v < 2 ^ s.half ∧ high v < 2 ^ s.half ∧
    mass v < 2 ^ s.stride := hd
  obtain ⟨len, e⟩ := apartOf_eq (s := s) (m := last.rows) (f := fun v => low v + 2 ^ s.half * high v)
    (g := mass) hl (fun v hv => ⟨Memory.halves_lt (hd v hv).1 (hd v hv).2.1, (hd v hv).2.2⟩)
  have h := eachPart_at _ h l (by
    refine Nat.le_trans hl (Natural.le_of_eq ?_)
    exact len.symm)
  have e : memoryAt (apartOf s parts.length last.rows
      ⟨pack s.stride (last.beside s parts.length m).rows (fun v => low v + 2 ^ s.half * high v),
        pack s.stride (last.beside s parts.length m).rows mass⟩) l = _ := e
  rw [e, rows] at h
  rw [rows] at hd
  refine clausesPositive_sound (low := fun i => low (besides parts.length l i))
    (high := fun i => high (besides parts.length l i)) (mass := fun i => mass (besides parts.length l i))
    Nat.le.refl (fun i hi => hd _ (besides_lt pos hi)) (fun i hi g => signs i hi ?_) h
  have z := positive p.strict (besides parts.length l i)
    (show _ < parts.length * last.rows by rw [rows]; exact besides_lt pos hi)
    ((besides_mod pos).trans (Natural.mod_eq_self hl)) g
  have z : Signed p.strict (y (besides parts.length l i / parts.length)) := z
  rw [besides_div pos] at z; exact z
end Forward
end PytestTorchLean
