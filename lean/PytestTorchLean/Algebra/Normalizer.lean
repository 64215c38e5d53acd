prelude
import PytestTorchLean.Algebra.OrderedRing
/-!
# A reflective normaliser for commutative rings

`ring2 K x y, l, r` proves `∀ x y : K, l = r` when both sides are the same polynomial: the terms are
read as syntax (`PE`), normalised to sorted signed monomials, and compared by the kernel's computation.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace OrderedRing
variable {K : Type u} [OrderedRing K]
/-! ### reflective ring normaliser -/
namespace Normalizer
inductive PE where
  | var (i : Nat) | lit (n : Nat) | add (a b : PE) | sub (a b : PE) | mul (a b : PE) | neg (a : PE)
instance : Add PE := ⟨PE.add⟩
instance : Sub PE := ⟨PE.sub⟩
instance : Mul PE := ⟨PE.mul⟩
instance : Neg PE := ⟨PE.neg⟩
instance (n : Nat) : OfNat PE n := ⟨PE.lit n⟩
def den (env : Nat → K) : PE → K
  | .var i => env i
  | .lit n => natural n
  | .add a b => den env a + den env b
  | .sub a b => den env a - den env b
  | .mul a b => den env a * den env b
  | .neg a => - den env a
structure T where
  s : Bool
  m : List Nat
def mden (env : Nat → K) : List Nat → K
  | [] => 1
  | i :: m => env i * mden env m
def sg (s : Bool) (x : K) : K := match s with | true => -x | false => x
def tden (env : Nat → K) (t : T) : K := sg t.s (mden env t.m)
def lden (env : Nat → K) : List T → K
  | [] => 0
  | t :: l => tden env t + lden env l
def insM (i : Nat) : List Nat → List Nat
  | [] => [i]
  | j :: m => match Nat.ble i j with | true => i :: j :: m | false => j :: insM i m
def mulM : List Nat → List Nat → List Nat
  | [], m' => m'
  | i :: m, m' => insM i (mulM m m')
def eqM : List Nat → List Nat → Bool
  | [], [] => true
  | i :: m, j :: m' => Nat.beq i j && eqM m m'
  | _, _ => false
def ltM : List Nat → List Nat → Bool
  | [], [] => false
  | [], _ => true
  | _, [] => false
  | i :: m, j :: m' => match Nat.beq i j with | true => ltM m m' | false => Nat.ble i j
def insT (t : T) : List T → List T
  | [] => [t]
  | t' :: l => match eqM t.m t'.m with
    | true => match t.s, t'.s with
      | true, false => l
      | false, true => l
      | _, _ => t :: t' :: l
    | false => match ltM t.m t'.m with
      | true => t :: t' :: l
      | false => t' :: insT t l
def addL : List T → List T → List T
  | [], l' => l'
  | t :: l, l' => insT t (addL l l')
def xr : Bool → Bool → Bool
  | true, b => not b
  | false, b => b
def mulT (t : T) : List T → List T
  | [] => []
  | t' :: l => insT ⟨xr t.s t'.s, mulM t.m t'.m⟩ (mulT t l)
def mulL : List T → List T → List T
  | [], _ => []
  | t :: l, l' => addL (mulT t l') (mulL l l')
def negL : List T → List T
  | [] => []
  | t :: l => ⟨not t.s, t.m⟩ :: negL l
def litL : Nat → List T
  | 0 => []
  | n+1 => insT ⟨false, []⟩ (litL n)
def norm : PE → List T
  | .var i => [⟨false, [i]⟩]
  | .lit n => litL n
  | .add a b => addL (norm a) (norm b)
  | .sub a b => addL (norm a) (negL (norm b))
  | .mul a b => mulL (norm a) (norm b)
  | .neg a => negL (norm a)
variable (env : Nat → K)
theorem insM_ok (i : Nat) (m : List Nat) : mden env (insM i m) = env i * mden env m := by
  induction m with
  | nil => rfl
  | cons j m ih =>
    unfold insM
    split
    · rfl
    · show env j * mden env (insM i m) = env i * (env j * mden env m)
      rw [ih, mul_left_comm]
theorem mulM_ok (m m' : List Nat) : mden env (mulM m m') = mden env m * mden env m' := by
  induction m with
  | nil => exact (one_mul _).symm
  | cons j m ih =>
    show mden env (insM j (mulM m m')) = (env j * mden env m) * mden env m'
    rw [insM_ok, ih, mul_assoc]
theorem eqM_ok : (m m' : List Nat) → eqM m m' = true → m = m'
  | [], [], _ => rfl
  | i :: m, j :: m', h => by
    have h : (Nat.beq i j && eqM m m') = true := h
    rw [Bool.and_eq_true] at h
    rw [Nat.eq_of_beq_eq_true h.1, eqM_ok m m' h.2]
  | [], j :: m', h => Bool.noConf_tf h.symm
  | i :: m, [], h => Bool.noConf_tf h.symm
theorem sg_cancel (x y : K) : -x + (x + y) = y := by rw [← add_assoc, add_comm (-x), add_neg', zero_add]
theorem sg_cancel' (x y : K) : x + (-x + y) = y := by rw [← add_assoc, add_neg', zero_add]
theorem insT_ok (t : T) (l : List T) : lden env (insT t l) = tden env t + lden env l := by
  induction l with
  | nil => rfl
  | cons t' l ih =>
    unfold insT
    split
    · rename_i h
      have e := eqM_ok _ _ h
      cases t with
      | mk s m => cases t' with
        | mk s' m' =>
          have e : m = m' := e
          subst e
          cases s
          · cases s'
            · rfl
            · exact (sg_cancel' (mden env m) (lden env l)).symm
          · cases s'
            · exact (sg_cancel (mden env m) (lden env l)).symm
            · rfl
    · split
      · rfl
      · show tden env t' + lden env (insT t l) = tden env t + (tden env t' + lden env l)
        rw [ih, add_left_comm]
theorem addL_ok (l l' : List T) : lden env (addL l l') = lden env l + lden env l' := by
  induction l with
  | nil => exact (zero_add _).symm
  | cons t l ih =>
    show lden env (insT t (addL l l')) = tden env t + lden env l + lden env l'
    rw [insT_ok, ih, add_assoc]
theorem tmul_ok (t t' : T) : tden env ⟨xr t.s t'.s, mulM t.m t'.m⟩ = tden env t * tden env t' := by
  cases t with
  | mk s m => cases t' with
    | mk s' m' =>
      have e := mulM_ok env m m'
      cases s
      · cases s'
        · exact e
        · show -(mden env (mulM m m')) = mden env m * -(mden env m')
          rw [e, mul_neg]
      · cases s'
        · show -(mden env (mulM m m')) = -(mden env m) * (mden env m')
          rw [e, neg_mul]
        · show (mden env (mulM m m')) = -(mden env m) * -(mden env m')
          rw [e, neg_mul, mul_neg, neg_neg]
theorem mulT_ok (t : T) (l : List T) : lden env (mulT t l) = tden env t * lden env l := by
  induction l with
  | nil => exact (mul_zero _).symm
  | cons t' l ih =>
    show lden env (insT _ (mulT t l)) = tden env t * (tden env t' + lden env l)
    rw [insT_ok, ih, tmul_ok, mul_add]
theorem mulL_ok (l l' : List T) : lden env (mulL l l') = lden env l * lden env l' := by
  induction l with
  | nil => exact (zero_mul _).symm
  | cons t l ih =>
    show lden env (addL (mulT t l') (mulL l l')) = (tden env t + lden env l) * lden env l'
    rw [addL_ok, ih, mulT_ok, add_mul]
theorem negL_ok (l : List T) : lden env (negL l) = - lden env l := by
  induction l with
  | nil => exact neg_zero.symm
  | cons t l ih =>
    show tden env ⟨not t.s, t.m⟩ + lden env (negL l) = -(tden env t + lden env l)
    rw [ih, neg_add]
    cases t with
    | mk s m => cases s
                · rfl
                · show mden env m + _ = - -(mden env m) + _
                  rw [neg_neg]
theorem litL_ok (n : Nat) : lden env (litL n) = natural n := by
  induction n with
  | zero => rfl
  | succ n ih =>
    show lden env (insT ⟨false, []⟩ (litL n)) = natural n + one
    rw [insT_ok, ih, add_comm, ← one_eq]; rfl
theorem norm_ok (a : PE) : lden env (norm a) = den env a := by
  induction a with
  | var i => show env i * 1 + 0 = env i; rw [add_zer, mul_on]
  | lit n => exact litL_ok env n
  | add a b iha ihb => show lden env (addL _ _) = _ + _; rw [addL_ok, iha, ihb]
  | sub a b iha ihb => show lden env (addL _ (negL _)) = _ - _; rw [addL_ok, negL_ok, iha, ihb, sub_def]
  | mul a b iha ihb => show lden env (mulL _ _) = _ * _; rw [mulL_ok, iha, ihb]
  | neg a iha => show lden env (negL _) = - _; rw [negL_ok, iha]
def isNil : List T → Bool
  | [] => true
  | _ => false
theorem isNil_ok : (l : List T) → isNil l = true → lden env l = 0
  | [], _ => rfl
  | _ :: _, h => Bool.noConf_tf h.symm
theorem eq_of_sub_eq_zero {a b : K} (h : a - b = 0) : a = b := by
  have h2 : a + -b + b = 0 + b := by rw [← h]; rfl
  rw [add_assoc, add_comm (-b), add_neg', add_zer, zero_add] at h2; exact h2
theorem prove (a b : PE) (h : isNil (norm (.sub a b)) = true) : den env a = den env b := by
  exact eq_of_sub_eq_zero ((norm_ok env (.sub a b)).symm.trans (isNil_ok env _ h))
def env5 (a b c d e : K) : Nat → K
  | .zero => a
  | .succ .zero => b
  | .succ (.succ .zero) => c
  | .succ (.succ (.succ .zero)) => d
  | .succ (.succ (.succ (.succ _))) => e
def env8 (a b c d e f g h : K) : Nat → K
  | .zero => a
  | .succ .zero => b
  | .succ (.succ .zero) => c
  | .succ (.succ (.succ .zero)) => d
  | .succ (.succ (.succ (.succ .zero))) => e
  | .succ (.succ (.succ (.succ (.succ .zero)))) => f
  | .succ (.succ (.succ (.succ (.succ (.succ .zero))))) => g
  | .succ (.succ (.succ (.succ (.succ (.succ (.succ _)))))) => h
end Normalizer
end OrderedRing

/-! ### Reading terms

A term is read once, from its syntax, into a proof that it is the value of some `PE`: the statement that the
macros prove is then the type of that proof, and nothing is left for Lean to unify. -/

namespace OrderedRing.Normalizer
/-- `x` is the value of `p`. -/
def Reads {K : Type u} [OrderedRing K] (env : Nat → K) (x : K) (p : PE) : Prop := den env p = x
namespace Reads
variable {K : Type u} {_ : OrderedRing K} {env : Nat → K} {x y : K} {p q : PE}
theorem add (h : Reads env x p) (g : Reads env y q) : Reads env (x + y) (.add p q) := by cases h; cases g; rfl
theorem sub (h : Reads env x p) (g : Reads env y q) : Reads env (x - y) (.sub p q) := by cases h; cases g; rfl
theorem mul (h : Reads env x p) (g : Reads env y q) : Reads env (x * y) (.mul p q) := by cases h; cases g; rfl
theorem neg (h : Reads env x p) : Reads env (-x) (.neg p) := by cases h; rfl
theorem zero : Reads env 0 (.lit 0) := rfl
theorem one : Reads env 1 (.lit 1) := rfl
theorem two : Reads env 2 (.lit 2) := rfl
theorem three : Reads env 3 (.lit 3) := rfl
/-- Two terms are equal if what they read as is the same polynomial. -/
theorem equal (h : Reads env x p) (g : Reads env y q) (e : isNil (norm (.sub p q)) = true) : x = y :=
  h.symm.trans ((prove env p q e).trans g)
end Reads
section
variable {K : Type u} [OrderedRing K] {P : Prop}
theorem read1 (a : K) (k : ∀ env : Nat → K, Reads env a (.var 0) → P) : P :=
  k (env5 a a a a a) rfl
theorem read2 (a b : K) (k : ∀ env : Nat → K, Reads env a (.var 0) → Reads env b (.var 1) → P) : P :=
  k (env5 a b b b b) rfl rfl
theorem read3 (a b c : K)
    (k : ∀ env : Nat → K, Reads env a (.var 0) → Reads env b (.var 1) → Reads env c (.var 2) → P) :
    P :=
  k (env5 a b c c c) rfl rfl rfl
theorem read4 (a b c d : K) (k : ∀ env : Nat → K,
    Reads env a (.var 0) → Reads env b (.var 1) → Reads env c (.var 2) → Reads env d (.var 3) → P) : P :=
  k (env5 a b c d d) rfl rfl rfl rfl
theorem read5 (a b c d e : K)
    (k : ∀ env : Nat → K, Reads env a (.var 0) → Reads env b (.var 1) →
      Reads env c (.var 2) → Reads env d (.var 3) → Reads env e (.var 4) →
      P) :
    P :=
  k (env5 a b c d e) rfl rfl rfl rfl rfl
theorem read8 (a b c d e f g h : K)
    (k : ∀ env : Nat → K, Reads env a (.var 0) → Reads env b (.var 1) →
      Reads env c (.var 2) → Reads env d (.var 3) → Reads env e (.var 4) →
      Reads env f (.var 5) → Reads env g (.var 6) → Reads env h (.var 7) →
      P) :
    P :=
  k (env8 a b c d e f g h) rfl rfl rfl rfl rfl rfl rfl rfl
end
end OrderedRing.Normalizer
end PytestTorchLean
/-- The proof that a term, made of variables with `+`, `-`, `*`, 0, 1, 2 and 3, is the value of some `PE`. -/
syntax:max "reads% " term:max : term
macro_rules
  | `(reads% ($a)) => `(reads% $a)
  | `(reads% $a:ident) => `($a)
  | `(reads% 0) => `(PytestTorchLean.OrderedRing.Normalizer.Reads.zero)
  | `(reads% 1) => `(PytestTorchLean.OrderedRing.Normalizer.Reads.one)
  | `(reads% 2) => `(PytestTorchLean.OrderedRing.Normalizer.Reads.two)
  | `(reads% 3) => `(PytestTorchLean.OrderedRing.Normalizer.Reads.three)
macro_rules
  | `(reads% ($a + $b)) => `(PytestTorchLean.OrderedRing.Normalizer.Reads.add (reads% ($a)) (reads% ($b)))
  | `(reads% ($a - $b)) => `(PytestTorchLean.OrderedRing.Normalizer.Reads.sub (reads% ($a)) (reads% ($b)))
  | `(reads% ($a * $b)) => `(PytestTorchLean.OrderedRing.Normalizer.Reads.mul (reads% ($a)) (reads% ($b)))
  | `(reads% (-$a)) => `(PytestTorchLean.OrderedRing.Normalizer.Reads.neg (reads% ($a)))
macro "ring1 " K:ident x:ident ", " l:term ", " r:term : term =>
  `(fun $x : $K => PytestTorchLean.OrderedRing.Normalizer.read1 $x fun env $x =>
    PytestTorchLean.OrderedRing.Normalizer.Reads.equal (env := env) (reads% ($l)) (reads% ($r))
      (by decide +kernel))
/-- `ring2 K x y, l, r` proves `∀ x y : K, l = r` in every commutative ring -/
macro "ring2 " K:ident x:ident y:ident ", " l:term ", " r:term : term =>
  `(fun $x $y : $K => PytestTorchLean.OrderedRing.Normalizer.read2 $x $y fun env $x $y =>
    PytestTorchLean.OrderedRing.Normalizer.Reads.equal (env := env) (reads% ($l)) (reads% ($r))
      (by decide +kernel))
macro "ring3 " K:ident x:ident y:ident z:ident ", " l:term ", " r:term : term =>
  `(fun $x $y $z : $K => PytestTorchLean.OrderedRing.Normalizer.read3 $x $y $z fun env $x $y $z =>
    PytestTorchLean.OrderedRing.Normalizer.Reads.equal (env := env) (reads% ($l)) (reads% ($r))
      (by decide +kernel))
macro "ring4 " K:ident x:ident y:ident z:ident w:ident ", " l:term ", " r:term : term =>
  `(fun $x $y $z $w : $K => PytestTorchLean.OrderedRing.Normalizer.read4 $x $y $z $w fun env $x $y $z $w =>
    PytestTorchLean.OrderedRing.Normalizer.Reads.equal (env := env) (reads% ($l)) (reads% ($r))
      (by decide +kernel))
macro "ring5 " K:ident x:ident y:ident z:ident w:ident v:ident ", " l:term ", " r:term : term =>
  `(fun $x $y $z $w $v : $K =>
      PytestTorchLean.OrderedRing.Normalizer.read5 $x $y $z $w $v fun env $x $y $z $w $v =>
    PytestTorchLean.OrderedRing.Normalizer.Reads.equal (env := env) (reads% ($l)) (reads% ($r))
      (by decide +kernel))
macro "ring8 " K:ident x:ident y:ident z:ident w:ident v:ident t:ident u:ident o:ident ", " l:term ", " r:term
    : term =>
  `(fun ($x $y $z $w $v $t $u $o : $K) =>
      (PytestTorchLean.OrderedRing.Normalizer.read8 $x $y $z $w) $v $t $u $o
    fun env => fun $x $y $z $w $v $t $u $o =>
    PytestTorchLean.OrderedRing.Normalizer.Reads.equal (env := env) (reads% ($l)) (reads% ($r))
      (by decide +kernel))
