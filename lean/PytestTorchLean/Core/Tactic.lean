prelude
import PytestTorchLean.Core.Logic
/-! Tactic: bind the tactic parsers and tactic macros that are compiled into libleanshared.so.
    Every `opaque foo : ParserDescr` takes its value from the native symbol of the same mangled name. -/
set_option linter.all false
declare_syntax_cat rcasesPat
declare_syntax_cat rintroPat
declare_syntax_cat conv (behavior := both)
namespace Lean.Parser.Tactic
opaque optConfig : ParserDescr
opaque configItem : ParserDescr
opaque posConfigItem : ParserDescr
opaque negConfigItem : ParserDescr
opaque valConfigItem : ParserDescr
opaque config : ParserDescr
opaque location : ParserDescr
opaque locationHyp : ParserDescr
opaque locationType : ParserDescr
opaque locationWildcard : ParserDescr
opaque rwRule : ParserDescr
opaque rwRuleSeq : ParserDescr
opaque simpArgs : ParserDescr
opaque simpArg : ParserDescr
opaque simpLemma : ParserDescr
opaque simpErase : ParserDescr
opaque simpStar : ParserDescr
opaque simpPre : ParserDescr
opaque simpPost : ParserDescr
opaque discharger : ParserDescr
opaque dsimpArg : ParserDescr
opaque dsimpArgs : ParserDescr
opaque inductionAlts : ParserDescr
opaque inductionAlt : ParserDescr
opaque inductionAltLHS : ParserDescr
opaque elimTarget : ParserDescr
opaque generalizeArg : ParserDescr
opaque caseArg : ParserDescr
opaque simpaArgsRest : ParserDescr
opaque clearValueArg : ParserDescr
opaque clearValueHyp : ParserDescr
opaque clearValueStar : ParserDescr
opaque rcasesPatMed : ParserDescr
opaque rcasesPatLo : ParserDescr
@[rcasesPat_parser] opaque rcasesPat.one : ParserDescr
@[rcasesPat_parser] opaque rcasesPat.ignore : ParserDescr
@[rcasesPat_parser] opaque rcasesPat.clear : ParserDescr
@[rcasesPat_parser] opaque rcasesPat.explicit : ParserDescr
@[rcasesPat_parser] opaque rcasesPat.tuple : ParserDescr
@[rcasesPat_parser] opaque rcasesPat.paren : ParserDescr
@[rintroPat_parser] opaque rintroPat.one : ParserDescr
@[rintroPat_parser] opaque rintroPat.binder : ParserDescr
@[tactic_parser] opaque intro : ParserDescr
@[tactic_parser] opaque intros : ParserDescr
@[tactic_parser] opaque «exact» : ParserDescr
@[tactic_parser] opaque apply : ParserDescr
@[tactic_parser] opaque refine : ParserDescr
@[tactic_parser] opaque refine' : ParserDescr
@[tactic_parser] opaque constructor : ParserDescr
@[tactic_parser] opaque left : ParserDescr
@[tactic_parser] opaque right : ParserDescr
@[tactic_parser] opaque assumption : ParserDescr
@[tactic_parser] opaque contradiction : ParserDescr
@[tactic_parser] opaque cases : ParserDescr
@[tactic_parser] opaque induction : ParserDescr
@[tactic_parser] opaque rewriteSeq : ParserDescr
@[tactic_parser] opaque rwSeq : ParserDescr
@[tactic_parser] opaque rwa : ParserDescr
@[tactic_parser] opaque simp : ParserDescr
@[tactic_parser] opaque simpAll : ParserDescr
@[tactic_parser] opaque dsimp : ParserDescr
@[tactic_parser] opaque simpa : ParserDescr
@[tactic_parser] opaque case : ParserDescr
@[tactic_parser] opaque case' : ParserDescr
@[tactic_parser] opaque allGoals : ParserDescr
@[tactic_parser] opaque anyGoals : ParserDescr
@[tactic_parser] opaque focus : ParserDescr
@[tactic_parser] opaque first : ParserDescr
@[tactic_parser] opaque paren : ParserDescr
@[tactic_parser] opaque skip : ParserDescr
@[tactic_parser] opaque done : ParserDescr
@[tactic_parser] opaque fail : ParserDescr
@[tactic_parser] opaque failIfSuccess : ParserDescr
@[tactic_parser] opaque revert : ParserDescr
@[tactic_parser] opaque clear : ParserDescr
@[tactic_parser] opaque subst : ParserDescr
@[tactic_parser] opaque substVars : ParserDescr
@[tactic_parser] opaque injection : ParserDescr
@[tactic_parser] opaque injections : ParserDescr
@[tactic_parser] opaque split : ParserDescr
@[tactic_parser] opaque unfold : ParserDescr
@[tactic_parser] opaque delta : ParserDescr
@[tactic_parser] opaque generalize : ParserDescr
@[tactic_parser] opaque specialize : ParserDescr
@[tactic_parser] opaque change : ParserDescr
@[tactic_parser] opaque rename : ParserDescr
@[tactic_parser] opaque renameI : ParserDescr
@[tactic_parser] opaque repeat' : ParserDescr
@[tactic_parser] opaque repeat1' : ParserDescr
@[tactic_parser] opaque rotateLeft : ParserDescr
@[tactic_parser] opaque rotateRight : ParserDescr
@[tactic_parser] opaque traceState : ParserDescr
@[tactic_parser] opaque traceMessage : ParserDescr
@[tactic_parser] opaque withReducible : ParserDescr
@[tactic_parser] opaque withReducibleAndInstances : ParserDescr
@[tactic_parser] opaque withUnfoldingAll : ParserDescr
@[tactic_parser] opaque eqRefl : ParserDescr
@[tactic_parser] opaque applyRfl : ParserDescr
@[tactic_parser] opaque decide : ParserDescr
@[tactic_parser] opaque replace : ParserDescr
@[tactic_parser] opaque symm : ParserDescr
@[tactic_parser] opaque «show» : ParserDescr
@[tactic_parser] opaque congr : ParserDescr
@[tactic_parser] opaque falseOrByContra : ParserDescr
@[tactic_parser] opaque classical : ParserDescr
@[tactic_parser] opaque letrec : ParserDescr
@[tactic_parser] opaque funCases : ParserDescr
@[tactic_parser] opaque funInduction : ParserDescr
@[tactic_parser] opaque tacticRfl : ParserDescr
@[tactic_parser] opaque tacticRfl' : ParserDescr
@[tactic_parser] opaque tacticTry_ : ParserDescr
@[tactic_parser] opaque tacticRepeat_ : ParserDescr
@[tactic_parser] opaque «tacticExists_,,» : ParserDescr
@[tactic_parser] opaque tacticHave__ : ParserDescr
@[tactic_parser] opaque tacticHave' : ParserDescr
@[tactic_parser] opaque tacticLet__ : ParserDescr
@[tactic_parser] opaque tacticSuffices_ : ParserDescr
@[tactic_parser] opaque tacticSorry : ParserDescr
@[tactic_parser] opaque tacticExfalso : ParserDescr
@[tactic_parser] opaque tacticTrivial : ParserDescr
@[tactic_parser] opaque tacticInfer_instance : ParserDescr
@[tactic_parser] opaque tacticNofun : ParserDescr
@[tactic_parser] opaque «tacticNomatch_,,» : ParserDescr
@[tactic_parser] opaque tacticRefine_lift_ : ParserDescr
@[tactic_parser] opaque tacticRefine_lift'_ : ParserDescr
@[tactic_parser] opaque tacticAnd_intros : ParserDescr
@[tactic_parser] opaque «tactic_<;>_» : TrailingParserDescr
@[tactic_parser] opaque tacIfThenElse : ParserDescr
@[tactic_parser] opaque tacDepIfThenElse : ParserDescr
@[tactic_parser] opaque «tacticNext_=>_» : ParserDescr
@[tactic_parser] opaque tacticUnhygienic_ : ParserDescr
@[tactic_parser] opaque tacticAdmit : ParserDescr
@[tactic_parser] opaque tacticStop_ : ParserDescr
@[tactic_parser] opaque omega : ParserDescr
@[tactic_parser] opaque tacticIterate____ : ParserDescr
@[tactic_parser] opaque rcases : ParserDescr
@[tactic_parser] opaque obtain : ParserDescr
@[tactic_parser] opaque rintro : ParserDescr
end Lean.Parser.Tactic
namespace Lean.Parser.Tactic.Conv
opaque convSeq : ParserDescr
opaque convSeq1Indented : ParserDescr
opaque convSeqBracketed : ParserDescr
opaque enterArg : ParserDescr
opaque argArg : ParserDescr
@[conv_parser] opaque «lhs» : ParserDescr
@[conv_parser] opaque «rhs» : ParserDescr
@[conv_parser] opaque «rewrite» : ParserDescr
@[conv_parser] opaque «simp» : ParserDescr
@[conv_parser] opaque «arg» : ParserDescr
@[conv_parser] opaque «enter» : ParserDescr
@[conv_parser] opaque «ext» : ParserDescr
@[conv_parser] opaque «change» : ParserDescr
@[conv_parser] opaque «unfold» : ParserDescr
@[conv_parser] opaque «congr» : ParserDescr
@[conv_parser] opaque «fun» : ParserDescr
@[conv_parser] opaque «pattern» : ParserDescr
@[conv_parser] opaque «skip» : ParserDescr
@[conv_parser] opaque «paren» : ParserDescr
@[conv_parser] opaque «nestedConv» : ParserDescr
@[conv_parser] opaque «nestedTactic» : ParserDescr
@[conv_parser] opaque «first» : ParserDescr
@[conv_parser] opaque «convRw__» : ParserDescr
@[conv_parser] opaque «convRfl» : ParserDescr
@[conv_parser] opaque «convDone» : ParserDescr
@[conv_parser] opaque «convTry_» : ParserDescr
@[tactic_parser] opaque conv : ParserDescr
end Lean.Parser.Tactic.Conv
open Lean
@[extern "l_Lean_Parser_Tactic___aux__Init__TacticsExtra______macroRules__Lean__Parser__Tactic__tacDepIfThenElse__1"] opaque Lean.Parser.Tactic.«_aux_Init_TacticsExtra___macroRules_Lean_Parser_Tactic_tacDepIfThenElse_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacDepIfThenElse] def tacMacro0 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_TacticsExtra___macroRules_Lean_Parser_Tactic_tacDepIfThenElse_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__TacticsExtra______macroRules__Lean__Parser__Tactic__tacIfThenElse__1"] opaque Lean.Parser.Tactic.«_aux_Init_TacticsExtra___macroRules_Lean_Parser_Tactic_tacIfThenElse_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacIfThenElse] def tacMacro1 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_TacticsExtra___macroRules_Lean_Parser_Tactic_tacIfThenElse_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__TacticsExtra______macroRules__Lean__Parser__Tactic__tacticIterate__________1"] opaque Lean.Parser.Tactic.«_aux_Init_TacticsExtra___macroRules_Lean_Parser_Tactic_tacticIterate_____1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticIterate____] def tacMacro2 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_TacticsExtra___macroRules_Lean_Parser_Tactic_tacticIterate_____1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__letrec__1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_letrec_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.letrec] def tacMacro3 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_letrec_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__rwSeq__1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_rwSeq_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.rwSeq] def tacMacro4 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_rwSeq_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticAdmit__1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticAdmit_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticAdmit] def tacMacro5 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticAdmit_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticAnd__intros__1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticAnd_intros_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticAnd_intros] def tacMacro6 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticAnd_intros_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticExfalso__1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticExfalso_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticExfalso] def tacMacro7 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticExfalso_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticExists___x2c_x2c__1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticExists_,,_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.«tacticExists_,,»] def tacMacro8 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticExists_,,_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticHave______1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticHave___1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticHave__] def tacMacro9 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticHave___1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticHave_x27__1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticHave'_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticHave'] def tacMacro10 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticHave'_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticInfer__instance__1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticInfer_instance_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticInfer_instance] def tacMacro11 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticInfer_instance_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticLet______1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticLet___1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticLet__] def tacMacro12 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticLet___1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticNext___x3d_x3e____1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticNext_=>__1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.«tacticNext_=>_»] def tacMacro13 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticNext_=>__1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticNofun__1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticNofun_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticNofun] def tacMacro14 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticNofun_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticNomatch___x2c_x2c__1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticNomatch_,,_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.«tacticNomatch_,,»] def tacMacro15 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticNomatch_,,_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticRefine__lift____1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticRefine_lift__1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticRefine_lift_] def tacMacro16 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticRefine_lift__1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticRefine__lift_x27____1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticRefine_lift'__1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticRefine_lift'_] def tacMacro17 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticRefine_lift'__1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticRfl__1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticRfl_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticRfl] def tacMacro18 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticRfl_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticRfl__2"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticRfl_2» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticRfl] def tacMacro19 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticRfl_2» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticRfl__3"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticRfl_3» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticRfl] def tacMacro20 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticRfl_3» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticRfl_x27__1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticRfl'_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticRfl'] def tacMacro21 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticRfl'_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticSorry__1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticSorry_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticSorry] def tacMacro22 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticSorry_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticStop____1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticStop__1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticStop_] def tacMacro23 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticStop__1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticSuffices____1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticSuffices__1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticSuffices_] def tacMacro24 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticSuffices__1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticTrivial__1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticTrivial_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticTrivial] def tacMacro25 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticTrivial_1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticTrivial__2"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticTrivial_2» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticTrivial] def tacMacro26 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticTrivial_2» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticTrivial__3"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticTrivial_3» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticTrivial] def tacMacro27 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticTrivial_3» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticTrivial__4"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticTrivial_4» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticTrivial] def tacMacro28 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticTrivial_4» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticTrivial__5"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticTrivial_5» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticTrivial] def tacMacro29 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticTrivial_5» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticTrivial__6"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticTrivial_6» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticTrivial] def tacMacro30 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticTrivial_6» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticTry____1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticTry__1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticTry_] def tacMacro31 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticTry__1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tacticUnhygienic____1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticUnhygienic__1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticUnhygienic_] def tacMacro32 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tacticUnhygienic__1» stx ctx s
@[extern "l_Lean_Parser_Tactic___aux__Init__Tactics______macroRules__Lean__Parser__Tactic__tactic___x3c_x3b_x3e____1"] opaque Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tactic_<;>__1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.«tactic_<;>_»] def tacMacro33 : Macro := fun stx ctx s => Lean.Parser.Tactic.«_aux_Init_Tactics___macroRules_Lean_Parser_Tactic_tactic_<;>__1» stx ctx s
@[extern "l___aux__Init__Core______macroRules__Lean__Parser__Tactic__tacticRfl__1"] opaque «_aux_Init_Core___macroRules_Lean_Parser_Tactic_tacticRfl_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.tacticRfl] def tacMacro34 : Macro := fun stx ctx s => «_aux_Init_Core___macroRules_Lean_Parser_Tactic_tacticRfl_1» stx ctx s
/-! native term/tactic syntax that lives outside Lean.Parser.Tactic -/
opaque Lean.cdotTk : ParserDescr
opaque Lean.calcFirstStep : ParserDescr
opaque Lean.calcStep : ParserDescr
opaque Lean.calcSteps : ParserDescr
@[tactic_parser] opaque Lean.cdot : ParserDescr
@[term_parser] opaque Lean.calc : ParserDescr
@[tactic_parser] opaque Lean.calcTactic : ParserDescr
@[command_parser] opaque Lean.reduceCmd : ParserDescr
@[term_parser] opaque «term‹_›» : ParserDescr
@[tactic_parser] opaque «tacticBy_cases_:_» : ParserDescr
opaque Lean.binderIdentDummy : ParserDescr
@[extern "l_Lean_Parser_Tactic_Conv___aux__Init__Conv______macroRules__Lean__Parser__Tactic__Conv__convDone__1"] opaque Lean.Parser.Tactic.Conv.«_aux_Init_Conv___macroRules_Lean_Parser_Tactic_Conv_convDone_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.Conv.«convDone»] def convMacro262 : Macro := fun stx ctx s => Lean.Parser.Tactic.Conv.«_aux_Init_Conv___macroRules_Lean_Parser_Tactic_Conv_convDone_1» stx ctx s
@[extern "l_Lean_Parser_Tactic_Conv___aux__Init__Conv______macroRules__Lean__Parser__Tactic__Conv__convRfl__1"] opaque Lean.Parser.Tactic.Conv.«_aux_Init_Conv___macroRules_Lean_Parser_Tactic_Conv_convRfl_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.Conv.«convRfl»] def convMacro264 : Macro := fun stx ctx s => Lean.Parser.Tactic.Conv.«_aux_Init_Conv___macroRules_Lean_Parser_Tactic_Conv_convRfl_1» stx ctx s
@[extern "l_Lean_Parser_Tactic_Conv___aux__Init__Conv______macroRules__Lean__Parser__Tactic__Conv__convRw______1"] opaque Lean.Parser.Tactic.Conv.«_aux_Init_Conv___macroRules_Lean_Parser_Tactic_Conv_convRw___1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.Conv.«convRw__»] def convMacro266 : Macro := fun stx ctx s => Lean.Parser.Tactic.Conv.«_aux_Init_Conv___macroRules_Lean_Parser_Tactic_Conv_convRw___1» stx ctx s
@[extern "l_Lean_Parser_Tactic_Conv___aux__Init__Conv______macroRules__Lean__Parser__Tactic__Conv__convTry____1"] opaque Lean.Parser.Tactic.Conv.«_aux_Init_Conv___macroRules_Lean_Parser_Tactic_Conv_convTry__1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro Lean.Parser.Tactic.Conv.«convTry_»] def convMacro268 : Macro := fun stx ctx s => Lean.Parser.Tactic.Conv.«_aux_Init_Conv___macroRules_Lean_Parser_Tactic_Conv_convTry__1» stx ctx s
@[extern "l___aux__Init__Tactics______macroRules__term_u2039___u203a__1"] opaque «_aux_Init_Tactics___macroRules_term‹_›_1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro «term‹_›»] def termMacro270 : Macro := fun stx ctx s => «_aux_Init_Tactics___macroRules_term‹_›_1» stx ctx s
@[extern "l___aux__Init__ByCases______macroRules__tacticBy__cases___x3a____1"] opaque «_aux_Init_ByCases___macroRules_tacticBy_cases_:__1» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro «tacticBy_cases_:_»] def termMacro272 : Macro := fun stx ctx s => «_aux_Init_ByCases___macroRules_tacticBy_cases_:__1» stx ctx s
@[extern "l___aux__Init__ByCases______macroRules__tacticBy__cases___x3a____2"] opaque «_aux_Init_ByCases___macroRules_tacticBy_cases_:__2» (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
@[macro «tacticBy_cases_:_»] def termMacro274 : Macro := fun stx ctx s => «_aux_Init_ByCases___macroRules_tacticBy_cases_:__2» stx ctx s
