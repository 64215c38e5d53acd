prelude
import PytestTorchLean.Evaluated.Format
/-!
# What is prepared of a document's weights

Before a document is checked, its scripts are read for what they ask of a node's weights: decodings, rows of weights in
digits of some size, and properties with the last node substituted. What is asked for more than once is computed once, into a table. An entry of the table carries the
proof that it is what the weights say; what the table lacks is computed where it is asked for. So the table may hold too
little, but nothing wrong.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Evaluated

/-- A node's weights, decoded. -/
structure KeptColumns where
  affine : Affine
  decoding : Decoding
  lanes : Option (List (List Column))
  right : decode affine decoding = lanes
  summed : Summed
  summed_right : (found : List (List Column)) → decode affine decoding = some found → summed = PytestTorchLean.summed (Columns.flatten found)
/-- A node's weights row by row. -/
structure KeptRows where
  affine : Affine
  decoding : Decoding
  digit : Nat
  count : Nat
  rows : Prod (List Nat) (List Nat)
  right : (lanes : List (List Column)) → decode affine decoding = some lanes → rows = Relaxation.weightRows affine decoding digit count lanes
/-- A property's forms, in which a node is substituted. -/
structure KeptComposition where
  affine : Affine
  decoding : Decoding
  forms : Affine
  formsDecoding : Decoding
  size : Nat
  composed : Summed
  right : (lanes lanes' : List (List Column)) → decode affine decoding = some lanes → decode forms formsDecoding = some lanes' →
    composed = composition affine forms size lanes lanes'
structure Table where
  columns : List KeptColumns
  rows : List KeptRows
  compositions : List KeptComposition

/-- The same numbers. The weights come last: to compare them takes longest. -/
def sameAffine (a b : Affine) : Bool :=
  both (Nat.beq a.rows b.rows) (both (Nat.beq a.lanes b.lanes) (both (Nat.beq a.laneColumns b.laneColumns) (both (Nat.beq a.positions b.positions)
    (both (Nat.beq a.divisor b.divisor) (both (Nat.beq a.sources b.sources) (Nat.beq a.weights b.weights))))))
theorem sameAffine_sound : (a b : Affine) → sameAffine a b = true → a = b
  | ⟨_, _, _, _, _, _, _⟩, ⟨_, _, _, _, _, _, _⟩, h => by
    obtain ⟨h1, h⟩ := both_true h
    obtain ⟨h2, h⟩ := both_true h
    obtain ⟨h3, h⟩ := both_true h
    obtain ⟨h4, h⟩ := both_true h
    obtain ⟨h5, h⟩ := both_true h
    obtain ⟨h6, h7⟩ := both_true h
    have h1 := Nat.eq_of_beq_eq_true h1
    have h2 := Nat.eq_of_beq_eq_true h2
    have h3 := Nat.eq_of_beq_eq_true h3
    have h4 := Nat.eq_of_beq_eq_true h4
    have h5 := Nat.eq_of_beq_eq_true h5
    have h6 := Nat.eq_of_beq_eq_true h6
    have h7 := Nat.eq_of_beq_eq_true h7
    subst h1; subst h2; subst h3; subst h4; subst h5; subst h6; subst h7
    rfl
def sameDecoding (d e : Decoding) : Bool := both (Nat.beq d.base e.base) (both (Nat.beq d.stages e.stages) (Nat.beq d.bits e.bits))
theorem sameDecoding_sound : (d e : Decoding) → sameDecoding d e = true → d = e
  | ⟨_, _, _⟩, ⟨_, _, _⟩, h => by
    obtain ⟨h1, h⟩ := both_true h
    obtain ⟨h2, h3⟩ := both_true h
    have h1 := Nat.eq_of_beq_eq_true h1
    have h2 := Nat.eq_of_beq_eq_true h2
    have h3 := Nat.eq_of_beq_eq_true h3
    subst h1; subst h2; subst h3
    rfl

/-- The decoded columns, from the table where it has them. -/
def recallColumns (a : Affine) (d : Decoding) : List KeptColumns → Option (List (List Column))
  | [] => decode a d
  | k :: table =>
    match both (sameDecoding k.decoding d) (sameAffine k.affine a) with
    | true => k.lanes
    | false => recallColumns a d table
theorem recallColumns_eq (a : Affine) (d : Decoding) : (table : List KeptColumns) → recallColumns a d table = decode a d
  | [] => rfl
  | k :: table => by
    unfold recallColumns
    cases e : both (sameDecoding k.decoding d) (sameAffine k.affine a) with
    | true =>
      obtain ⟨e1, e2⟩ := both_true e
      have e1 := sameDecoding_sound _ _ e1
      have e2 := sameAffine_sound _ _ e2
      rw [← e1, ← e2, k.right]
    | false => exact recallColumns_eq a d table

/-- All columns and their masses, from the table where it has them. -/
def recallSummed (a : Affine) (d : Decoding) (lanes : List (List Column)) : List KeptColumns → Summed
  | [] => PytestTorchLean.summed (Columns.flatten lanes)
  | k :: table =>
    match both (sameDecoding k.decoding d) (sameAffine k.affine a) with
    | true => k.summed
    | false => recallSummed a d lanes table
theorem recallSummed_eq {a : Affine} {d : Decoding} {lanes : List (List Column)} (hd : decode a d = some lanes) : (table : List KeptColumns) →
    recallSummed a d lanes table = PytestTorchLean.summed (Columns.flatten lanes)
  | [] => rfl
  | k :: table => by
    unfold recallSummed
    cases e : both (sameDecoding k.decoding d) (sameAffine k.affine a) with
    | true =>
      obtain ⟨e1, e2⟩ := both_true e
      have e1 := sameDecoding_sound _ _ e1
      have e2 := sameAffine_sound _ _ e2
      exact k.summed_right lanes (by rw [e1, e2]; exact hd)
    | false => exact recallSummed_eq hd table

/-- Composed forms, from the table where it has them. -/
def recallComposed (a : Affine) (d : Decoding) (forms : Affine) (d' : Decoding) (size : Nat) (lanes lanes' : List (List Column)) : List KeptComposition → Summed
  | [] => composition a forms size lanes lanes'
  | k :: table =>
    match both (both (Nat.beq k.size size) (both (sameDecoding k.decoding d) (sameDecoding k.formsDecoding d'))) (both (sameAffine k.forms forms) (sameAffine k.affine a)) with
    | true => k.composed
    | false => recallComposed a d forms d' size lanes lanes' table
theorem recallComposed_eq {a : Affine} {d : Decoding} {forms : Affine} {d' : Decoding} {lanes lanes' : List (List Column)} (size : Nat) (hd : decode a d = some lanes)
    (hd' : decode forms d' = some lanes') : (table : List KeptComposition) → recallComposed a d forms d' size lanes lanes' table = composition a forms size lanes lanes'
  | [] => rfl
  | k :: table => by
    unfold recallComposed
    cases e : both (both (Nat.beq k.size size) (both (sameDecoding k.decoding d) (sameDecoding k.formsDecoding d'))) (both (sameAffine k.forms forms) (sameAffine k.affine a)) with
    | true =>
      obtain ⟨e, e4⟩ := both_true e
      obtain ⟨e1, e⟩ := both_true e
      obtain ⟨e2, e3⟩ := both_true e
      obtain ⟨e4, e5⟩ := both_true e4
      have e1 := Nat.eq_of_beq_eq_true e1
      have e2 := sameDecoding_sound _ _ e2
      have e3 := sameDecoding_sound _ _ e3
      have e4 := sameAffine_sound _ _ e4
      have e5 := sameAffine_sound _ _ e5
      subst e1; subst e2; subst e3; subst e4; subst e5
      exact k.right lanes lanes' hd hd'
    | false => exact recallComposed_eq size hd hd' table

/-- Rows of weights, if the table has them. -/
def recallRows (a : Affine) (d : Decoding) (digit count : Nat) : List KeptRows → Option (Prod (List Nat) (List Nat))
  | [] => none
  | k :: table =>
    match both (both (Nat.beq k.digit digit) (Nat.beq k.count count)) (both (sameDecoding k.decoding d) (sameAffine k.affine a)) with
    | true => some k.rows
    | false => recallRows a d digit count table
theorem recallRows_sound {a : Affine} {d : Decoding} {digit count : Nat} {lanes : List (List Column)} {ws : Prod (List Nat) (List Nat)} (hd : decode a d = some lanes) :
    (table : List KeptRows) → recallRows a d digit count table = some ws → ws = Relaxation.weightRows a d digit count lanes
  | [], h => by cases h
  | k :: table, h => by
    unfold recallRows at h
    cases e : both (both (Nat.beq k.digit digit) (Nat.beq k.count count)) (both (sameDecoding k.decoding d) (sameAffine k.affine a)) with
    | true =>
      rw [e] at h
      obtain ⟨e1, e2⟩ := both_true e
      obtain ⟨e3, e4⟩ := both_true e1
      obtain ⟨e5, e6⟩ := both_true e2
      have e3 := Nat.eq_of_beq_eq_true e3
      have e4 := Nat.eq_of_beq_eq_true e4
      have e5 := sameDecoding_sound _ _ e5
      have e6 := sameAffine_sound _ _ e6
      have g : some k.rows = some ws := h
      cases g
      subst e3; subst e4; subst e5; subst e6
      exact k.right lanes hd
    | false => rw [e] at h; exact recallRows_sound hd table h

/-- Answers from a table, which is computed once. -/
@[reducible, noinline] def preparedBy (table : Table) : Prepared where
  longest := 16000
  columns := fun a d => recallColumns a d table.columns
  columns_eq := fun a d => recallColumns_eq a d table.columns
  rows := fun a d digit count => recallRows a d digit count table.rows
  rows_eq := fun _ _ _ _ _ _ hd h => recallRows_sound hd table.rows h
  summed := fun a d lanes => recallSummed a d lanes table.columns
  summed_eq := fun _ _ _ hd => recallSummed_eq hd table.columns
  composed := fun a d forms d' size lanes lanes' => recallComposed a d forms d' size lanes lanes' table.compositions
  composed_eq := fun _ _ _ _ size _ _ hd hd' => recallComposed_eq size hd hd' table.compositions

/-! ### What a document asks for -/

/-- Rows in digits of `digit` bits, the first `count` columns and the others, asked for so many times. -/
structure RowRequest where
  digit : Nat
  count : Nat
  times : Nat
/-- Forms with the node substituted, asked for so many times. `place` is the number of the property. -/
structure CompositionRequest where
  forms : Affine
  place : Nat
  decoding : Decoding
  size : Nat
  times : Nat
/-- A node's weights in a decoding, asked for so many times; the node's number is that of its place in the graph, or one more
    than all places for the forms of a property. -/
structure Request where
  affine : Affine
  place : Nat
  decoding : Decoding
  times : Nat
  rows : List RowRequest
  compositions : List CompositionRequest

def addRows (digit count : Nat) : List RowRequest → List RowRequest
  | [] => [⟨digit, count, 1⟩]
  | r :: rest =>
    match both (Nat.beq r.digit digit) (Nat.beq r.count count) with
    | true => ⟨digit, count, Nat.succ r.times⟩ :: rest
    | false => r :: addRows digit count rest
/-- One more request; `rows` says whether for rows, too. -/
def addRequest (a : Affine) (place : Nat) (d : Decoding) (rows : Bool) (digit count : Nat) : List Request → List Request
  | [] => [⟨a, place, d, 1, match rows with | true => [⟨digit, count, 1⟩] | false => [], []⟩]
  | r :: rest =>
    match both (Nat.beq r.place place) (sameDecoding r.decoding d) with
    | true => ⟨a, place, d, Nat.succ r.times, match rows with | true => addRows digit count r.rows | false => r.rows, r.compositions⟩ :: rest
    | false => r :: addRequest a place d rows digit count rest

def addForms (forms : Affine) (place : Nat) (d : Decoding) (size : Nat) : List CompositionRequest → List CompositionRequest
  | [] => [⟨forms, place, d, size, 1⟩]
  | r :: rest =>
    match both (both (Nat.beq r.place place) (Nat.beq r.size size)) (sameDecoding r.decoding d) with
    | true => ⟨forms, place, d, size, Nat.succ r.times⟩ :: rest
    | false => r :: addForms forms place d size rest
/-- One more request for forms with a node substituted. -/
def addComposition (a : Affine) (place : Nat) (d : Decoding) (forms : Affine) (formsPlace : Nat) (d' : Decoding) (size : Nat) : List Request → List Request
  | [] => [⟨a, place, d, 1, [], [⟨forms, formsPlace, d', size, 1⟩]⟩]
  | r :: rest =>
    match both (Nat.beq r.place place) (sameDecoding r.decoding d) with
    | true => ⟨a, place, d, Nat.succ r.times, r.rows, addForms forms formsPlace d' size r.compositions⟩ :: rest
    | false => r :: addComposition a place d forms formsPlace d' size rest

/-- A node that the script has passed, and its place. -/
structure PassedBy where
  node : Node
  place : Nat
  decoding : Decoding

/-- What the links of a relaxation ask of the passed nodes. -/
def askLinks (digit : Nat) : List Relaxation.Link → List PassedBy → List Request → List Request
  | [], _, found => found
  | .multiply _ _ :: links, passed, found => askLinks digit links passed found
  | .widen _ _ :: links, passed, found => askLinks digit links passed found
  | .fork _ _ :: links, passed, found => askLinks digit links passed found
  | .join _ _ _ _ _ _ :: links, passed, found => askLinks digit links passed found
  | .pair _ _ _ _ :: links, passed, found => askLinks digit links passed found
  | _ :: _, [], found => found
  | .through _ count _ _ :: links, ⟨.affine a, place, d⟩ :: passed, found => askLinks digit links passed (addRequest a place d true digit count found)
  | .convolve _ _ _ _ :: links, ⟨.affine a, place, d⟩ :: passed, found => askLinks digit links passed (addRequest a place d false 0 0 found)
  | .settle _ _ _ :: links, ⟨.affine a, place, d⟩ :: passed, found => askLinks digit links passed (addRequest a place d false 0 0 found)
  | _ :: links, _ :: passed, found => askLinks digit links passed found

/-- What a conclusion asks for; `place` is that of the next node, if one is still ahead. -/
def askConclusion (p : Property) (forms : Nat) : Conclusion → List Node → (place : Nat) → List PassedBy → List Request → List Request
  | .direct d, _, _, _, found => addRequest p.forms forms d false 0 0 found
  | .composed d last size, .affine a :: _, place, _, found => addComposition a place last p.forms forms d size (addRequest p.forms forms d false 0 0 found)
  | .composed d last size, _, _, ⟨.affine a, place, _⟩ :: _, found => addComposition a place last p.forms forms d size (addRequest p.forms forms d false 0 0 found)
  | .composed d _ _, _, _, _, found => addRequest p.forms forms d false 0 0 found
  | .relaxed d _ _ rows, _, _, passed, found => askLinks rows.digit rows.links passed (addRequest p.forms forms d false 0 0 found)
  | .weighted d _ _ _, _, _, _, found => addRequest p.forms forms d false 0 0 found
  | .forward d _ _ _ _ _ _, _, _, _, found => addRequest p.forms forms d false 0 0 found

/-- What a script asks for; `place` is that of the next node. -/
def askScript (p : Property) (forms : Nat) : Script → (nodes : List Node) → (place : Nat) → List PassedBy → List Request → List Request
  | .node step rest, node :: nodes, place, passed, found =>
    let found := match node with
      | .affine a => addRequest a place step.decoding false 0 0 found
      | _ => found
    askScript p forms rest nodes (Nat.succ place) (⟨node, place, step.decoding⟩ :: passed) found
  | .node _ _, [], _, _, found => found
  | .split _ _ below above, nodes, place, passed, found =>
    askScript p forms above nodes place passed (askScript p forms below nodes place passed found)
  | .tighten rows rest, nodes, place, passed, found => askScript p forms rest nodes place passed (askLinks rows.digit rows.links passed found)
  | .differ rows _ _ _ rest, nodes, place, passed, found => askScript p forms rest nodes place passed (askLinks rows.digit rows.links passed found)
  | .conclude how, nodes, place, passed, found => askConclusion p forms how nodes place passed found
  | .known _ rest, nodes, place, passed, found => askScript p forms rest nodes place passed found
  | .linearize _ rest, nodes, place, passed, found => askScript p forms rest nodes place passed found

/-- Every box with its script; the last script serves all boxes that follow. -/
def askBoxes (p : Property) (forms : Nat) (nodes : List Node) : List Box → List Script → List Request → List Request
  | [], _, found => found
  | _ :: _, [], found => found
  | _ :: boxes, script :: [], found => askBoxes p forms nodes boxes [script] (askScript p forms script nodes 0 [] found)
  | _ :: boxes, script :: later, found => askBoxes p forms nodes boxes later (askScript p forms script nodes 0 [] found)
/-- Claim after claim; each has a property of its own. -/
def askClaims (nodes : List Node) : (forms : Nat) → List Claim → List (List Script) → List Request → List Request
  | forms, c :: claims, scripts :: later, found => askClaims nodes (Nat.succ forms) claims later (askBoxes c.property forms nodes c.boxes scripts found)
  | _, _, _, found => found

/-! ### The table -/

/-- No more than so many bits are kept of all weights. -/
def mostBits : Nat := 8000000000

/-- Rows that are asked for more than once, as far as there is room, before those in `later`. -/
def keepRows (a : Affine) (d : Decoding) (lanes : List (List Column)) (right : decode a d = some lanes) (later : List KeptRows) : (room : Nat) → List RowRequest → List KeptRows
  | _, [] => later
  | room, r :: rest =>
    let size := Nat.mul r.digit (Nat.mul a.rows a.columns)
    match both (Nat.ble 2 r.times) (Nat.ble size room) with
    | true => ⟨a, d, r.digit, r.count, Relaxation.weightRows a d r.digit r.count lanes, fun lanes' h => by
        rw [right] at h
        cases h
        rfl⟩ :: keepRows a d lanes right later (Nat.sub room size) rest
    | false => keepRows a d lanes right later room rest
/-- Forms that are asked for more than once with a node substituted, as far as there is room, before those in `later`. -/
def keepCompositions (a : Affine) (d : Decoding) (lanes : List (List Column)) (right : decode a d = some lanes) (later : List KeptComposition) :
    (room : Nat) → List CompositionRequest → List KeptComposition
  | _, [] => later
  | room, r :: rest =>
    let size := Nat.mul (Nat.mul 64 r.forms.lanes) (Nat.mul r.forms.rows a.columns)
    match both (Nat.ble 2 r.times) (Nat.ble size room) with
    | true => keepOne a d lanes right r.forms r.decoding r.size (keepCompositions a d lanes right later (Nat.sub room size) rest) (decode r.forms r.decoding) rfl
    | false => keepCompositions a d lanes right later room rest
where
  keepOne (a : Affine) (d : Decoding) (lanes : List (List Column)) (right : decode a d = some lanes) (forms : Affine) (d' : Decoding) (size : Nat)
      (later : List KeptComposition) : (found : Option (List (List Column))) → decode forms d' = found → List KeptComposition
    | none, _ => later
    | some lanes', right' => ⟨a, d, forms, d', size, composition a forms size lanes lanes', fun found found' h h' => by
        rw [right] at h
        rw [right'] at h'
        cases h
        cases h'
        rfl⟩ :: later
/-- One node more in the table; `rows` is what is asked of its rows, `forms` in which forms it is substituted. -/
def keep (a : Affine) (d : Decoding) (room : Nat) (rows : List RowRequest) (forms : List CompositionRequest) (later : Table) :
    (found : Option (List (List Column))) → decode a d = found → Table
  | none, right => ⟨⟨a, d, none, right, ⟨[], 0⟩, fun _ h => by rw [right] at h; cases h⟩ :: later.columns, later.rows, later.compositions⟩
  | some lanes, right => ⟨⟨a, d, some lanes, right, PytestTorchLean.summed (Columns.flatten lanes), fun _ h => by
      rw [right] at h
      cases h
      rfl⟩ :: later.columns, keepRows a d lanes right later.rows room rows, keepCompositions a d lanes right later.compositions room forms⟩

/-- What is asked for more than once, as far as there is room. -/
def tableOf : (room : Nat) → List Request → Table
  | _, [] => ⟨[], [], []⟩
  | room, r :: rest =>
    let size := Nat.mul (Nat.mul 64 r.affine.lanes) (Nat.mul r.affine.rows r.affine.columns)
    match both (Nat.ble 2 r.times) (Nat.ble size room) with
    | true => keep r.affine r.decoding (Nat.sub room size) r.rows r.compositions (tableOf (Nat.sub room size) rest) (decode r.affine r.decoding) rfl
    | false => tableOf room rest

end Evaluated
end PytestTorchLean
