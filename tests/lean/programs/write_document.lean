prelude
import PytestTorchLean.Evaluated.Format
/-!
Reads a document, lays out what was read once more, and compares the words with the file's. Returns 0 if all agree.
-/
open PytestTorchLean
namespace WriteDocument
open PytestTorchLean.Evaluated (PlacedNode Part Block Document)

/-- A count of words and the number they hold. -/
abbrev Chunk : Type := Prod Nat Nat
def join : List Chunk → List Chunk → List Chunk
  | [], t => t
  | c :: s, t => c :: join s t
def joined : List (List Chunk) → List Chunk
  | [] => []
  | s :: rest => join s (joined rest)
def map {α β : Type} (f : α → β) : List α → List β
  | [] => []
  | a :: rest => f a :: map f rest

def oneWord (n : Nat) : List Chunk := [(1, n)]
def number (n : Nat) : List Chunk :=
  match Nat.beq n 0 with
  | true => oneWord 0
  | false => [(1, Nat.succ (Nat.div (Nat.log2 n) 64)), (Nat.succ (Nat.div (Nat.log2 n) 64), n)]
def numbers (ns : List Nat) : List Chunk := joined (map number ns)
def list {α : Type} (f : α → List Chunk) (s : List α) : List Chunk := join (oneWord (List.length s)) (joined (map f s))

def affine (a : Affine) : List Chunk := numbers [a.rows, a.lanes, a.laneColumns, a.weights, a.positions, a.sources, a.divisor]
def operation : Fused → Nat
  | .swish => 10
  | .elu => 11
  | .selu => 12
  | .geluTanh => 13
  | .gelu => 14
  | .mish => 15
  | .hardSwishGate => 16
  | .hardSwish => 17
  | .softsign => 18
  | .softmax => 19
def curve : Curve → List Chunk
  | .exp => oneWord 0
  | .sigmoid => oneWord 1
  | .tanh => oneWord 2
  | .sqrt => oneWord 3
  | .log => oneWord 4
  | .softplus => oneWord 5
  | .erf => oneWord 6
  | .sine => oneWord 7
  | .cosine => oneWord 8
  | .sign => oneWord 9
  | .fused which => oneWord (operation which)
def node : Node → List Chunk
  | .affine a => join (oneWord 0) (affine a)
  | .relu first count => join (oneWord 1) (numbers [first, count])
  | .maximum count sources => join (oneWord 2) (numbers [count, sources])
  | .minimum count sources => join (oneWord 3) (numbers [count, sources])
  | .curve function first count => joined [oneWord 4, curve function, numbers [first, count]]
  | .bilinear count terms sources => join (oneWord 5) (numbers [count, terms, sources])
  | .quotient count sources => join (oneWord 6) (numbers [count, sources])
def semantics : Semantics → List Chunk
  | .real => oneWord 0
  | .binary32 => oneWord 1
def box (b : Box) : List Chunk := numbers [b.denominator, b.offset, b.width, b.lower, b.upper]
def claim (c : Claim) : List Chunk :=
  joined [affine c.property.forms, oneWord (cond c.property.strict 1 0), number c.property.alternatives, list box c.boxes]
def decoding (d : Decoding) : List Chunk := numbers [d.base, d.stages, d.bits]
def step (s : Step) : List Chunk := join (decoding s.decoding) (numbers [s.first, s.radius])
def layout (l : Relaxation.Layout) : List Chunk := numbers [l.count, l.places, l.shifts, l.radius]
def arrangement (a : Relaxation.Arrangement) : List Chunk := numbers [a.first, a.count, a.blocks]
def multiplier (m : Relaxation.Multiplier) : List Chunk := join (numbers [m.row, m.place, m.amount]) (oneWord (cond m.upper 1 0))
def link : Relaxation.Link → List Chunk
  | .through first count shift size => join (oneWord 0) (numbers [first, count, shift, size])
  | .bend bits lower upper => join (oneWord 1) (numbers [bits, lower, upper])
  | .skip => oneWord 2
  | .convolve own back shift size => joined [oneWord 3, layout own, arrangement back, numbers [shift, size]]
  | .settle own shift size => joined [oneWord 4, layout own, numbers [shift, size]]
  | .multiply multipliers size => joined [oneWord 5, list multiplier multipliers, number size]
  | .widen first count => join (oneWord 6) (numbers [first, count])
  | .fork keep cut => join (oneWord 7) (numbers [keep, cut])
  | .join weight own other size shift short => join (oneWord 8) (numbers [weight, own, other, size, shift, short])
  | .slide bits size slopes depth stages precision => join (oneWord 9) (numbers [bits, size, slopes, depth, stages, precision])
  | .pair fact bits slopes chosen => join (oneWord 10) (numbers [fact, bits, slopes, chosen])
  | .choose bits lower upper first count shift size => join (oneWord 11) (numbers [bits, lower, upper, first, count, shift, size])
  | .reframe width => join (oneWord 12) (number width)
def relaxation (r : Relaxation) : List Chunk := join (numbers [r.digit, r.width, r.rows, r.start, r.count, r.goals]) (list link r.links)
def cuts : Forward.Cuts → List Chunk
  | .leaf => oneWord 0
  | .cut input value below above => joined [oneWord 1, numbers [input, value], cuts below, cuts above]
def conclusion : Conclusion → List Chunk
  | .direct forms => join (oneWord 0) (decoding forms)
  | .composed forms last bits => joined [oneWord 1, decoding forms, decoding last, number bits]
  | .relaxed forms shift size rows => joined [oneWord 2, decoding forms, numbers [shift, size], relaxation rows]
  | .weighted forms bits size weights => joined [oneWord 3, decoding forms, numbers [bits, size], list (list number) weights]
  | .forward forms size slope fraction origin symbols c =>
    joined [oneWord 4, decoding forms, numbers [size, slope, fraction, origin], oneWord (cond symbols 1 0), cuts c]
def script : Script → List Chunk
  | .node s rest => joined [oneWord 0, step s, script rest]
  | .split slot value below above => joined [oneWord 1, numbers [slot, value], script below, script above]
  | .tighten rows rest => joined [oneWord 2, relaxation rows, script rest]
  | .known place rest => joined [oneWord 4, number place, script rest]
  | .conclude how => join (oneWord 3) (conclusion how)
  | .differ rows left right count rest => joined [oneWord 5, relaxation rows, numbers [left, right, count], script rest]
  | .linearize how rest => joined [oneWord 6, affine how.rows, decoding how.decoding, number how.entries, script rest]
def part (p : Part) : List Chunk :=
  joined [list claim p.claims, numbers [p.certificate.scale.unit, p.certificate.scale.center, p.certificate.scale.half],
    list (list script) p.certificate.scripts]
def block (b : Block) : List Chunk :=
  joined (map oneWord [b.node, b.file, b.rows, b.firstColumn, b.columns, b.offset, b.rowStride, b.columnStride])
def document (d : Document) : List Chunk :=
  joined [oneWord Evaluated.magic, semantics d.semantics, number d.inputs, list (fun n => node n.node) d.nodes, list part d.parts, list block d.blocks]

/-- The chunks are the bytes from a position on, and no others. -/
def agrees (bytes : ByteArray) : List Chunk → Nat → Bool
  | [], position => Nat.beq position (ByteArray.size bytes)
  | (count, n) :: rest, position =>
    both (Nat.ble (Nat.add position (Nat.mul 8 count)) (ByteArray.size bytes))
      (both (Nat.beq (Evaluated.wordsAt bytes 64 position count) n) (agrees bytes rest (Nat.add position (Nat.mul 8 count))))
end WriteDocument

def main (arguments : List String) : IO UInt32 :=
  match arguments with
  | [] => pure (UInt32.ofNat 3)
  | name :: _ => bind (IO.FS.readBinFile ⟨name⟩) fun bytes =>
    match Evaluated.finished Evaluated.document bytes with
    | none => pure (UInt32.ofNat 4)
    | some d => pure (UInt32.ofNat (cond (WriteDocument.agrees bytes (WriteDocument.document d) 0) 0 5))
