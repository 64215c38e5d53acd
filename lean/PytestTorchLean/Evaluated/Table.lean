prelude
import PytestTorchLean.Evaluated.Format
/-!
# What is prepared of a document's weights

Before a document is checked, its scripts are read for what they ask of a node's weights: decodings, and rows of weights in
digits of some size. What is asked for more than once is computed once, into a table. An entry of the table carries the
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
/-- A node's weights row by row. -/
structure KeptRows where
  affine : Affine
  decoding : Decoding
  digit : Nat
  count : Nat
  rows : Prod (List Nat) (List Nat)
  right : (lanes : List (List Column)) → decode affine decoding = some lanes → rows = Relaxation.weightRows affine decoding digit count lanes
structure Table where
  columns : List KeptColumns
  rows : List KeptRows

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

/-! ### What a document asks for -/

/-- Rows in digits of `digit` bits, the first `count` columns and the others, asked for so many times. -/
structure RowRequest where
  digit : Nat
  count : Nat
  times : Nat
/-- A node's weights in a decoding, asked for so many times; the node's number is that of its place in the graph, or one more
    than all places for the forms of a property. -/
structure Request where
  affine : Affine
  place : Nat
  decoding : Decoding
  times : Nat
  rows : List RowRequest

def addRows (digit count : Nat) : List RowRequest → List RowRequest
  | [] => [⟨digit, count, 1⟩]
  | r :: rest =>
    match both (Nat.beq r.digit digit) (Nat.beq r.count count) with
    | true => ⟨digit, count, Nat.succ r.times⟩ :: rest
    | false => r :: addRows digit count rest
/-- One more request; `rows` says whether for rows, too. -/
def addRequest (a : Affine) (place : Nat) (d : Decoding) (rows : Bool) (digit count : Nat) : List Request → List Request
  | [] => [⟨a, place, d, 1, match rows with | true => [⟨digit, count, 1⟩] | false => []⟩]
  | r :: rest =>
    match both (Nat.beq r.place place) (sameDecoding r.decoding d) with
    | true => ⟨a, place, d, Nat.succ r.times, match rows with | true => addRows digit count r.rows | false => r.rows⟩ :: rest
    | false => r :: addRequest a place d rows digit count rest

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

def askConclusion (p : Property) (forms : Nat) : Conclusion → List PassedBy → List Request → List Request
  | .direct d, _, found => addRequest p.forms forms d false 0 0 found
  | .composed d _ _, _, found => addRequest p.forms forms d false 0 0 found
  | .relaxed d _ _ rows, passed, found => askLinks rows.digit rows.links passed (addRequest p.forms forms d false 0 0 found)
  | .weighted d _ _ _, _, found => addRequest p.forms forms d false 0 0 found
  | .forward d _ _ _ _ _, _, found => addRequest p.forms forms d false 0 0 found

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
  | .conclude how, _, _, passed, found => askConclusion p forms how passed found
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
/-- One node more in the table; `rows` is what is asked of its rows. -/
def keep (a : Affine) (d : Decoding) (room : Nat) (rows : List RowRequest) (later : Table) : (found : Option (List (List Column))) → decode a d = found → Table
  | none, right => ⟨⟨a, d, none, right⟩ :: later.columns, later.rows⟩
  | some lanes, right => ⟨⟨a, d, some lanes, right⟩ :: later.columns, keepRows a d lanes right later.rows room rows⟩

/-- What is asked for more than once, as far as there is room. -/
def tableOf : (room : Nat) → List Request → Table
  | _, [] => ⟨[], []⟩
  | room, r :: rest =>
    let size := Nat.mul (Nat.mul 64 r.affine.lanes) (Nat.mul r.affine.rows r.affine.columns)
    match both (Nat.ble 2 r.times) (Nat.ble size room) with
    | true => keep r.affine r.decoding (Nat.sub room size) r.rows (tableOf (Nat.sub room size) rest) (decode r.affine r.decoding) rfl
    | false => tableOf room rest

end Evaluated
end PytestTorchLean
