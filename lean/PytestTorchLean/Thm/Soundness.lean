prelude
import PytestTorchLean.Check.Certificate
/-!
# Soundness

If `check` is true, every claim holds of every execution: for every linearly ordered commutative
ring, for every assignment of its elements to the slots that satisfies the graph's equations, and
with no further hypothesis.
-/
set_option linter.all false
universe u v
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

theorem every_of_all {α : Type v} {p : α → Bool} {q : α → Prop} (h : ∀ a, p a = true → q a) : (l : List α) → all p l = true → Every q l
  | [], _ => trivial
  | a :: l, g => ⟨h a (both_true g).1, every_of_all h l (both_true g).2⟩

/-- One box: bounds of the graph, then the property. -/
theorem checkBox_sound {g : Graph} {c : Certificate} {p : Property} {pc : ClaimCertificate} {b : Box} (sf : c.scale.Fits)
    (h : checkBox g c p pc b = true) (slots : Nat → K) (run : Executes g slots) (inside : b.Holds g.inputs slots) : p.Holds slots := by
  obtain ⟨h0, h1, hn⟩ := run
  obtain ⟨direct, mirrored, hm, h⟩ := Box.run_sound sf h0 h1 inside h
  cases e : pc.composedBits with
  | zero =>
    rw [e] at h
    obtain ⟨_, _, _, hm', h'⟩ := Graph.runNodes_sound sf g.nodes c.decodings _ _ _ _ hm hn h
    exact Direct.run_sound sf hm' h'
  | succ n =>
    rw [e] at h
    obtain ⟨a, d, _, _, _, hm', ha, h'⟩ := Graph.runInit_sound sf g.nodes c.decodings _ _ _ _ hm hn h
    exact Compose.run_sound sf hm' ha h'

theorem checkClaims_sound {g : Graph} {c : Certificate} (sf : c.scale.Fits) : (claims : List Claim) → (certificates : List ClaimCertificate) →
    checkClaims g c claims certificates = true → Every (Claim.Holds K g) claims
  | [], _, _ => trivial
  | _ :: _, [], h => Bool.noConf_tf (Eq.symm h)
  | claim :: claims, pc :: certificates, h => by
    obtain ⟨h1, h2⟩ := both_true h
    exact ⟨every_of_all (fun b hb => checkBox_sound sf hb) claim.boxes h1, checkClaims_sound sf claims certificates h2⟩

/-- **Soundness.** An accepted certificate proves its claims about every execution of the graph. -/
theorem sound (K : Type u) [OrderedRing K] {g : Graph} {claims : List Claim} {c : Certificate} (h : check g claims c = true) :
    Every (Claim.Holds K g) claims := by
  obtain ⟨hf, h⟩ := both_true h
  obtain ⟨f1, f2⟩ := both_true hf
  exact checkClaims_sound ⟨Nat.le_of_ble_eq_true f1, Nat.le_of_ble_eq_true f2⟩ claims c.claims h

end PytestTorchLean
