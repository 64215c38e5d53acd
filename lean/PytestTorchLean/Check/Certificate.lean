prelude
import PytestTorchLean.Check.Compose
/-!
# The check of a certificate

A certificate holds no bounds, only how to compute them: fixed-point units and how the weights are
decoded. Whatever it says, `check` is true only if the bounds it computes prove every claim.
-/
set_option linter.all false
universe u v
namespace PytestTorchLean
open OrderedRing

/-- How one claim's forms are decoded, and whether the last affine node is substituted into them. -/
structure ClaimCertificate where
  decoding : Decoding
  /-- bits of the composed weights; 0 means that the forms are bounded directly -/
  composedBits : Nat

structure Certificate where
  scale : Scale
  /-- one for each affine node, in order -/
  decodings : List Decoding
  /-- one for each claim -/
  claims : List ClaimCertificate

/-- Bounds of the graph on one box, then the property. -/
noncomputable def checkBox (g : Graph) (c : Certificate) (p : Property) (pc : ClaimCertificate) (b : Box) : Bool :=
  Box.run c.scale g.inputs b fun direct mirrored count =>
    Nat.rec (motive := fun _ => Bool)
      (Graph.runNodes c.scale g.nodes c.decodings direct mirrored count fun direct' mirrored' count' =>
        Direct.run c.scale p pc.decoding direct' mirrored' count')
      (fun _ _ => Graph.runInit c.scale g.nodes c.decodings direct mirrored count fun a d direct' mirrored' count' =>
        Compose.run c.scale p pc.decoding pc.composedBits a d direct' mirrored' count')
      pc.composedBits

/-- `p` is true of every element; the first that fails ends the search. -/
noncomputable def all {α : Type v} (p : α → Bool) (l : List α) : Bool :=
  List.rec (motive := fun _ => Bool) true (fun a _ rest => both (p a) rest) l

noncomputable def checkClaims (g : Graph) (c : Certificate) (claims : List Claim) : List ClaimCertificate → Bool :=
  List.rec (motive := fun _ => List ClaimCertificate → Bool) (fun _ => true)
    (fun claim _ rest certificates => List.rec (motive := fun _ => Bool) false
      (fun pc later _ => both (all (checkBox g c claim.property pc) claim.boxes) (rest later)) certificates) claims

/-- The certificate proves the claims about the graph. -/
noncomputable def check (g : Graph) (claims : List Claim) (c : Certificate) : Bool :=
  both (both (Nat.ble (c.scale.top + 1) (2 ^ c.scale.half)) (Nat.ble 1 c.scale.unit)) (checkClaims g c claims c.claims)

end PytestTorchLean
