prelude
import PytestTorchLean.Core.Notation
/-!
# Logic

The lemmas that the tactics (`rw`, `simp`, `decide`, `calc`, `cases`, ...) refer to by name, and the usual
simplification lemmas for propositions. Names and statements follow Lean's core library.
-/
set_option genInjectivity false
universe u v w u₁ u₂ u₃
variable {α : Sort u} {β : Sort v}

theorem False.elim' {C : Prop} (h : False) : C := h.rec
@[macro_inline] def False.elim {C : Sort u} (h : False) : C := h.rec
@[macro_inline] def absurd {a : Prop} {b : Sort v} (h₁ : a) (h₂ : ¬a) : b := False.elim (h₂ h₁)
theorem trivial : True := True.intro
theorem Eq.mp' {a b : Prop} (h : a = b) (x : a) : b := h ▸ x
@[macro_inline] def Eq.mp {α β : Sort u} (h : α = β) (a : α) : β := h ▸ a
@[macro_inline] def Eq.mpr {α β : Sort u} (h : α = β) (b : β) : α := h ▸ b
theorem Iff.refl (a : Prop) : a ↔ a := ⟨fun h => h, fun h => h⟩
theorem Iff.rfl {a : Prop} : a ↔ a := Iff.refl a
theorem Iff.symm {a b : Prop} (h : a ↔ b) : b ↔ a := ⟨h.2, h.1⟩
theorem Iff.trans {a b c : Prop} (h₁ : a ↔ b) (h₂ : b ↔ c) : a ↔ c :=
  ⟨fun x => h₂.1 (h₁.1 x), fun x => h₁.2 (h₂.2 x)⟩
theorem Iff.of_eq {a b : Prop} (h : a = b) : a ↔ b := h ▸ Iff.rfl
theorem HEq.symm {α β : Sort u} {a : α} {b : β} (h : HEq a b) : HEq b a := h.rec (HEq.refl a)
theorem Ne.symm {a b : α} (h : a ≠ b) : b ≠ a := fun e => h e.symm
theorem Ne.intro {a b : α} (h : a = b → False) : a ≠ b := h
theorem false_of_ne {a : α} (h : a ≠ a) : False := h rfl
theorem mt {a b : Prop} (h₁ : a → b) (h₂ : ¬b) : ¬a := fun ha => h₂ (h₁ ha)
theorem not_not_intro {p : Prop} (h : p) : ¬¬p := fun hn => hn h
theorem And.symm {a b : Prop} (h : a ∧ b) : b ∧ a := ⟨h.2, h.1⟩
theorem Or.symm {a b : Prop} (h : a ∨ b) : b ∨ a := h.rec Or.inr Or.inl
theorem Or.elim {a b c : Prop} (h : a ∨ b) (l : a → c) (r : b → c) : c := h.rec l r
theorem Or.resolve_left {a b : Prop} (h : a ∨ b) (na : ¬a) : b := h.rec (fun x => absurd x na) (fun x => x)
theorem Exists.elim {α : Sort u} {p : α → Prop} {b : Prop} (h : ∃ x, p x) (f : ∀ a, p a → b) : b := h.rec f

theorem funext {α : Sort u} {β : α → Sort v} {f g : (x : α) → β x} (h : ∀ x, f x = g x) : f = g :=
  let eqv (f g : (x : α) → β x) : Prop := ∀ x, f x = g x
  let extfunApp (f : Quot eqv) (x : α) : β x :=
    Quot.lift (fun (f : (x : α) → β x) => f x) (fun _ _ h => h x) f
  congrArg extfunApp (Quot.sound h : Quot.mk eqv f = Quot.mk eqv g)

theorem Eq.propIntro {a b : Prop} (h₁ : a → b) (h₂ : b → a) : a = b := propext ⟨h₁, h₂⟩
theorem Lean.injEq_helper {P Q R : Prop} (p : P → Q → R) : P ∧ Q → R := fun h => p h.1 h.2
/-- `simp` builds congruence lemmas for instance arguments out of this class -/
class Subsingleton (α : Sort u) : Prop where
  intro ::
  allEq : ∀ (a b : α), a = b
protected theorem Subsingleton.elim {α : Sort u} [h : Subsingleton α] : ∀ (a b : α), a = b := h.allEq
protected theorem Subsingleton.helim {α β : Sort u} [h₁ : Subsingleton α] (h₂ : α = β) (a : α) (b : β) :
    HEq a b :=
  (h₂.rec (motive := fun β _ => ∀ b : β, HEq a b) (fun b => heq_of_eq (Subsingleton.elim a b))) b
instance instSubsingletonDecidable (p : Prop) : Subsingleton (Decidable p) := ⟨fun a b =>
  match a, b with
  | isTrue _, isTrue _ => rfl
  | isFalse _, isFalse _ => rfl
  | isTrue h, isFalse h' => absurd h h'
  | isFalse h', isTrue h => absurd h h'⟩
instance instSubsingletonProp (p : Prop) : Subsingleton p := ⟨fun _ _ => rfl⟩

/-! ### Decidability -/
theorem decide_eq_true {p : Prop} : [inst : Decidable p] → p → decide p = true
  | isTrue _, _ => rfl
  | isFalse h₁, h₂ => absurd h₂ h₁
theorem decide_eq_false {p : Prop} : [Decidable p] → ¬p → decide p = false
  | isTrue h₁, h₂ => absurd h₁ h₂
  | isFalse _, _ => rfl
theorem of_decide_eq_true {p : Prop} [inst : Decidable p] : decide p = true → p := fun h =>
  match inst, h with
  | isTrue h₁, _ => h₁
  | isFalse _, h => Bool.noConf_tf h.symm
theorem of_decide_eq_false {p : Prop} [inst : Decidable p] : decide p = false → ¬p := fun h =>
  match inst, h with
  | isTrue _, h => Bool.noConf_tf h
  | isFalse h₁, _ => h₁
theorem of_decide_eq_self_eq_true {α : Sort u} [inst : DecidableEq α] (a : α) : decide (a = a) = true :=
  decide_eq_true rfl
theorem Bool.of_not_eq_true : {b : Bool} → ¬(b = true) → b = false
  | true, h => absurd rfl h
  | false, _ => rfl
theorem Bool.of_not_eq_false : {b : Bool} → ¬(b = false) → b = true
  | true, _ => rfl
  | false, h => absurd rfl h
theorem ne_true_of_eq_false : {b : Bool} → b = false → ¬(b = true)
  | false, _, h => Bool.noConf_tf h.symm
theorem ne_false_of_eq_true : {b : Bool} → b = true → ¬(b = false)
  | true, _, h => Bool.noConf_tf h
instance instDecidableTrue : Decidable True := isTrue trivial
instance instDecidableFalse : Decidable False := isFalse (fun h => h)
instance instDecidableAnd {p q : Prop} [dp : Decidable p] [dq : Decidable q] : Decidable (p ∧ q) :=
  match dp with
  | isTrue hp => match dq with
    | isTrue hq => isTrue ⟨hp, hq⟩
    | isFalse hq => isFalse (fun h => hq h.2)
  | isFalse hp => isFalse (fun h => hp h.1)
instance instDecidableOr {p q : Prop} [dp : Decidable p] [dq : Decidable q] : Decidable (p ∨ q) :=
  match dp with
  | isTrue hp => isTrue (Or.inl hp)
  | isFalse hp => match dq with
    | isTrue hq => isTrue (Or.inr hq)
    | isFalse hq => isFalse (fun h => h.rec hp hq)
instance instDecidableNot {p : Prop} [dp : Decidable p] : Decidable (¬p) :=
  match dp with
  | isTrue hp => isFalse (fun h => h hp)
  | isFalse hp => isTrue hp
instance instDecidableIff {p q : Prop} [dp : Decidable p] [dq : Decidable q] : Decidable (p ↔ q) :=
  match dp, dq with
  | isTrue hp, isTrue hq => isTrue ⟨fun _ => hq, fun _ => hp⟩
  | isTrue hp, isFalse hq => isFalse (fun h => hq (h.1 hp))
  | isFalse hp, isTrue hq => isFalse (fun h => hp (h.2 hq))
  | isFalse hp, isFalse hq => isTrue ⟨fun h => absurd h hp, fun h => absurd h hq⟩
instance instDecidableForall {p q : Prop} [dp : Decidable p] [dq : Decidable q] : Decidable (p → q) :=
  match dp with
  | isTrue hp => match dq with
    | isTrue hq => isTrue (fun _ => hq)
    | isFalse hq => isFalse (fun h => hq (h hp))
  | isFalse hp => isTrue (fun h => absurd h hp)
instance instBEqOfDecidableEq {α : Type u} [DecidableEq α] : BEq α := ⟨fun a b => decide (a = b)⟩

/-! ### Classical logic: excluded middle from choice -/
theorem Classical.em (p : Prop) : p ∨ ¬p :=
  -- Diaconescu: if p holds the two predicates below agree, hence so do the chosen witnesses
  let U : Prop → Prop := fun x => x = True ∨ p
  let V : Prop → Prop := fun x => x = False ∨ p
  let pick (W : Prop → Prop) (h : Nonempty { x : Prop // W x }) : { x : Prop // W x } := Classical.choice h
  have hU : Nonempty { x : Prop // U x } := ⟨⟨True, Or.inl rfl⟩⟩
  have hV : Nonempty { x : Prop // V x } := ⟨⟨False, Or.inl rfl⟩⟩
  let cu := pick U hU
  let cv := pick V hV
  have same : p → cu.val = cv.val := fun hp =>
    have e : U = V := funext fun _ => propext ⟨fun _ => Or.inr hp, fun _ => Or.inr hp⟩
    have gen : (W : Prop → Prop) → U = W → (h : Nonempty { x : Prop // W x }) → cu.val = (pick W h).val :=
      fun W e => e ▸ fun _ => rfl
    gen V e hV
  cu.property.elim
    (fun h1 => cv.property.elim
      (fun h2 => Or.inr (fun hp => (h2 ▸ (same hp) ▸ h1.symm ▸ trivial : False)))
      Or.inl)
    Or.inl
noncomputable def Classical.propDecidable (a : Prop) : Decidable a :=
  Classical.choice ((Classical.em a).elim (fun h => ⟨isTrue h⟩) (fun h => ⟨isFalse h⟩))
theorem Classical.byContradiction {p : Prop} (h : ¬p → False) : p :=
  (Classical.em p).elim id (fun hn => (h hn).elim)
theorem Decidable.byContradiction {p : Prop} [dec : Decidable p] (h : ¬p → False) : p :=
  match dec with
  | isTrue h => h
  | isFalse hn => (h hn).elim
theorem Decidable.em (p : Prop) [dec : Decidable p] : p ∨ ¬p :=
  match dec with
  | isTrue h => Or.inl h
  | isFalse h => Or.inr h

/-! ### What `simp` builds its proofs from -/
theorem of_eq_true {p : Prop} (h : p = True) : p := h ▸ trivial
theorem of_eq_false {p : Prop} (h : p = False) : ¬p := fun hp => h ▸ hp
theorem eq_true {p : Prop} (h : p) : p = True := propext ⟨fun _ => trivial, fun _ => h⟩
theorem eq_false {p : Prop} (h : ¬p) : p = False := propext ⟨h, False.elim⟩
theorem eq_false' {p : Prop} (h : p → False) : p = False := eq_false h
theorem eq_self {α : Sort u} (a : α) : (a = a) = True := eq_true rfl
theorem heq_self_eq_true {α : Sort u} (a : α) : HEq a a = True := eq_true (HEq.refl a)
theorem iff_self (p : Prop) : (p ↔ p) = True := eq_true Iff.rfl
theorem eq_true_of_decide {p : Prop} [Decidable p] (h : decide p = true) : p = True :=
  eq_true (of_decide_eq_true h)
theorem eq_false_of_decide {p : Prop} [Decidable p] (h : decide p = false) : p = False :=
  eq_false (of_decide_eq_false h)
theorem implies_congr {p₁ p₂ : Sort u} {q₁ q₂ : Sort v} (h₁ : p₁ = p₂) (h₂ : q₁ = q₂) :
    (p₁ → q₁) = (p₂ → q₂) := h₁ ▸ h₂ ▸ rfl
theorem implies_congr_ctx {p₁ p₂ q₁ q₂ : Prop} (h₁ : p₁ = p₂) (h₂ : p₂ → q₁ = q₂) : (p₁ → q₁) = (p₂ → q₂) :=
  propext ⟨fun h hp => (h₂ hp) ▸ (h (h₁ ▸ hp)), fun h hp => have hp2 : p₂ := h₁ ▸ hp; (h₂ hp2) ▸ (h hp2)⟩
theorem implies_dep_congr_ctx {p₁ p₂ q₁ : Prop} (h₁ : p₁ = p₂) {q₂ : p₂ → Prop} (h₂ : (h : p₂) → q₁ = q₂ h) :
    (p₁ → q₁) = ((h : p₂) → q₂ h) :=
  propext ⟨fun h hp => (h₂ hp) ▸ (h (h₁ ▸ hp)), fun h hp => have hp2 : p₂ := h₁ ▸ hp; (h₂ hp2) ▸ (h hp2)⟩
theorem forall_congr {α : Sort u} {p q : α → Prop} (h : ∀ a, p a = q a) : (∀ a, p a) = (∀ a, q a) :=
  (funext h : p = q) ▸ rfl
theorem congrFun' {α : Sort u} {β : Sort v} {f g : α → β} (h : f = g) (a : α) : f a = g a := h ▸ rfl
theorem let_congr {α : Sort u} {β : Sort v} {a a' : α} {b b' : α → β} (h₁ : a = a') (h₂ : ∀ x, b x = b' x) :
    (let x := a; b x) = (let x := a'; b' x) := h₁ ▸ (funext h₂ : b = b') ▸ rfl
theorem not_congr {a b : Prop} (h : a ↔ b) : ¬a ↔ ¬b := ⟨mt h.2, mt h.1⟩

theorem ite_cond_eq_true {α : Sort u} {c : Prop} {i : Decidable c} (a b : α) (h : c = True) :
    (if c then a else b) = a :=
  match i with
  | isTrue _ => rfl
  | isFalse hn => absurd (of_eq_true h) hn
theorem ite_cond_eq_false {α : Sort u} {c : Prop} {i : Decidable c} (a b : α) (h : c = False) :
    (if c then a else b) = b :=
  match i with
  | isTrue ht => absurd ht (of_eq_false h)
  | isFalse _ => rfl
theorem if_pos {α : Sort u} {c : Prop} {h : Decidable c} (hc : c) {t e : α} : (ite c t e) = t :=
  ite_cond_eq_true t e (eq_true hc)
theorem if_neg {α : Sort u} {c : Prop} {h : Decidable c} (hc : ¬c) {t e : α} : (ite c t e) = e :=
  ite_cond_eq_false t e (eq_false hc)
theorem dif_pos {α : Sort u} {c : Prop} {h : Decidable c} (hc : c) {t : c → α} {e : ¬c → α} :
    (dite c t e) = t hc :=
  match h with
  | isTrue _ => rfl
  | isFalse hn => absurd hc hn
theorem dif_neg {α : Sort u} {c : Prop} {h : Decidable c} (hc : ¬c) {t : c → α} {e : ¬c → α} :
    (dite c t e) = e hc :=
  match h with
  | isTrue ht => absurd ht hc
  | isFalse _ => rfl
theorem dite_cond_eq_true {α : Sort u} {c : Prop} {i : Decidable c} {t : c → α} {e : ¬c → α} (h : c = True) :
    (dite c t e) = t (of_eq_true h) := dif_pos (of_eq_true h)
theorem dite_cond_eq_false {α : Sort u} {c : Prop} {i : Decidable c} {t : c → α} {e : ¬c → α}
    (h : c = False) :
    (dite c t e) = e (of_eq_false h) := dif_neg (of_eq_false h)
theorem ite_congr {α : Sort u} {b c : Prop} {x y u v : α} {s : Decidable b} [inst : Decidable c]
    (h₁ : b = c) (h₂ : c → x = u) (h₃ : ¬c → y = v) : ite b x y = ite c u v :=
  match inst with
  | isTrue hc => (if_pos (h₁ ▸ hc : b)).trans (h₂ hc)
  | isFalse hc => (if_neg (h₁ ▸ hc : ¬b)).trans (h₃ hc)

theorem ite_eq_left_of_eq_true {α : Sort u} {c : Prop} {i : Decidable c} (a b : α) (h : c = True) :
    (ite c a b) = a := ite_cond_eq_true a b h
theorem ite_eq_right_of_eq_false {α : Sort u} {c : Prop} {i : Decidable c} (a b : α) (h : c = False) :
    (ite c a b) = b := ite_cond_eq_false a b h
theorem ite_eq_left {α : Sort u} {c : Prop} {h : Decidable c} (hc : c) {t e : α} : (ite c t e) = t :=
  if_pos hc
theorem ite_eq_right {α : Sort u} {c : Prop} {h : Decidable c} (hc : ¬c) {t e : α} : (ite c t e) = e :=
  if_neg hc
theorem dite_eq_left {α : Sort u} {c : Prop} {h : Decidable c} (hc : c) {t : c → α} {e : ¬c → α} :
    (dite c t e) = t hc := dif_pos hc
theorem dite_eq_right {α : Sort u} {c : Prop} {h : Decidable c} (hc : ¬c) {t : c → α} {e : ¬c → α} :
    (dite c t e) = e hc := dif_neg hc

/-! ### The default simplification lemmas for propositions -/
section
variable {p q a b c : Prop}
theorem and_true' : (p ∧ True) ↔ p := ⟨fun h => h.1, fun h => ⟨h, trivial⟩⟩
@[simp] theorem ne_eq {α : Sort u} (a b : α) : (a ≠ b) = ¬(a = b) := rfl
@[simp] theorem and_true (p : Prop) : (p ∧ True) = p := propext ⟨fun h => h.1, fun h => ⟨h, trivial⟩⟩
@[simp] theorem true_and (p : Prop) : (True ∧ p) = p := propext ⟨fun h => h.2, fun h => ⟨trivial, h⟩⟩
@[simp] theorem and_false (p : Prop) : (p ∧ False) = False := eq_false (fun h => h.2)
@[simp] theorem false_and (p : Prop) : (False ∧ p) = False := eq_false (fun h => h.1)
@[simp] theorem and_self (p : Prop) : (p ∧ p) = p := propext ⟨fun h => h.1, fun h => ⟨h, h⟩⟩
@[simp] theorem or_true (p : Prop) : (p ∨ True) = True := eq_true (Or.inr trivial)
@[simp] theorem true_or (p : Prop) : (True ∨ p) = True := eq_true (Or.inl trivial)
@[simp] theorem or_false (p : Prop) : (p ∨ False) = p := propext ⟨fun h => h.elim id False.elim, Or.inl⟩
@[simp] theorem false_or (p : Prop) : (False ∨ p) = p := propext ⟨fun h => h.elim False.elim id, Or.inr⟩
@[simp] theorem or_self (p : Prop) : (p ∨ p) = p := propext ⟨fun h => h.elim id id, Or.inl⟩
@[simp] theorem not_true_eq_false : (¬True) = False := eq_false (fun h => h trivial)
@[simp] theorem not_false_eq_true : (¬False) = True := eq_true id
theorem not_true : (¬True) ↔ False := Iff.of_eq not_true_eq_false
theorem not_false : ¬False := id
@[simp] theorem iff_true (p : Prop) : (p ↔ True) = p :=
  propext ⟨fun h => h.2 trivial, fun h => ⟨fun _ => trivial, fun _ => h⟩⟩
@[simp] theorem true_iff (p : Prop) : (True ↔ p) = p :=
  propext ⟨fun h => h.1 trivial, fun h => ⟨fun _ => h, fun _ => trivial⟩⟩
@[simp] theorem iff_false (p : Prop) : (p ↔ False) = ¬p := propext ⟨fun h => h.1, fun h => ⟨h, False.elim⟩⟩
@[simp] theorem false_iff (p : Prop) : (False ↔ p) = ¬p := propext ⟨fun h => h.2, fun h => ⟨False.elim, h⟩⟩
@[simp] theorem implies_true (α : Sort u) : (α → True) = True := eq_true (fun _ => trivial)
@[simp] theorem true_implies (p : Prop) : (True → p) = p := propext ⟨fun h => h trivial, fun h _ => h⟩
@[simp] theorem false_implies (p : Prop) : (False → p) = True := eq_true False.elim
@[simp] theorem eq_self_iff_true {α : Sort u} (a : α) : (a = a) ↔ True := ⟨fun _ => trivial, fun _ => rfl⟩
@[simp] theorem if_true' {α : Sort u} {h : Decidable True} (t e : α) : ite True t e = t := if_pos trivial
@[simp] theorem ite_true {α : Sort u} (t e : α) : ite True t e = t := rfl
@[simp] theorem ite_false {α : Sort u} (t e : α) : ite False t e = e := rfl
@[simp] theorem decide_eq_true_eq [Decidable p] : (decide p = true) = p :=
  propext ⟨of_decide_eq_true, decide_eq_true⟩
@[simp] theorem decide_eq_false_iff_not [Decidable p] : (decide p = false) = ¬p :=
  propext ⟨of_decide_eq_false, decide_eq_false⟩
@[simp] theorem Bool.and_eq_true : (a b : Bool) → ((a && b) = true) = (a = true ∧ b = true)
  | true, b => (true_and' b).symm
  | false, b =>
    (eq_false (fun h => Bool.noConf_tf h.symm)).trans (eq_false (fun h => Bool.noConf_tf h.1.symm)).symm
where true_and' (b : Bool) : (true = true ∧ b = true) = (b = true) :=
  propext ⟨fun h => h.2, fun h => ⟨rfl, h⟩⟩
@[simp] theorem Bool.or_eq_true : (a b : Bool) → ((a || b) = true) = (a = true ∨ b = true)
  | true, b => (eq_true rfl).trans (eq_true (Or.inl rfl)).symm
  | false, b => propext ⟨Or.inr, fun h => h.elim (fun h => Bool.noConf_tf h.symm) id⟩
@[simp] theorem Bool.not_eq_true' : (b : Bool) → ((not b) = true) = (b = false)
  | true => propext ⟨fun h => h.symm, fun h => h.symm⟩
  | false => propext ⟨fun _ => rfl, fun _ => rfl⟩
@[simp] theorem Bool.not_eq_true (b : Bool) : (¬(b = true)) = (b = false) :=
  propext ⟨Bool.of_not_eq_true, ne_true_of_eq_false⟩
@[simp] theorem Bool.not_eq_false (b : Bool) : (¬(b = false)) = (b = true) :=
  propext ⟨Bool.of_not_eq_false, ne_false_of_eq_true⟩
end

class Trans {α : Sort u₁} {β : Sort u₂} {γ : Sort u₃} (r : α → β → Sort u) (s : β → γ → Sort v)
    (t : outParam (α → γ → Sort w)) where
  trans {a : α} {b : β} {c : γ} : r a b → s b c → t a c
export Trans (trans)
instance {α : Sort u₁} {γ : Sort u₃} (r : α → γ → Sort u) : Trans Eq r r := ⟨fun h h' => h ▸ h'⟩
instance {α : Sort u₁} {β : Sort u₂} (r : α → β → Sort u) : Trans r Eq r := ⟨fun h h' => h' ▸ h⟩

set_option genInjectivity true
gen_injective_theorems% Nat
gen_injective_theorems% Prod
gen_injective_theorems% List
gen_injective_theorems% Option
gen_injective_theorems% Sum
gen_injective_theorems% PProd
gen_injective_theorems% MProd
gen_injective_theorems% Except
gen_injective_theorems% Fin
gen_injective_theorems% Subtype

/-! ### Printing numbers, for `#eval` and programs -/
class ToString (α : Type u) where
  toString : α → String
export ToString (toString)
@[extern "l_Nat_reprFast"] opaque Nat.reprFast (n : Nat) : String
def Nat.repr (n : Nat) : String := Nat.reprFast n
instance : ToString Nat := ⟨Nat.repr⟩
instance : ToString String := ⟨fun s => s⟩
instance : ToString Bool := ⟨fun b => cond b "true" "false"⟩
