prelude
import PytestTorchLean.Core.Syntax
/-!
# Notation

What each operator, binder and literal of our statements stands for. It is written out here, not bound to
compiled code, so that a reader can see that `≤` is `LE.le`; only `∃` uses the compiled parser and macro.
-/
set_option genInjectivity false
universe u v w
open Lean

/-! ### Precedences and repetition in `syntax` -/
macro "max" : prec => `(prec| 1024)
macro "arg" : prec => `(prec| 1023)
macro "min" : prec => `(prec| 10)
macro "min1" : prec => `(prec| 11)

macro:arg x:stx:max "*" : stx => `(stx| many($x))
macro:arg x:stx:max "+" : stx => `(stx| many1($x))
macro:arg x:stx:max "?" : stx => `(stx| optional($x))
macro:1 x:stx:2 " <|> " y:stx:1 : stx => `(stx| orelse($x, $y))
macro:arg x:stx:max ",*" : stx => `(stx| sepBy($x, ",", ", "))

/-! ### Operators -/
infixr:35 " × " => Prod
infixl:65 " + " => HAdd.hAdd
infixl:65 " - " => HSub.hSub
infixl:70 " * " => HMul.hMul
infixl:70 " / " => HDiv.hDiv
infixl:70 " % " => HMod.hMod
infixr:75 " ^ " => HPow.hPow
infixl:65 " ++ " => HAppend.hAppend
prefix:75 "-" => Neg.neg
macro_rules | `($x + $y) => `(binop% HAdd.hAdd $x $y)
macro_rules | `($x - $y) => `(binop% HSub.hSub $x $y)
macro_rules | `($x * $y) => `(binop% HMul.hMul $x $y)
macro_rules | `($x / $y) => `(binop% HDiv.hDiv $x $y)
macro_rules | `($x % $y) => `(binop% HMod.hMod $x $y)
macro_rules | `($x ^ $y) => `(rightact% HPow.hPow $x $y)
macro_rules | `($x ++ $y) => `(binop% HAppend.hAppend $x $y)
macro_rules | `(-$x) => `(unop% Neg.neg $x)

infix:50 " ≤ " => LE.le
infix:50 " < " => LT.lt
infix:50 " ≥ " => GE.ge
infix:50 " > " => GT.gt
infix:50 " = " => Eq
infix:50 " == " => BEq.beq
infix:50 " ≠ " => Ne
macro_rules | `($x ≤ $y) => `(binrel% LE.le $x $y)
macro_rules | `($x < $y) => `(binrel% LT.lt $x $y)
macro_rules | `($x ≥ $y) => `(binrel% GE.ge $x $y)
macro_rules | `($x > $y) => `(binrel% GT.gt $x $y)
macro_rules | `($x = $y) => `(binrel% Eq $x $y)
macro_rules | `($x == $y) => `(binrel_no_prop% BEq.beq $x $y)
macro_rules | `($x ≠ $y) => `(binrel% Ne $x $y)

infixr:35 " ∧ " => And
infixr:30 " ∨ " => Or
infix:20 " ↔ " => Iff
notation:max "¬" p:40 => Not p
infixl:35 " && " => and
infixl:30 " || " => or
notation:max "!" b:40 => not b
infixr:67 " :: " => List.cons
syntax:min term " <| " term:min : term
macro_rules | `($f <| $a) => `($f $a)
syntax:min term:min " |> " term:min1 : term
macro_rules | `($a |> $f) => `($f $a)

/-! ### Conditionals, lists, binders -/
/-- `if c then t else e` and the dependent form -/
syntax (name := termIfThenElse) "if " term " then " term " else " term : term
syntax (name := termDepIfThenElse) "if " ident " : " term " then " term " else " term : term
macro_rules (kind := termIfThenElse)
  | `(if $c then $t else $e) => `(ite $c $t $e)
macro_rules (kind := termDepIfThenElse)
  | `(if $h:ident : $c then $t else $e) => `(dite $c (fun $h:ident => $t) (fun $h:ident => $e))

/-- list literals -/
syntax "[" term,* "]" : term
macro_rules
  | `([]) => `(List.nil)
  | `([$x]) => `(List.cons $x List.nil)
  | `([$x, $xs,*]) => `(List.cons $x [$xs,*])

/-- `∃ x y (z : T), p`: the parser and the macro are the compiled ones, bound by symbol name -/
opaque Lean.binderIdent : ParserDescr
opaque Lean.explicitBinders : ParserDescr
opaque Lean.bracketedExplicitBinders : ParserDescr
opaque Lean.unbracketedExplicitBinders : ParserDescr
@[term_parser] opaque «term∃_,_» : ParserDescr
@[extern "l___aux__Init__NotationExtra______macroRules__term_u2203___x2c____1"]
opaque «_aux_Init_NotationExtra___macroRules_term∃_,__1»
    (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro «term∃_,_»] def expandExistsMacro : Macro := fun stx ctx s =>
  «_aux_Init_NotationExtra___macroRules_term∃_,__1» stx ctx s
/-- subtype notation -/
syntax (name := termSubtype) "{ " ident " : " term " // " term " }" : term
macro_rules (kind := termSubtype) | `({ $x:ident : $t // $p }) => `(Subtype (fun $x:ident : $t => $p))
