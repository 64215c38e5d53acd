prelude
import PytestTorchLean.Evaluated.Table
import PytestTorchLean.Evaluated.Weights
import PytestTorchLean.Core.Eval
/-!
# The evaluated level: the checker on a file, run by Lean's interpreter

`main` is run as `lean --run` on a file that names it and a set of rules, with a nonce, the document and the
model's own files. It prints one line and returns 0 only where the model's files hold the weights of the
document and `check` is true of every part. By `sound` the claims then hold - if the interpreter, which is not
the kernel, computed `check` as it is defined.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Evaluated

/-- The certificate of every part proves its claims. -/
def checkParts [Prepared] (rules : Rules) (m : Semantics) (g : Graph) : List Part → Bool
  | [] => true
  | p :: rest =>
    match check rules m g p.claims p.certificate with
    | true => checkParts rules m g rest
    | false => false

/-- What the parts ask of the weights. -/
def askParts (nodes : List Node) (forms : Nat) : List Part → List Request → List Request
  | [], found => found
  | p :: rest, found => askParts nodes (Nat.add forms (List.length p.claims)) rest
      (askClaims nodes forms p.claims p.certificate.scripts found)
/-- All parts, with what is prepared of the weights. -/
@[noinline] def checkPrepared (p : Prepared) (rules : Rules) (m : Semantics) (g : Graph) (parts : List Part) :
    Bool := @checkParts p rules m g parts
def checkDocument (rules : Rules) (m : Semantics) (g : Graph) (parts : List Part) : Bool :=
  checkPrepared (preparedBy (tableOf mostBits (askParts g.nodes (List.length g.nodes) parts []))) rules m g
    parts

def countBoxes : List Claim → Nat
  | [] => 0
  | c :: rest => Nat.add (List.length c.boxes) (countBoxes rest)
def countAll : List Part → Nat
  | [] => 0
  | p :: rest => Nat.add (countBoxes p.claims) (countAll rest)

def readFiles : List String → IO (List ByteArray)
  | [] => pure []
  | name :: rest =>
    bind (IO.FS.readBinFile ⟨name⟩) fun bytes => bind (readFiles rest) fun others => pure (bytes :: others)

/-- What is printed and returned. -/
def answer (nonce verdict : String) (code : Nat) : IO UInt32 :=
  bind (IO.println (String.append nonce (String.append " " verdict))) fun _ => pure (UInt32.ofNat code)

def judge (rules : Rules) (nonce : String) (bytes : ByteArray) (files : List ByteArray) : IO UInt32 :=
  match finished document bytes with
  | none => answer nonce "refused: not a document" 2
  | some d =>
    match sameBlocks bytes files d.nodes d.blocks with
    | false => answer nonce "refused: the weights are not those of the model's files" 3
    | true =>
      match checkDocument rules d.semantics ⟨d.inputs, unplaced d.nodes⟩ d.parts with
      | false => answer nonce "refused: the certificate does not prove the claims" 4
      | true => answer nonce (String.append "accepted: boxes " (String.append (Nat.repr (countAll d.parts))
          (String.append ", weights compared " (Nat.repr (compared d.blocks))))) 0

def main (rules : Rules) (arguments : List String) : IO UInt32 :=
  match arguments with
  | nonce :: name :: names =>
    bind (IO.FS.readBinFile ⟨name⟩)
      fun bytes => bind (readFiles names) fun files => judge rules nonce bytes files
  | _ => pure (UInt32.ofNat 1)

end Evaluated
end PytestTorchLean
