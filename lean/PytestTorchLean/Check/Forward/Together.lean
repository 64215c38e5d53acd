prelude
import PytestTorchLean.Check.Forward.LaneParts
import PytestTorchLean.Check.Prepared
/-!
# All parts of a box

A program takes parts of the same widths together (Check/Forward/LaneParts), where there are enough of them;
the others, and those that are not proved so, one by one. The kernel takes all one by one.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural
variable {K : Type u} [OrderedRing K]

/-! ### What is computed -/

/-- The parts, before `later`. -/
def Cuts.parts : Cuts → List Range → List (List Range) → List (List Range)
  | .leaf, ranges, later => ranges :: later
  | .cut input value below above, ranges, later =>
    below.parts (capped value ranges input) (above.parts (raisedTo value ranges input) later)
def Cuts.size : Cuts → Nat
  | .leaf => 1
  | .cut _ _ below above => Nat.add below.size above.size

/-- Parts whose inputs reach at most so far from their middles. -/
structure Group where
  magnitudes : List Nat
  count : Nat
  parts : List (List Range)
/-- How far a part's inputs reach, with room for the roundings of middles. -/
def reachesOf : List Range → List Nat
  | [] => []
  | r :: ranges => Nat.succ (Nat.sub r.upper (middle r)) :: reachesOf ranges
/-- The ranges reach as far, but for such roundings. -/
def alike : List Nat → List Range → Bool
  | w :: magnitudes, r :: ranges =>
    both (both (Nat.ble (Nat.sub r.upper (middle r)) w) (Nat.ble w (Nat.add (Nat.sub r.upper (middle r)) 3)))
      (alike magnitudes ranges)
  | [], _ => true
  | _ :: _, [] => false
/-- The part with its like: groups that are full, and the others. -/
def sorted (lanes : Nat) (part : List Range) : List Group → Prod (List Group) (List Group)
  | [] => ⟨[], [⟨reachesOf part, 1, [part]⟩]⟩
  | ⟨magnitudes, count, parts⟩ :: groups =>
    match alike magnitudes part with
    | true =>
      match Nat.ble lanes (Nat.succ count) with
      | true => ⟨[⟨magnitudes, Nat.succ count, part :: parts⟩], groups⟩
      | false => ⟨[], ⟨magnitudes, Nat.succ count, part :: parts⟩ :: groups⟩
    | false =>
      match sorted lanes part groups with
      | ⟨full, rest⟩ => ⟨full, ⟨magnitudes, count, parts⟩ :: rest⟩
def eachGroup (check : Group → Bool) : List Group → Bool
  | [] => true
  | g :: groups => both (check g) (eachGroup check groups)
/-- `check` of groups of all parts. -/
def inGroups (lanes : Nat) (check : Group → Bool) : List (List Range) → List Group → Bool
  | [], groups => eachGroup check groups
  | part :: parts, groups =>
    match sorted lanes part groups with
    | ⟨full, rest⟩ => both (eachGroup check full) (inGroups lanes check parts rest)

/-- As many parts, the first one repeated. -/
def filled (first : List Range) : Nat → List (List Range) → List (List Range)
  | 0, parts => parts
  | Nat.succ lanes, [] => first :: filled first lanes []
  | Nat.succ lanes, part :: parts => part :: filled first lanes parts
def oneByOne (single : List Range → Bool) : List (List Range) → Bool
  | [] => true
  | part :: parts => both (single part) (oneByOne single parts)
/-- Together, if there are enough of them and that proves them. -/
def checkGroup (lanes : Nat) (single : List Range → Bool) (all : List Nat → List (List Range) → Bool)
    (g : Group) : Bool :=
  match g.parts with
  | [] => true
  | part :: parts =>
    match both (Nat.ble lanes (Nat.mul 4 g.count)) (all g.magnitudes (filled part lanes (part :: parts))) with
    | true => true
    | false => oneByOne single (part :: parts)

/-- Trees of fewer parts are not worth what is prepared for many. -/
def fewParts : Nat := 12
/-- All parts, with what is prepared for `lanes` of them. -/
def runTogether (s : Scale) (slope fraction : Nat) (strict : Bool) (alternatives lanes : Nat)
    (layers : List Layer) (last : Substitution) (rows : Nat) (single : List Range → Bool)
    (parts : List (List Range)) (columns : List Memory) : Bool :=
  inGroups lanes
    (checkGroup lanes single
        (partsTogether s slope fraction strict alternatives lanes layers last rows columns))
    parts []

/-- The property on all parts; the last layer reads `m` values, the first one `n`. -/
def run [Prepared] (s : Scale) (slope fraction : Nat) (symbols strict : Bool) (alternatives : Nat)
    (layers : List Layer) (last : Substitution) (cuts : Cuts) (m n : Nat) (ranges : List Range) : Bool :=
  both
    (both (roomy s slope fraction []) (both (Nat.ble (Nat.pow 2 fraction) s.center) (Nat.beq last.shift 0)))
    (unitColumns s fraction n n 0 fun columns => Bool.casesOn (motive := fun _ => Bool)
      (both (Nat.ble 1 Prepared.together)
        (both (Bool.casesOn (motive := fun _ => Bool) symbols true false) (Nat.ble fewParts cuts.size)))
      (cuts.run (part s slope fraction symbols strict alternatives layers last n columns) ranges)
      (columnsBeside s fraction Prepared.together n n 0
        (runTogether s slope fraction strict alternatives Prepared.together
          (layersBeside s Prepared.together layers n) (last.beside s Prepared.together m) last.rows
          (part s slope fraction symbols strict alternatives layers last n columns) (cuts.parts ranges []))))

/-! ### Soundness -/

theorem Cuts.parts_sound {s : Scale} {slots : Nat → K} {first n : Nat} {goal : Prop} :
    (c : Cuts) → (ranges : List Range) → (later : List (List Range)) → ranges.length = n →
    Every (fun ranges => ranges.length = n → RangesHold s slots first ranges → goal)
      (c.parts ranges later) →
    (RangesHold s slots first ranges → goal) ∧
      Every (fun ranges => ranges.length = n → RangesHold s slots first ranges → goal) later
  | .leaf, ranges, later, hn, h => ⟨h.1 hn, h.2⟩
  | .cut input value below above, ranges, later, hn, h => by
    obtain ⟨b, h⟩ := Cuts.parts_sound below _ _ (by rw [length_capped]; exact hn) h
    obtain ⟨a, h⟩ := Cuts.parts_sound above _ _ (by rw [length_raisedTo]; exact hn) h
    refine ⟨fun hr => ?_, h⟩
    cases le_total (s.image (slots (first + input))) (natural value) with
    | inl le => exact b (capped_hold ranges first input hr le)
    | inr le => exact a (raisedTo_hold ranges first input hr le)

/-- All parts of all groups. -/
def AllParts (p : List Range → Prop) (groups : List Group) : Prop := Every (fun g => Every p g.parts) groups
theorem sorted_sound {p : List Range → Prop} {lanes : Nat} {part : List Range} : (groups : List Group) →
    AllParts p (sorted lanes part groups).fst → AllParts p (sorted lanes part groups).snd →
    p part ∧ AllParts p groups
  | [], _, h => ⟨h.1.1, trivial⟩
  | ⟨magnitudes, count, parts⟩ :: groups, h1, h2 => by
    unfold sorted at h1 h2
    cases e : alike magnitudes part with
    | true =>
      rw [e] at h1 h2
      cases e2 : Nat.ble lanes (Nat.succ count) with
      | true =>
        have h1 : AllParts p (match Nat.ble lanes (Nat.succ count) with
          | true => (⟨[⟨magnitudes, Nat.succ count, part :: parts⟩], groups⟩ : Prod (List Group) (List Group))
          | false => ⟨[], ⟨magnitudes, Nat.succ count, part :: parts⟩ :: groups⟩).fst := h1
        have h2 : AllParts p (match Nat.ble lanes (Nat.succ count) with
          | true => (⟨[⟨magnitudes, Nat.succ count, part :: parts⟩], groups⟩ : Prod (List Group) (List Group))
          | false => ⟨[], ⟨magnitudes, Nat.succ count, part :: parts⟩ :: groups⟩).snd := h2
        rw [e2] at h1 h2
        exact ⟨h1.1.1, h1.1.2, h2⟩
      | false =>
        have h2 : AllParts p (match Nat.ble lanes (Nat.succ count) with
          | true => (⟨[⟨magnitudes, Nat.succ count, part :: parts⟩], groups⟩ : Prod (List Group) (List Group))
          | false => ⟨[], ⟨magnitudes, Nat.succ count, part :: parts⟩ :: groups⟩).snd := h2
        rw [e2] at h2
        exact ⟨h2.1.1, h2.1.2, h2.2⟩
    | false =>
      rw [e] at h1 h2
      obtain ⟨r1, r2⟩ := sorted_sound groups h1 h2.2
      exact ⟨r1, h2.1, r2⟩

theorem eachGroup_sound {p : List Range → Prop} {check : Group → Bool}
    (hc : ∀ g, check g = true → Every p g.parts) :
    (groups : List Group) → eachGroup check groups = true → AllParts p groups
  | [], _ => trivial
  | g :: groups, h => ⟨hc g (both_true h).1, eachGroup_sound hc groups (both_true h).2⟩
theorem inGroups_sound {p : List Range → Prop} {lanes : Nat} {check : Group → Bool}
    (hc : ∀ g, check g = true → Every p g.parts) :
    (parts : List (List Range)) → (groups : List Group) → inGroups lanes check parts groups = true →
    Every p parts ∧ AllParts p groups
  | [], groups, h => ⟨trivial, eachGroup_sound hc groups h⟩
  | part :: parts, groups, h => by
    have h : both (eachGroup check (sorted lanes part groups).fst)
      (inGroups lanes check parts (sorted lanes part groups).snd) = true := h
    obtain ⟨h1, h2⟩ := both_true h
    obtain ⟨r1, r2⟩ := inGroups_sound hc parts _ h2
    obtain ⟨q1, q2⟩ := sorted_sound groups (eachGroup_sound hc _ h1) r2
    exact ⟨⟨q1, r1⟩, q2⟩

theorem filled_sound {p : List Range → Prop} {first : List Range} : (lanes : Nat) →
    (parts : List (List Range)) → Every p (filled first lanes parts) → Every p parts
  | 0, _, h => h
  | _ + 1, [], _ => trivial
  | lanes + 1, _ :: parts, h => ⟨h.1, filled_sound lanes parts h.2⟩
theorem oneByOne_sound {p : List Range → Prop} {single : List Range → Bool}
    (h : ∀ ranges, single ranges = true → p ranges) :
    (parts : List (List Range)) → oneByOne single parts = true → Every p parts
  | [], _ => trivial
  | _ :: parts, g => ⟨h _ (both_true g).1, oneByOne_sound h parts (both_true g).2⟩
theorem checkGroup_sound {p : List Range → Prop} {lanes : Nat} {single : List Range → Bool}
    {all : List Nat → List (List Range) → Bool} (hs : ∀ ranges, single ranges = true → p ranges)
    (ha : ∀ magnitudes parts, all magnitudes parts = true → Every p parts) :
    (g : Group) → checkGroup lanes single all g = true → Every p g.parts
  | ⟨_, _, []⟩, _ => trivial
  | ⟨magnitudes, count, part :: parts⟩, h => by
    cases e : both (Nat.ble lanes (Nat.mul 4 count)) (all magnitudes (filled part lanes (part :: parts))) with
    | true => exact filled_sound lanes _ (ha _ _ (both_true e).2)
    | false =>
      have h : (match both (Nat.ble lanes (Nat.mul 4 count))
          (all magnitudes (filled part lanes (part :: parts))) with
        | true => true
        | false => oneByOne single (part :: parts)) = true := h
      rw [e] at h
      exact oneByOne_sound hs _ h

theorem every_imp_parts {p q : List Range → Prop} (h : ∀ r, p r → q r) :
    (parts : List (List Range)) → Every p parts → Every q parts
  | [], _ => trivial
  | r :: parts, g => ⟨h r g.1, every_imp_parts h parts g.2⟩

theorem run_sound [Prepared] {s : Scale} {slots z : Nat → K} {slope fraction m n origin : Nat}
    {symbols : Bool} {p : Property} {layers : List Layer} {last : Substitution} {cuts : Cuts}
    {ranges : List Range}
    (sf : s.Fits)
    (chain : Chain s z m layers (fun i => slots (origin + i)) n)
    (y : Nat → K)
    (hlast : last.Holds s z m y)
    (rows : last.rows = p.forms.rows)
    (signs : ∀ row, row < p.forms.rows → Signed p.strict (y row) → Signed p.strict (p.forms.form slots 0 row))
    (hn : ranges.length = n)
    (hr : RangesHold s slots origin ranges)
    (h : run s slope fraction symbols p.strict p.alternatives layers last cuts m n ranges = true) :
    p.Holds slots := by
  obtain ⟨hf, h⟩ := both_true h
  obtain ⟨r0, hf⟩ := both_true hf
  obtain ⟨point, whole⟩ := both_true hf
  have point := Nat.le_of_ble_eq_true point
  have whole := Nat.eq_of_beq_eq_true whole
  have r0 := roomy_sound r0
  obtain ⟨columns, hcs, h⟩ := unitColumns_sound r0 point n 0 _ (Nat.zero_add n) h
  have single : ∀ ranges : List Range, ranges.length = n → RangesHold s slots origin ranges →
      part s slope fraction symbols p.strict p.alternatives layers last n columns ranges = true →
      p.Holds slots := fun ranges hn hr h => by
    subst hn
    exact part_sound sf chain y hlast rows whole signs hcs hr h
  have alone : cuts.run (part s slope fraction symbols p.strict p.alternatives layers last n columns) ranges =
      true → p.Holds slots := fun h => Cuts.run_sound (s := s) (slots := slots) (first := origin) (n := n)
    (goal := p.Holds slots) single cuts ranges hn hr h
  cases e : both (Nat.ble 1 Prepared.together)
      (both (Bool.casesOn (motive := fun _ => Bool) symbols true false) (Nat.ble fewParts cuts.size)) with
  | false => rw [e] at h; exact alone h
  | true =>
    rw [e] at h
    have pos := Nat.le_of_ble_eq_true (both_true e).1
    obtain ⟨columns', hcs', h⟩ := columnsBeside_sound r0 point pos n 0 _ (Nat.zero_add n) h
    refine (Cuts.parts_sound (s := s) (slots := slots) (first := origin) (n := n) (goal := p.Holds slots) cuts
      ranges [] hn (inGroups_sound (fun g hg => checkGroup_sound (fun ranges h hn hr => single ranges hn hr h)
        (fun magnitudes parts h => ?_) g hg) _ [] h).1).1 hr
    cases hm : Nat.beq magnitudes.length n with
    | true =>
      have hm := Nat.eq_of_beq_eq_true hm
      refine every_imp_parts (fun ranges h _ hr => h hr) _ (partsTogether_sound sf
        (Nat.le_trans (Natural.two_pow_pos fraction) point) pos hm chain y hlast rows whole signs hcs' h)
    | false =>
      -- parts of another length
      refine every_partAt _ fun l hl hn _ => ?_
      obtain ⟨conditions, _⟩ := both_true h
      have fit := (both_true (both_true conditions).2).2
      have len := fitsIn_length _ _ (allFit_at _ fit l hl)
      rw [← len, hn, Nat.beq_refl] at hm
      exact Bool.noConf_tf hm
end Forward
end PytestTorchLean
