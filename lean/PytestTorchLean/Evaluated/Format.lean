prelude
import PytestTorchLean.Evaluated.Bytes
import PytestTorchLean.Check.Certificate
/-!
# Graphs, claims and certificates from the bytes of a file

Field for field as the structures are declared, constructors numbered in their order. The file begins with
the word of the letters `tlcert01`; after the parts come the places of weights in the model's files.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Evaluated

/-- The first word of every file. -/
def magic : Nat := 3544460941416688756

def affine : Read Affine := do
  let rows ← number
  let lanes ← number
  let laneColumns ← number
  let weights ← number
  let positions ← number
  let sources ← number
  let divisor ← number
  pure ⟨rows, lanes, laneColumns, weights, positions, sources, divisor⟩

/-- A node and the place of its weights' words: the first byte, and the byte after the last. -/
structure PlacedNode where
  node : Node
  first : Nat
  stop : Nat

def curve : Read Curve := constructor [
    pure Curve.exp,
    pure Curve.sigmoid,
    pure Curve.tanh,
    pure Curve.sqrt,
    pure Curve.log,
    pure Curve.softplus,
    pure Curve.erf,
    pure Curve.sine,
    pure Curve.cosine,
    pure Curve.sign,
    pure Curve.fusedSwish,
    pure Curve.fusedElu,
    pure Curve.fusedSelu,
    pure Curve.fusedGeluTanh,
    pure Curve.fusedGelu,
    pure Curve.fusedMish,
    pure Curve.fusedHardSwishGate,
    pure Curve.fusedHardSwish,
    pure Curve.fusedSoftsign,
    pure Curve.fusedSoftmax]

def node : Read PlacedNode := constructor [
    (do
      let rows ← number
      let lanes ← number
      let laneColumns ← number
      let start ← here
      let weights ← number
      let stop ← here
      let positions ← number
      let sources ← number
      let divisor ← number
      pure ⟨Node.affine ⟨rows, lanes, laneColumns, weights, positions, sources, divisor⟩, Nat.add start 8,
          stop⟩),
    (do
      let first ← number
      let count ← number
      pure ⟨Node.relu first count, 0, 0⟩),
    (do
      let count ← number
      let sources ← number
      pure ⟨Node.maximum count sources, 0, 0⟩),
    (do
      let count ← number
      let sources ← number
      pure ⟨Node.minimum count sources, 0, 0⟩),
    (do
      let function ← curve
      let first ← number
      let count ← number
      pure ⟨Node.curve function first count, 0, 0⟩),
    (do
      let count ← number
      let terms ← number
      let sources ← number
      pure ⟨Node.bilinear count terms sources, 0, 0⟩),
    (do
      let count ← number
      let sources ← number
      pure ⟨Node.quotient count sources, 0, 0⟩)]

/-- The nodes without their places. -/
def unplaced : List PlacedNode → List Node
  | [] => []
  | n :: rest => n.node :: unplaced rest

def semantics : Read Semantics := constructor [
    pure Semantics.real,
    pure Semantics.binary32]

def truth : Read Bool := constructor [
    pure false,
    pure true]

def box : Read Box := do
  let denominator ← number
  let offset ← number
  let width ← number
  let lower ← number
  let upper ← number
  pure ⟨denominator, offset, width, lower, upper⟩

def property : Read Property := do
  let forms ← affine
  let strict ← truth
  let alternatives ← number
  pure ⟨forms, strict, alternatives⟩

def claim : Read Claim := do
  let p ← property
  let boxes ← list box
  pure ⟨p, boxes⟩

def decoding : Read Decoding := do
  let base ← number
  let stages ← number
  let bits ← number
  pure ⟨base, stages, bits⟩

def step : Read Step := do
  let d ← decoding
  let first ← number
  let radius ← number
  pure ⟨d, first, radius⟩

def layout : Read Relaxation.Layout := do
  let count ← number
  let places ← number
  let shifts ← number
  let radius ← number
  pure ⟨count, places, shifts, radius⟩

def arrangement : Read Relaxation.Arrangement := do
  let first ← number
  let count ← number
  let blocks ← number
  pure ⟨first, count, blocks⟩

def multiplier : Read Relaxation.Multiplier := do
  let row ← number
  let place ← number
  let amount ← number
  let upper ← truth
  pure ⟨row, place, amount, upper⟩

def link : Read Relaxation.Link := constructor [
    (do
      let first ← number
      let count ← number
      let shift ← number
      let size ← number
      pure (Relaxation.Link.through first count shift size)),
    (do
      let bits ← number
      let lower ← number
      let upper ← number
      pure (Relaxation.Link.bend bits lower upper)),
    pure Relaxation.Link.skip,
    (do
      let own ← layout
      let back ← arrangement
      let shift ← number
      let size ← number
      pure (Relaxation.Link.convolve own back shift size)),
    (do
      let own ← layout
      let shift ← number
      let size ← number
      pure (Relaxation.Link.settle own shift size)),
    (do
      let multipliers ← list multiplier
      let size ← number
      pure (Relaxation.Link.multiply multipliers size)),
    (do
      let first ← number
      let count ← number
      pure (Relaxation.Link.widen first count)),
    (do
      let keep ← number
      let cut ← number
      pure (Relaxation.Link.fork keep cut)),
    (do
      let weight ← number
      let own ← number
      let other ← number
      let size ← number
      let shift ← number
      let short ← number
      pure (Relaxation.Link.join weight own other size shift short)),
    (do
      let bits ← number
      let size ← number
      let slopes ← number
      let depth ← number
      let stages ← number
      let precision ← number
      pure (Relaxation.Link.slide bits size slopes depth stages precision)),
    (do
      let fact ← number
      let bits ← number
      let slopes ← number
      let chosen ← number
      pure (Relaxation.Link.pair fact bits slopes chosen)),
    (do
      let bits ← number
      let lower ← number
      let upper ← number
      let first ← number
      let count ← number
      let shift ← number
      let size ← number
      pure (Relaxation.Link.choose bits lower upper first count shift size)),
    (do
      let width ← number
      pure (Relaxation.Link.reframe width))]

def relaxation : Read Relaxation := do
  let digit ← number
  let width ← number
  let rows ← number
  let start ← number
  let count ← number
  let goals ← number
  let links ← list link
  pure ⟨digit, width, rows, start, count, goals, links⟩

/-- No script is nested deeper, and no cuts. -/
def deepest : Nat := 100000

/-- Cuts that are nested at most `depth` deep. -/
def cuts : (depth : Nat) → Read Forward.Cuts
  | 0 => Read.fail
  | Nat.succ depth => constructor [
      pure Forward.Cuts.leaf,
      (do
        let input ← number
        let value ← number
        let below ← cuts depth
        let above ← cuts depth
        pure (Forward.Cuts.cut input value below above))]

def conclusion : Read Conclusion := constructor [
    (do
      let forms ← decoding
      pure (Conclusion.direct forms)),
    (do
      let forms ← decoding
      let last ← decoding
      let bits ← number
      pure (Conclusion.composed forms last bits)),
    (do
      let forms ← decoding
      let shift ← number
      let size ← number
      let rows ← relaxation
      pure (Conclusion.relaxed forms shift size rows)),
    (do
      let forms ← decoding
      let bits ← number
      let size ← number
      let weights ← list (list number)
      pure (Conclusion.weighted forms bits size weights)),
    (do
      let forms ← decoding
      let size ← number
      let slope ← number
      let fraction ← number
      let origin ← number
      let symbols ← truth
      let c ← cuts deepest
      pure (Conclusion.forward forms size slope fraction origin symbols c))]

def linearization : Read Linearization := do
  let rows ← affine
  let own ← decoding
  let entries ← number
  pure ⟨rows, own, entries⟩

/-- A script that is nested at most `depth` deep. -/
def script : (depth : Nat) → Read Script
  | 0 => Read.fail
  | Nat.succ depth => constructor [
      (do
        let how ← step
        let rest ← script depth
        pure (Script.node how rest)),
      (do
        let slot ← number
        let value ← number
        let below ← script depth
        let above ← script depth
        pure (Script.split slot value below above)),
      (do
        let rows ← relaxation
        let rest ← script depth
        pure (Script.tighten rows rest)),
      (do
        let how ← conclusion
        pure (Script.conclude how)),
      (do
        let place ← number
        let rest ← script depth
        pure (Script.known place rest)),
      (do
        let rows ← relaxation
        let left ← number
        let right ← number
        let count ← number
        let rest ← script depth
        pure (Script.differ rows left right count rest)),
      (do
        let how ← linearization
        let rest ← script depth
        pure (Script.linearize how rest))]

def scale : Read Scale := do
  let unit ← number
  let center ← number
  let half ← number
  pure ⟨unit, center, half⟩

def certificate : Read Certificate := do
  let s ← scale
  let scripts ← list (list (script deepest))
  pure ⟨s, scripts⟩

/-- Claims about the one graph, with a certificate. -/
structure Part where
  claims : List Claim
  certificate : Certificate

def part : Read Part := do
  let claims ← list claim
  let c ← certificate
  pure ⟨claims, c⟩

/-- Weights of a graph in a model's file: the weight of row `row` and column `firstColumn + k`, for
    `row < rows` and `k < columns`, stands at byte `offset + rowStride * row + columnStride * k`. -/
structure Block where
  node : Nat
  file : Nat
  rows : Nat
  firstColumn : Nat
  columns : Nat
  offset : Nat
  rowStride : Nat
  columnStride : Nat

def block : Read Block := do
  let node ← oneWord
  let file ← oneWord
  let rows ← oneWord
  let firstColumn ← oneWord
  let columns ← oneWord
  let offset ← oneWord
  let rowStride ← oneWord
  let columnStride ← oneWord
  pure ⟨node, file, rows, firstColumn, columns, offset, rowStride, columnStride⟩

structure Document where
  semantics : Semantics
  inputs : Nat
  nodes : List PlacedNode
  parts : List Part
  blocks : List Block

def document : Read Document := do
  let first ← oneWord
  match Nat.beq first magic with
  | false => Read.fail
  | true => do
    let m ← semantics
    let inputs ← number
    let nodes ← list node
    let parts ← list part
    let blocks ← list block
    pure ⟨m, inputs, nodes, parts, blocks⟩

end Evaluated
end PytestTorchLean
