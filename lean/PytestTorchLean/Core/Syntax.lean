prelude
import PytestTorchLean.Core.Data
/-!
# What `syntax`, `macro_rules` and `notation` refer to

Monads, coercions, `Lean.Name` and `Lean.Syntax`, with the shapes that compiled code expects. Nothing here
occurs in a theorem: it runs while a file is read.
-/
set_option genInjectivity false
universe u v w

/-! ### Monads -/
class Functor (f : Type u → Type v) : Type (max (u+1) v) where
  map : {α β : Type u} → (α → β) → f α → f β
  mapConst : {α β : Type u} → α → f β → f α := fun a x => map (fun _ => a) x
class Pure (f : Type u → Type v) where
  pure {α : Type u} : α → f α
export Pure (pure)
class Seq (f : Type u → Type v) : Type (max (u+1) v) where
  seq : {α β : Type u} → f (α → β) → (Unit → f α) → f β
class SeqLeft (f : Type u → Type v) : Type (max (u+1) v) where
  seqLeft : {α β : Type u} → f α → (Unit → f β) → f α
class SeqRight (f : Type u → Type v) : Type (max (u+1) v) where
  seqRight : {α β : Type u} → f α → (Unit → f β) → f β
class Bind (m : Type u → Type v) where
  bind : {α β : Type u} → m α → (α → m β) → m β
export Bind (bind)
class Applicative (f : Type u → Type v) extends Functor f, Pure f, Seq f, SeqLeft f, SeqRight f where
  map := fun x y => Seq.seq (pure x) (fun _ => y)
  seqLeft := fun a b => Seq.seq (Functor.map (Function.const _) a) b
  seqRight := fun a b => Seq.seq (Functor.map (Function.const _ id) a) b
class Monad (m : Type u → Type v) : Type (max (u+1) v) extends Applicative m, Bind m where
  map := fun f x => bind x (fun a => pure (f a))
  seq := fun f x => bind f (fun y => Functor.map y (x Unit.unit))
  seqLeft := fun x y => bind x (fun a => bind (y Unit.unit) (fun _ => pure a))
  seqRight := fun x y => bind x (fun _ => y Unit.unit)
class MonadLift (m : semiOutParam (Type u → Type v)) (n : Type u → Type w) where
  monadLift : {α : Type u} → m α → n α
class MonadLiftT (m : Type u → Type v) (n : Type u → Type w) where
  monadLift : {α : Type u} → m α → n α
export MonadLiftT (monadLift)
instance {m : Type u → Type v} {n : Type u → Type w} {o : Type u → Type w} [MonadLift n o] [MonadLiftT m n] :
    MonadLiftT m o :=
  ⟨fun x => MonadLift.monadLift (m := n) (monadLift x)⟩
instance {m : Type u → Type v} : MonadLiftT m m := ⟨fun x => x⟩
class MonadExceptOf (ε : semiOutParam (Type u)) (m : Type v → Type w) where
  throw {α : Type v} : ε → m α
  tryCatch {α : Type v} (body : m α) (handler : ε → m α) : m α
class MonadExcept (ε : outParam (Type u)) (m : Type v → Type w) where
  throw {α : Type v} : ε → m α
  tryCatch {α : Type v} (body : m α) (handler : ε → m α) : m α
export MonadExcept (throw tryCatch)
instance (ε : Type u) (m : Type v → Type w) [MonadExceptOf ε m] : MonadExcept ε m :=
  ⟨MonadExceptOf.throw, MonadExceptOf.tryCatch⟩
def ReaderT (ρ : Type u) (m : Type u → Type v) (α : Type u) : Type (max u v) := ρ → m α
class MonadReaderOf (ρ : semiOutParam (Type u)) (m : Type u → Type v) where
  read : m ρ
class MonadReader (ρ : outParam (Type u)) (m : Type u → Type v) where
  read : m ρ
export MonadReader (read)
instance {ρ : Type u} {m : Type u → Type v} [MonadReaderOf ρ m] : MonadReader ρ m := ⟨MonadReaderOf.read⟩
instance {ρ : Type u} {m : Type u → Type v} [Monad m] : MonadReaderOf ρ (ReaderT ρ m) := ⟨fun r => pure r⟩
instance {ρ : Type u} {m : Type u → Type v} [Monad m] : Monad (ReaderT ρ m) where
  pure a := fun _ => pure a
  bind x f := fun r => bind (x r) (fun a => f a r)
instance {ρ : Type u} {m : Type u → Type v} : MonadLift m (ReaderT ρ m) := ⟨fun x _ => x⟩
instance {ε ρ : Type u} {m : Type u → Type v} [MonadExceptOf ε m] : MonadExceptOf ε (ReaderT ρ m) where
  throw e := fun _ => MonadExceptOf.throw e
  tryCatch x h := fun r => MonadExceptOf.tryCatch (x r) (fun e => h e r)
inductive EStateM.Result (ε σ α : Type u) : Type u where
  | ok : α → σ → Result ε σ α
  | error : ε → σ → Result ε σ α
def EStateM (ε σ α : Type u) := σ → EStateM.Result ε σ α
instance {ε σ : Type u} : Monad (EStateM ε σ) where
  pure a := fun s => .ok a s
  bind x f := fun s => match x s with
    | .ok a s => f a s
    | .error e s => .error e s
instance {ε σ : Type u} : MonadExceptOf ε (EStateM ε σ) where
  throw e := fun s => .error e s
  tryCatch x h := fun s => match x s with
    | .ok a s => .ok a s
    | .error e _ => h e s


/-! ### Coercion classes; the elaborator unfolds them, so how they are chained does not matter -/
class Coe (α : semiOutParam (Sort u)) (β : Sort v) where
  coe : α → β
class CoeTC (α : Sort u) (β : Sort v) where
  coe : α → β
class CoeOut (α : Sort u) (β : semiOutParam (Sort v)) where
  coe : α → β
class CoeOTC (α : Sort u) (β : Sort v) where
  coe : α → β
class CoeHead (α : Sort u) (β : semiOutParam (Sort v)) where
  coe : α → β
class CoeHTC (α : Sort u) (β : Sort v) where
  coe : α → β
class CoeTail (α : semiOutParam (Sort u)) (β : Sort v) where
  coe : α → β
class CoeHTCT (α : Sort u) (β : Sort v) where
  coe : α → β
class CoeDep (α : Sort u) (_ : α) (β : Sort v) where
  coe : β
class CoeT (α : Sort u) (_ : α) (β : Sort v) where
  coe : β
class CoeFun (α : Sort u) (γ : outParam (α → Sort v)) where
  coe : (f : α) → γ f
class CoeSort (α : Sort u) (β : outParam (Sort v)) where
  coe : α → β
attribute [coe_decl] Coe.coe CoeTC.coe CoeOut.coe CoeOTC.coe CoeHead.coe CoeHTC.coe CoeTail.coe CoeHTCT.coe
  CoeDep.coe CoeT.coe CoeFun.coe CoeSort.coe
section
variable {α : Sort u} {β : Sort v} {γ : Sort w}
@[coe_decl] instance [Coe β γ] [CoeTC α β] : CoeTC α γ := ⟨fun a => Coe.coe (CoeTC.coe a : β)⟩
@[coe_decl] instance [Coe α β] : CoeTC α β := ⟨fun a => Coe.coe a⟩
@[coe_decl] instance : CoeTC α α := ⟨fun a => a⟩
@[coe_decl] instance [CoeOut α β] [CoeOTC β γ] : CoeOTC α γ := ⟨fun a => CoeOTC.coe (CoeOut.coe a : β)⟩
@[coe_decl] instance [CoeTC α β] : CoeOTC α β := ⟨fun a => CoeTC.coe a⟩
@[coe_decl] instance : CoeOTC α α := ⟨fun a => a⟩
@[coe_decl] instance [CoeHead α β] [CoeOTC β γ] : CoeHTC α γ := ⟨fun a => CoeOTC.coe (CoeHead.coe a : β)⟩
@[coe_decl] instance [CoeOTC α β] : CoeHTC α β := ⟨fun a => CoeOTC.coe a⟩
@[coe_decl] instance : CoeHTC α α := ⟨fun a => a⟩
@[coe_decl] instance [CoeTail β γ] [CoeHTC α β] : CoeHTCT α γ := ⟨fun a => CoeTail.coe (CoeHTC.coe a : β)⟩
@[coe_decl] instance [CoeHTC α β] : CoeHTCT α β := ⟨fun a => CoeHTC.coe a⟩
@[coe_decl] instance : CoeHTCT α α := ⟨fun a => a⟩
@[coe_decl] instance (a : α) [CoeHTCT α β] : CoeT α a β := ⟨CoeHTCT.coe a⟩
@[coe_decl] instance (a : α) [CoeDep α a β] : CoeT α a β := ⟨CoeDep.coe a⟩
@[coe_decl] instance (a : α) : CoeT α a α := ⟨a⟩
end

/-! ### Names, syntax trees, parsers, macros -/
structure String.Pos.Raw where
  byteIdx : Nat := 0
structure Substring.Raw where
  str : String
  startPos : String.Pos.Raw
  stopPos : String.Pos.Raw
@[extern "lean_string_utf8_byte_size"] opaque String.utf8ByteSize : String → Nat
def String.toRawSubstring' (s : String) : Substring.Raw := ⟨s, ⟨0⟩, ⟨String.utf8ByteSize s⟩⟩

namespace Lean
inductive Name where
  | anonymous : Name
  | str (pre : Name) (str : String)
  | num (pre : Name) (i : Nat)
with
  @[computed_field] hash : Name → UInt64
    | .anonymous => UInt64.ofNat 1723
    | .str p s => mixHash p.hash s.hash
    | .num p v => mixHash p.hash (UInt64.ofNat v)

@[extern "l_Lean_Name_beq"] opaque Name.beq (a b : Name) : Bool
abbrev Name.mkStr (p : Name) (s : String) : Name := Name.str p s
abbrev Name.mkNum (p : Name) (v : Nat) : Name := Name.num p v
abbrev Name.mkSimple (s : String) : Name := .str .anonymous s
abbrev Name.mkStr1 (s₁ : String) : Name := .str .anonymous s₁
abbrev Name.mkStr2 (s₁ s₂ : String) : Name := .str (.str .anonymous s₁) s₂
abbrev Name.mkStr3 (s₁ s₂ s₃ : String) : Name := .str (.str (.str .anonymous s₁) s₂) s₃
abbrev Name.mkStr4 (s₁ s₂ s₃ s₄ : String) : Name := .str (.str (.str (.str .anonymous s₁) s₂) s₃) s₄
abbrev Name.mkStr5 (s₁ s₂ s₃ s₄ s₅ : String) : Name :=
  .str (.str (.str (.str (.str .anonymous s₁) s₂) s₃) s₄) s₅
instance : Inhabited Name := ⟨.anonymous⟩
abbrev SyntaxNodeKind := Name
abbrev MacroScope := Nat
inductive SourceInfo where
  | original (leading : Substring.Raw) (pos : String.Pos.Raw) (trailing : Substring.Raw)
        (endPos : String.Pos.Raw)
  | synthetic (pos : String.Pos.Raw) (endPos : String.Pos.Raw) (canonical : Bool := false)
  | none
inductive Syntax.Preresolved where
  | namespace (ns : Name)
  | decl (n : Name) (fields : List String)
inductive Syntax where
  | missing : Syntax
  | node (info : SourceInfo) (kind : SyntaxNodeKind) (args : Array Syntax) : Syntax
  | atom (info : SourceInfo) (val : String) : Syntax
  | ident (info : SourceInfo) (rawVal : Substring.Raw) (val : Name)
        (preresolved : List Syntax.Preresolved) : Syntax
instance : Inhabited Syntax := ⟨.missing⟩
abbrev SyntaxNodeKinds := List SyntaxNodeKind
instance : Coe SyntaxNodeKind SyntaxNodeKinds := ⟨fun k => .cons k .nil⟩
structure TSyntax (ks : SyntaxNodeKinds) where
  raw : Syntax
instance (ks : SyntaxNodeKinds) : CoeOut (TSyntax ks) Syntax := ⟨fun s => s.raw⟩
instance (ks : SyntaxNodeKinds) : CoeTail Syntax (TSyntax ks) := ⟨fun s => ⟨s⟩⟩
structure Syntax.SepArray (sep : String) where
  elemsAndSeps : Array Syntax
structure Syntax.TSepArray (ks : SyntaxNodeKinds) (sep : String) where
  elemsAndSeps : Array Syntax
abbrev Syntax.Term := TSyntax (.cons (.mkSimple "term") .nil)

inductive ParserDescr where
  | const (name : Name)
  | unary (name : Name) (p : ParserDescr)
  | binary (name : Name) (p₁ p₂ : ParserDescr)
  | node (kind : SyntaxNodeKind) (prec : Nat) (p : ParserDescr)
  | trailingNode (kind : SyntaxNodeKind) (prec lhsPrec : Nat) (p : ParserDescr)
  | symbol (val : String)
  | nonReservedSymbol (val : String) (includeIdent : Bool)
  | cat (catName : Name) (rbp : Nat)
  | parser (declName : Name)
  | nodeWithAntiquot (name : String) (kind : SyntaxNodeKind) (p : ParserDescr)
  | sepBy (p : ParserDescr) (sep : String) (psep : ParserDescr) (allowTrailingSep : Bool := false)
  | sepBy1 (p : ParserDescr) (sep : String) (psep : ParserDescr) (allowTrailingSep : Bool := false)
  | unicodeSymbol (val : String) (asciiVal : String) (preserveForPP : Bool)
abbrev TrailingParserDescr := ParserDescr
instance : Inhabited ParserDescr := ⟨.symbol ""⟩

namespace Macro
structure MethodsRef where
  dummy : Unit
inductive Exception where
  | error : Syntax → String → Exception
  | unsupportedSyntax : Exception
structure Context where
  methods : MethodsRef
  quotContext : Name
  currMacroScope : MacroScope
  currRecDepth : Nat := 0
  maxRecDepth : Nat := 512
  ref : Syntax
structure State where
  macroScope : MacroScope
  traceMsgs : List (Prod Name String) := .nil
  expandedMacroDecls : List Name := .nil
end Macro
abbrev MacroM := ReaderT Macro.Context (EStateM Macro.Exception Macro.State)
abbrev Macro := Syntax → MacroM Syntax

class MonadRef (m : Type → Type) where
  getRef : m Syntax
  withRef {α} : Syntax → m α → m α
export MonadRef (getRef)
class MonadQuotation (m : Type → Type) extends MonadRef m where
  getCurrMacroScope : m MacroScope
  getContext : m Name
  withFreshMacroScope {α : Type} : m α → m α
export MonadQuotation (getCurrMacroScope withFreshMacroScope)
instance : Inhabited SourceInfo := ⟨.none⟩
@[extern "l_Lean_SourceInfo_fromRef"] opaque SourceInfo.fromRef (ref : Syntax) (synth : Bool) : SourceInfo

def MonadRef.mkInfoFromRefPos {m : Type → Type} [Monad m] [MonadRef m] : m SourceInfo :=
  bind getRef (fun r => pure (SourceInfo.fromRef r false))
instance : MonadRef MacroM where
  getRef := fun ctx s => .ok ctx.ref s
  withRef stx x := fun ctx => x { ctx with ref := stx }
instance : MonadQuotation MacroM where
  getCurrMacroScope := fun ctx s => .ok ctx.currMacroScope s
  getContext := fun ctx s => .ok ctx.quotContext s
  withFreshMacroScope x := fun ctx s =>
    x { ctx with currMacroScope := s.macroScope } { s with macroScope := Nat.succ s.macroScope }
@[extern "l_Lean_addMacroScope"] opaque addMacroScope (mainModule : Name) (n : Name) (scp : MacroScope) : Name
@[extern "l_Lean_Syntax_isOfKind"] opaque Syntax.isOfKind (stx : Syntax) (k : SyntaxNodeKind) : Bool
@[extern "l_Lean_Syntax_getArg"] opaque Syntax.getArg (stx : Syntax) (i : Nat) : Syntax
@[extern "l_Lean_Syntax_getArgs"] opaque Syntax.getArgs (stx : Syntax) : Array Syntax
@[extern "l_Lean_Syntax_matchesNull"] opaque Syntax.matchesNull (stx : Syntax) (n : Nat) : Bool
@[extern "l_Lean_Syntax_matchesIdent"] opaque Syntax.matchesIdent (stx : Syntax) (id : Name) : Bool
@[extern "l_Lean_Syntax_matchesLit"] opaque Syntax.matchesLit (stx : Syntax) (k : SyntaxNodeKind)
    (val : String) : Bool
@[extern "l_Lean_Syntax_getOptional_x3f"] opaque Syntax.getOptional? (s : Syntax) : Option Syntax
@[extern "l_Lean_Syntax_isNone"] opaque Syntax.isNone (s : Syntax) : Bool
@[extern "l_Lean_Syntax_getNumArgs"] opaque Syntax.getNumArgs (s : Syntax) : Nat
def _root_.Array.mkArray0 {α : Type u} : Array α := Array.empty
def _root_.Array.mkArray1 {α : Type u} (a0 : α) : Array α := (Array.empty.push a0)
def _root_.Array.mkArray2 {α : Type u} (a0 a1 : α) : Array α := ((Array.empty.push a0).push a1)
def _root_.Array.mkArray3 {α : Type u} (a0 a1 a2 : α) : Array α := (((Array.empty.push a0).push a1).push a2)
def _root_.Array.mkArray4 {α : Type u} (a0 a1 a2 a3 : α) : Array α :=
  ((((Array.empty.push a0).push a1).push a2).push a3)
def _root_.Array.mkArray5 {α : Type u} (a0 a1 a2 a3 a4 : α) : Array α :=
  (((((Array.empty.push a0).push a1).push a2).push a3).push a4)
def _root_.Array.mkArray6 {α : Type u} (a0 a1 a2 a3 a4 a5 : α) : Array α :=
  ((((((Array.empty.push a0).push a1).push a2).push a3).push a4).push a5)
def _root_.Array.mkArray7 {α : Type u} (a0 a1 a2 a3 a4 a5 a6 : α) : Array α :=
  (((((((Array.empty.push a0).push a1).push a2).push a3).push a4).push a5).push a6)
def _root_.Array.mkArray8 {α : Type u} (a0 a1 a2 a3 a4 a5 a6 a7 : α) : Array α :=
  ((((((((Array.empty.push a0).push a1).push a2).push a3).push a4).push a5).push a6).push a7)
@[extern "l_Lean_replaceRef"] opaque replaceRef (ref oldRef : Syntax) : Syntax
def withRef {m : Type → Type} [Monad m] [MonadRef m] {α : Type} (ref : Syntax) (x : m α) : m α :=
  bind getRef (fun oldRef => MonadRef.withRef (replaceRef ref oldRef) x)
def Syntax.node1 (info : SourceInfo) (kind : SyntaxNodeKind) (a₁ : Syntax) : Syntax :=
  .node info kind (Array.empty.push a₁)
def Syntax.node2 (info : SourceInfo) (kind : SyntaxNodeKind) (a₁ a₂ : Syntax) : Syntax :=
  .node info kind ((Array.empty.push a₁).push a₂)
def Syntax.node3 (info : SourceInfo) (kind : SyntaxNodeKind) (a₁ a₂ a₃ : Syntax) : Syntax :=
  .node info kind (((Array.empty.push a₁).push a₂).push a₃)
def Syntax.node4 (info : SourceInfo) (kind : SyntaxNodeKind) (a₁ a₂ a₃ a₄ : Syntax) : Syntax :=
  .node info kind ((((Array.empty.push a₁).push a₂).push a₃).push a₄)
def Syntax.node5 (info : SourceInfo) (kind : SyntaxNodeKind) (a₁ a₂ a₃ a₄ a₅ : Syntax) : Syntax :=
  .node info kind (((((Array.empty.push a₁).push a₂).push a₃).push a₄).push a₅)
def Syntax.node6 (info : SourceInfo) (kind : SyntaxNodeKind) (a₁ a₂ a₃ a₄ a₅ a₆ : Syntax) : Syntax :=
  .node info kind ((((((Array.empty.push a₁).push a₂).push a₃).push a₄).push a₅).push a₆)
def Syntax.node7 (info : SourceInfo) (kind : SyntaxNodeKind) (a₁ a₂ a₃ a₄ a₅ a₆ a₇ : Syntax) : Syntax :=
  .node info kind (((((((Array.empty.push a₁).push a₂).push a₃).push a₄).push a₅).push a₆).push a₇)
def Syntax.node8 (info : SourceInfo) (kind : SyntaxNodeKind) (a₁ a₂ a₃ a₄ a₅ a₆ a₇ a₈ : Syntax) : Syntax :=
  .node info kind ((((((((Array.empty.push a₁).push a₂).push a₃).push a₄).push a₅).push a₆).push a₇).push a₈)
abbrev PrettyPrinter.UnexpandM := ReaderT Syntax (EStateM Unit Unit)
abbrev PrettyPrinter.Unexpander := Syntax → PrettyPrinter.UnexpandM Syntax
instance : MonadQuotation PrettyPrinter.UnexpandM where
  getRef := fun r s => .ok r s
  withRef r x := fun _ => x r
  getCurrMacroScope := fun _ s => .ok 0 s
  getContext := fun _ s => .ok (.mkSimple "_fakeMod") s
  withFreshMacroScope x := x
@[extern "l_Array_append"] opaque _root_.Array.append {α : Type u} (as : Array α) (bs : Array α) : Array α
@[extern "l_Array_extract"] opaque _root_.Array.extract {α : Type u} (as : Array α) (start : optParam Nat 0)
    (stop : optParam Nat as.size) : Array α
abbrev TSyntaxArray (ks : SyntaxNodeKinds) := Array (TSyntax ks)
@[extern "l_Lean_Syntax_TSepArray_getElems"] opaque Syntax.TSepArray.getElems {k : SyntaxNodeKinds}
    {sep : String} (sa : Syntax.TSepArray k sep) : TSyntaxArray k
unsafe def TSyntaxArray.rawImpl {ks : SyntaxNodeKinds} (as : TSyntaxArray ks) : Array Syntax := unsafeCast as
@[implemented_by TSyntaxArray.rawImpl] opaque TSyntaxArray.raw {ks : SyntaxNodeKinds} (as : TSyntaxArray ks) :
    Array Syntax := Array.empty
unsafe def TSyntaxArray.mkImpl {ks : SyntaxNodeKinds} (as : Array Syntax) : TSyntaxArray ks := unsafeCast as
@[implemented_by TSyntaxArray.mkImpl] opaque TSyntaxArray.mk {ks : SyntaxNodeKinds} (as : Array Syntax) :
    TSyntaxArray ks := Array.empty
instance {k : SyntaxNodeKinds} : CoeOut (TSyntaxArray k) (Array Syntax) := ⟨TSyntaxArray.raw⟩
instance {k : SyntaxNodeKinds} {sep : String} : CoeOut (Syntax.TSepArray k sep) (Array Syntax) :=
  ⟨fun a => a.elemsAndSeps⟩
def mkNullNode (args : Array Syntax) : Syntax := .node .none (.mkSimple "null") args
instance {α : Type} : Inhabited (MacroM α) := ⟨fun _ s => .error .unsupportedSyntax s⟩
/-- the type of a compiled macro, with its three run-time arguments explicit -/
abbrev MacroResult := EStateM.Result Macro.Exception Macro.State Syntax
instance : Inhabited MacroResult := ⟨.ok .missing ⟨0, .nil, .nil⟩⟩
structure Parser.Category where
end Lean
