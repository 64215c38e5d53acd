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
def allApart (s : Scale) (lanes m : Nat) : List Memory → List (List Memory)
  | [] => []
  | c :: columns => apartOf s lanes m c :: allApart s lanes m columns

def headsOf : List (List Memory) → List Memory
  | [] => []
  | [] :: columns => ⟨0, 0⟩ :: headsOf columns
  | (c :: _) :: columns => c :: headsOf columns
def tailsOf : List (List Memory) → List (List Memory)
  | [] => []
  | [] :: columns => [] :: tailsOf columns
  | (_ :: cs) :: columns => cs :: tailsOf columns
/-- `check` of every part's constant and columns. -/
def eachPart (check : Memory → List Memory → Bool) : List Memory → List (List Memory) → Bool
  | [], _ => true
  | c :: cs, columns => both (check c (headsOf columns)) (eachPart check cs (tailsOf columns))

/-- The property on parts of these magnitudes. `layers` and `columns` are for as many parts; `m` values are
    read by the rows of `last`. -/
def partsTogether (s : Scale) (slope fraction : Nat) (strict : Bool) (alternatives lanes : Nat)
    (layers : List Layer) (last : Substitution) (m : Nat) (columns : List Memory) (magnitudes : List Nat)
    (parts : List (List Range)) : Bool :=
  both (both (Nat.beq (List.length parts) lanes) (both (roomy s slope fraction magnitudes)
      (allFit s magnitudes parts)))
    (paired s (Nat.mul lanes (List.length magnitudes))
      (Nat.mul (Nat.succ (Nat.pow 2 s.half)) (middlesBeside s.stride (Nat.mul s.stride lanes) parts))
      fun constant => through s slope fraction magnitudes
        (fun constant' columns' =>
          eachPart (fun c cs => finish s fraction strict alternatives last magnitudes c cs)
            (apartOf s lanes m constant') (allApart s lanes m columns'))
        layers (Nat.mul lanes (List.length magnitudes)) constant columns)

/-! ### One part of them -/

def memoryAt : List Memory → Nat → Memory
  | [], _ => ⟨0, 0⟩
  | c :: _, 0 => c
  | _ :: cs, l + 1 => memoryAt cs l
def columnsAt (l : Nat) : List (List Memory) → List Memory
  | [] => []
  | cs :: columns => memoryAt cs l :: columnsAt l columns
theorem headsOf_eq : (columns : List (List Memory)) → headsOf columns = columnsAt 0 columns
  | [] => rfl
  | [] :: columns => congrArg (List.cons _) (headsOf_eq columns)
  | (_ :: _) :: columns => congrArg (List.cons _) (headsOf_eq columns)
theorem tailsOf_eq (l : Nat) :
    (columns : List (List Memory)) → columnsAt l (tailsOf columns) = columnsAt (l + 1) columns
  | [] => rfl
  | [] :: columns => congrArg (List.cons _) (tailsOf_eq l columns)
  | (_ :: _) :: columns => congrArg (List.cons _) (tailsOf_eq l columns)
theorem eachPart_at {check : Memory → List Memory → Bool} :
    (cs : List Memory) → (columns : List (List Memory)) → eachPart check cs columns = true →
    (l : Nat) → l < cs.length → check (memoryAt cs l) (columnsAt l columns) = true
  | [], _, _, l, hl => absurd hl (Nat.not_succ_le_zero l)
  | c :: cs, columns, h, 0, _ => by rw [← headsOf_eq]; exact (both_true h).1
  | c :: cs, columns, h, l + 1, hl => by
    rw [← tailsOf_eq]
    exact eachPart_at cs (tailsOf columns) (both_true h).2 l (Nat.le_of_succ_le_succ hl)

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

/-- A band over all digits, on part `l`. -/
def bandOf (lanes l : Nat) (b : Band) : Band :=
  ⟨fun j => b.lower (besides lanes l j), fun j => b.upper (besides lanes l j)⟩
theorem apartOf_holds {s : Scale} {lanes m l : Nat} {c : Memory} {b : Band} (sf : s.Fits) (hl : l < lanes)
    (hc : Holds s (lanes * m) c b) :
    (apartOf s lanes m c).length = lanes ∧
    Holds s m (memoryAt (apartOf s lanes m c) l) (bandOf lanes l b) := by
  obtain ⟨h1, h2, h3⟩ := hc
  have pos : 0 < lanes := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le l)) hl
  have small : ∀ {z : Nat}, z ≤ s.top → z < 2 ^ s.half := fun h => Natural.lt_of_le_of_lt h sf.half
  have at_lane : ∀ {l j : Nat}, l < lanes → lanes * j + l = besides lanes l j := fun {l j} h => by
    unfold besides; rw [Natural.mod_eq_self h]
  have words : ∀ j l, j < m → l < lanes →
      Memory.directWord s (b.lower (lanes * j + l)) (b.upper (lanes * j + l)) < 2 ^ s.stride ∧
      Memory.mirroredWord s (b.lower (lanes * j + l)) (b.upper (lanes * j + l)) < 2 ^ s.stride :=
      fun j l hj hl => by
    rw [at_lane hl]
    have z := h3 _ (besides_lt (v := l) pos hj)
    exact ⟨Memory.halves_lt (small z.1) (small z.2),
      Memory.halves_lt (small (Natural.sub_le _ _)) (small (Natural.sub_le _ _))⟩
  obtain ⟨q1, q2⟩ := pieces_eq (b := s.stride * lanes) m
    (fun j => pack s.stride lanes (fun l =>
      Memory.directWord s (b.lower (lanes * j + l)) (b.upper (lanes * j + l))))
    (fun j => pack s.stride lanes (fun l =>
      Memory.mirroredWord s (b.lower (lanes * j + l)) (b.upper (lanes * j + l))))
    (fun j hj => ⟨pack_lt fun l hl => (words j l hj hl).1, pack_lt fun l hl => (words j l hj hl).2⟩)
  obtain ⟨p1, p2⟩ := partColumns_eq (b := s.stride) lanes _
    (fun j l => Memory.directWord s (b.lower (lanes * j + l)) (b.upper (lanes * j + l)))
    (fun j l => Memory.mirroredWord s (b.lower (lanes * j + l)) (b.upper (lanes * j + l)))
    (fun j l hj hl => words j l (by rw [← q2]; exact hj) hl) q1
  have e : apartOf s lanes m c = partColumns s.stride (Nat.sub (Nat.pow 2 s.stride) 1) lanes
      (pieces (s.stride * lanes) (Nat.sub (Nat.pow 2 (s.stride * lanes)) 1) m
        (pack (s.stride * lanes) m fun j => pack s.stride lanes fun l =>
          Memory.directWord s (b.lower (lanes * j + l)) (b.upper (lanes * j + l)))
        (pack (s.stride * lanes) m fun j => pack s.stride lanes fun l =>
          Memory.mirroredWord s (b.lower (lanes * j + l)) (b.upper (lanes * j + l)))) := by
    unfold apartOf
    rw [h1, h2, Decode.pack_group, Decode.pack_group]; rfl
  rw [e]
  refine ⟨p1, ?_⟩
  rw [p2 l hl, q2]
  refine ⟨?_, ?_, fun j hj => h3 _ (besides_lt pos hj)⟩
  · exact pack_congr fun j _ => by rw [at_lane hl]; rfl
  · exact pack_congr fun j _ => by rw [at_lane hl]; rfl
theorem allApart_paired {s : Scale} {lanes m l : Nat} (sf : s.Fits) (hl : l < lanes) :
    (columns : List Memory) → (bands : List Band) → Paired (Holds s (lanes * m)) columns bands →
    Paired (Holds s m) (columnsAt l (allApart s lanes m columns)) (mapped (bandOf lanes l) bands)
  | [], [], _ => trivial
  | c :: columns, b :: bands, ⟨h1, h2⟩ => ⟨(apartOf_holds sf hl h1).2, allApart_paired sf hl columns bands h2⟩
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim

theorem apart_enclosed {s : Scale} {point lanes m l : Nat} {magnitudes : List Nat} {deviations : List K}
    {x : Nat → K} {constant : Memory} {columns : List Memory} (sf : s.Fits) (hl : l < lanes)
    (h : EnclosedOn (fun v => v % lanes = l) s point (lanes * m) magnitudes deviations
      (fun v => x (v / lanes)) constant columns) :
    (apartOf s lanes m constant).length = lanes ∧ Enclosed s point m magnitudes deviations x
      (memoryAt (apartOf s lanes m constant) l) (columnsAt l (allApart s lanes m columns)) := by
  obtain ⟨⟨band, bands, hc, hb, forms⟩, small⟩ := h
  have pos : 0 < lanes := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le l)) hl
  obtain ⟨len, hc⟩ := apartOf_holds sf hl hc
  refine ⟨len, ⟨⟨_, _, hc, allApart_paired sf hl columns bands hb, fun j hj _ => ?_⟩, small⟩⟩
  have z := forms (besides lanes l j) (besides_lt pos hj) ((besides_mod pos).trans (Natural.mod_eq_self hl))
  rw [besides_div pos] at z
  unfold below above at z ⊢
  rw [combined_mapped, combined_mapped]
  exact z

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
    (h : partsTogether s slope fraction p.strict p.alternatives lanes (layersBeside s lanes layers n) last m
      columns magnitudes parts = true) :
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
      eachPart (fun c cs => finish s fraction p.strict p.alternatives last magnitudes c cs)
        (apartOf s parts.length m constant') (allApart s parts.length m columns')) sf r _ _ _ constant columns
    (chain_beside (l := l) sf r.half center pos layers _ _ chain) (inputs_beside fit hl hr hc hcs) h
  obtain ⟨len, hx⟩ := apart_enclosed sf hl hx
  exact finish_sound sf r.half r.places hlast whole rows signs hx
    (eachPart_at _ _ h l (by rw [len]; exact hl))
end Forward
end PytestTorchLean
