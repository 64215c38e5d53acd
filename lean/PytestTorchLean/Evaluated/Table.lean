prelude
import PytestTorchLean.Evaluated.Kept
/-!
# What is prepared of a document's weights

Before a document is checked, its scripts are read for what they ask of a node's weights: decodings, rows of
weights in digits of some size, and properties with the last node substituted. What is asked for more than
once is computed once, into a table. An entry of the table carries the proof that it is what the weights say;
what the table lacks is computed where it is asked for. So the table may hold too little, but nothing wrong.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Evaluated

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
/-- A node's weights in a decoding, asked for so many times; the node's number is that of its place in the
    graph, or one more than all places for the forms of a property. -/
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
def addRequest (a : Affine) (place : Nat) (d : Decoding) (rows : Bool) (digit count : Nat) :
    List Request → List Request
  | [] => [⟨a, place, d, 1, match rows with | true => [⟨digit, count, 1⟩] | false => [], []⟩]
  | r :: rest =>
    match both (Nat.beq r.place place) (sameDecoding r.decoding d) with
    | true => ⟨a, place, d, Nat.succ r.times,
            match rows with | true => addRows digit count r.rows | false => r.rows, r.compositions⟩ :: rest
    | false => r :: addRequest a place d rows digit count rest

def addForms (forms : Affine) (place : Nat) (d : Decoding) (size : Nat) :
    List CompositionRequest → List CompositionRequest
  | [] => [⟨forms, place, d, size, 1⟩]
  | r :: rest =>
    match both (both (Nat.beq r.place place) (Nat.beq r.size size)) (sameDecoding r.decoding d) with
    | true => ⟨forms, place, d, size, Nat.succ r.times⟩ :: rest
    | false => r :: addForms forms place d size rest
/-- One more request for forms with a node substituted. -/
def addComposition (a : Affine) (place : Nat) (d : Decoding) (forms : Affine) (formsPlace : Nat)
    (d' : Decoding) (size : Nat) : List Request → List Request
  | [] => [⟨a, place, d, 1, [], [⟨forms, formsPlace, d', size, 1⟩]⟩]
  | r :: rest =>
    match both (Nat.beq r.place place) (sameDecoding r.decoding d) with
    | true =>
      ⟨a, place, d, Nat.succ r.times, r.rows, addForms forms formsPlace d' size r.compositions⟩ :: rest
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
  | .through _ count _ _ :: links, ⟨.affine a, place, d⟩ :: passed, found =>
    askLinks digit links passed (addRequest a place d true digit count found)
  | .convolve _ _ _ _ :: links, ⟨.affine a, place, d⟩ :: passed, found =>
    askLinks digit links passed (addRequest a place d false 0 0 found)
  | .settle _ _ _ :: links, ⟨.affine a, place, d⟩ :: passed, found =>
    askLinks digit links passed (addRequest a place d false 0 0 found)
  | _ :: links, _ :: passed, found => askLinks digit links passed found

/-- What a conclusion asks for; `place` is that of the next node, if one is still ahead. -/
def askConclusion (p : Property) (forms : Nat) :
    Conclusion → List Node → (place : Nat) → List PassedBy → List Request → List Request
  | .direct d, _, _, _, found => addRequest p.forms forms d false 0 0 found
  | .composed d last size, .affine a :: _, place, _, found =>
    addComposition a place last p.forms forms d size (addRequest p.forms forms d false 0 0 found)
  | .composed d last size, _, _, ⟨.affine a, place, _⟩ :: _, found =>
    addComposition a place last p.forms forms d size (addRequest p.forms forms d false 0 0 found)
  | .composed d _ _, _, _, _, found => addRequest p.forms forms d false 0 0 found
  | .relaxed d _ _ rows, _, _, passed, found =>
    askLinks rows.digit rows.links passed (addRequest p.forms forms d false 0 0 found)
  | .weighted d _ _ _, _, _, _, found => addRequest p.forms forms d false 0 0 found
  | .forward d _ _ _ _ _ _, _, _, _, found => addRequest p.forms forms d false 0 0 found

/-- What a script asks for; `place` is that of the next node. -/
def askScript (p : Property) (forms : Nat) :
    Script → (nodes : List Node) → (place : Nat) → List PassedBy → List Request → List Request
  | .node step rest, node :: nodes, place, passed, found =>
    let found := match node with
      | .affine a => addRequest a place step.decoding false 0 0 found
      | _ => found
    askScript p forms rest nodes (Nat.succ place) (⟨node, place, step.decoding⟩ :: passed) found
  | .node _ _, [], _, _, found => found
  | .split _ _ below above, nodes, place, passed, found =>
    askScript p forms above nodes place passed (askScript p forms below nodes place passed found)
  | .tighten rows rest, nodes, place, passed, found =>
    askScript p forms rest nodes place passed (askLinks rows.digit rows.links passed found)
  | .differ rows _ _ _ rest, nodes, place, passed, found =>
    askScript p forms rest nodes place passed (askLinks rows.digit rows.links passed found)
  | .conclude how, nodes, place, passed, found => askConclusion p forms how nodes place passed found
  | .known _ rest, nodes, place, passed, found => askScript p forms rest nodes place passed found
  | .linearize _ rest, nodes, place, passed, found => askScript p forms rest nodes place passed found

/-- Every box with its script; the last script serves all boxes that follow. -/
def askBoxes (p : Property) (forms : Nat) (nodes : List Node) :
    List Box → List Script → List Request → List Request
  | [], _, found => found
  | _ :: _, [], found => found
  | _ :: boxes, script :: [], found =>
    askBoxes p forms nodes boxes [script] (askScript p forms script nodes 0 [] found)
  | _ :: boxes, script :: later, found =>
    askBoxes p forms nodes boxes later (askScript p forms script nodes 0 [] found)
/-- Claim after claim; each has a property of its own. -/
def askClaims (nodes : List Node) :
    (forms : Nat) → List Claim → List (List Script) → List Request → List Request
  | forms, c :: claims, scripts :: later, found =>
    askClaims nodes (Nat.succ forms) claims later (askBoxes c.property forms nodes c.boxes scripts found)
  | _, _, _, found => found

/-! ### The table -/

/-- No more than so many bits are kept of all weights. -/
def mostBits : Nat := 8000000000

/-- Rows that are asked for more than once, as far as there is room, before those in `later`. -/
def keepRows (a : Affine) (d : Decoding) (lanes : List (List Column)) (right : decode a d = some lanes)
    (later : List KeptRows) : (room : Nat) → List RowRequest → List KeptRows
  | _, [] => later
  | room, r :: rest =>
    let size := Nat.mul r.digit (Nat.mul a.rows a.columns)
    match both (Nat.ble 2 r.times) (Nat.ble size room) with
    | true => ⟨a, d, r.digit, r.count, Relaxation.weightRows a d r.digit r.count lanes, fun lanes' h => by
        rw [right] at h
        cases h
        rfl⟩ :: keepRows a d lanes right later (Nat.sub room size) rest
    | false => keepRows a d lanes right later room rest
/-- Forms that are asked for more than once with a node substituted, as far as there is room, before those in
    `later`. -/
def keepCompositions (a : Affine) (d : Decoding) (lanes : List (List Column))
    (right : decode a d = some lanes) (later : List KeptComposition) :
    (room : Nat) → List CompositionRequest → List KeptComposition
  | _, [] => later
  | room, r :: rest =>
    let size := Nat.mul (Nat.mul 64 r.forms.lanes) (Nat.mul r.forms.rows a.columns)
    match both (Nat.ble 2 r.times) (Nat.ble size room) with
    | true => keepOne a d lanes right r.forms r.decoding r.size
        (keepCompositions a d lanes right later (Nat.sub room size) rest) (decode r.forms r.decoding) rfl
    | false => keepCompositions a d lanes right later room rest
where
  keepOne (a : Affine) (d : Decoding) (lanes : List (List Column)) (right : decode a d = some lanes)
    (forms : Affine) (d' : Decoding) (size : Nat)
      (later : List KeptComposition) :
        (found : Option (List (List Column))) → decode forms d' = found → List KeptComposition
    | none, _ => later
    | some lanes', right' =>
      ⟨a, d, forms, d', size, composition a forms size lanes lanes', fun found found' h h' => by
        rw [right] at h
        rw [right'] at h'
        cases h
        cases h'
        rfl⟩ :: later
/-- One node more in the table; `rows` is what is asked of its rows, `forms` in which forms it is
    substituted. -/
def keep (a : Affine) (d : Decoding) (room : Nat) (rows : List RowRequest) (forms : List CompositionRequest)
    (later : Table) : (found : Option (List (List Column))) → decode a d = found → Table
  | none, right => ⟨⟨a, d, none, right, ⟨[], 0⟩, fun _ h => by rw [right] at h; cases h⟩ :: later.columns,
        later.rows, later.compositions⟩
  | some lanes, right =>
    ⟨⟨a, d, some lanes, right, PytestTorchLean.summed (Columns.flatten lanes), fun _ h => by
      rw [right] at h
      cases h
      rfl⟩ :: later.columns, keepRows a d lanes right later.rows room rows,
        keepCompositions a d lanes right later.compositions room forms⟩

/-- What is asked for more than once, as far as there is room. -/
def tableOf : (room : Nat) → List Request → Table
  | _, [] => ⟨[], [], []⟩
  | room, r :: rest =>
    let size := Nat.mul (Nat.mul 64 r.affine.lanes) (Nat.mul r.affine.rows r.affine.columns)
    match both (Nat.ble 2 r.times) (Nat.ble size room) with
    | true => keep r.affine r.decoding (Nat.sub room size) r.rows r.compositions
        (tableOf (Nat.sub room size) rest) (decode r.affine r.decoding) rfl
    | false => tableOf room rest
end Evaluated
end PytestTorchLean
