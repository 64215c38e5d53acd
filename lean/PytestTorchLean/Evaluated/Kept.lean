prelude
import PytestTorchLean.Evaluated.Format
/-!
# What is kept of a document's weights

An entry of a table carries the proof that it is what the weights say; what the table lacks is computed where
it is asked for. So a table may hold too little, but nothing wrong.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Evaluated

/-- A node's weights, decoded. -/
structure KeptColumns where
  affine : Affine
  decoding : Decoding
  lanes : Option (List (List Column))
  right : decode affine decoding = lanes
  summed : Summed
  summed_right : (found : List (List Column)) → decode affine decoding = some found →
    summed = PytestTorchLean.summed (Columns.flatten found)
/-- A node's weights row by row. -/
structure KeptRows where
  affine : Affine
  decoding : Decoding
  digit : Nat
  count : Nat
  rows : Prod (List Nat) (List Nat)
  right : (lanes : List (List Column)) → decode affine decoding = some lanes →
    rows = Relaxation.weightRows affine decoding digit count lanes
/-- A property's forms, in which a node is substituted. -/
structure KeptComposition where
  affine : Affine
  decoding : Decoding
  forms : Affine
  formsDecoding : Decoding
  size : Nat
  composed : Summed
  right : (lanes lanes' : List (List Column)) → decode affine decoding = some lanes →
    decode forms formsDecoding = some lanes' → composed = composition affine forms size lanes lanes'
structure Table where
  columns : List KeptColumns
  rows : List KeptRows
  compositions : List KeptComposition

/-- The same numbers. The weights come last: to compare them takes longest. -/
def sameAffine (a b : Affine) : Bool :=
  both (Nat.beq a.rows b.rows)
    (both (Nat.beq a.lanes b.lanes)
      (both (Nat.beq a.laneColumns b.laneColumns)
        (both (Nat.beq a.positions b.positions)
          (both (Nat.beq a.divisor b.divisor)
            (both (Nat.beq a.sources b.sources) (Nat.beq a.weights b.weights))))))
theorem sameAffine_sound : (a b : Affine) → sameAffine a b = true → a = b
  | ⟨_, _, _, _, _, _, _⟩, ⟨_, _, _, _, _, _, _⟩, h => by
    obtain ⟨h1, h⟩ := both_true h
    obtain ⟨h2, h⟩ := both_true h
    obtain ⟨h3, h⟩ := both_true h
    obtain ⟨h4, h⟩ := both_true h
    obtain ⟨h5, h⟩ := both_true h
    obtain ⟨h6, h7⟩ := both_true h
    have h1 := Nat.eq_of_beq_eq_true h1
    have h2 := Nat.eq_of_beq_eq_true h2
    have h3 := Nat.eq_of_beq_eq_true h3
    have h4 := Nat.eq_of_beq_eq_true h4
    have h5 := Nat.eq_of_beq_eq_true h5
    have h6 := Nat.eq_of_beq_eq_true h6
    have h7 := Nat.eq_of_beq_eq_true h7
    subst h1; subst h2; subst h3; subst h4; subst h5; subst h6; subst h7
    rfl
def sameDecoding (d e : Decoding) : Bool :=
  both (Nat.beq d.base e.base) (both (Nat.beq d.stages e.stages) (Nat.beq d.bits e.bits))
theorem sameDecoding_sound : (d e : Decoding) → sameDecoding d e = true → d = e
  | ⟨_, _, _⟩, ⟨_, _, _⟩, h => by
    obtain ⟨h1, h⟩ := both_true h
    obtain ⟨h2, h3⟩ := both_true h
    have h1 := Nat.eq_of_beq_eq_true h1
    have h2 := Nat.eq_of_beq_eq_true h2
    have h3 := Nat.eq_of_beq_eq_true h3
    subst h1; subst h2; subst h3
    rfl

/-- The decoded columns, from the table where it has them. -/
def recallColumns (a : Affine) (d : Decoding) : List KeptColumns → Option (List (List Column))
  | [] => decode a d
  | k :: table =>
    match both (sameDecoding k.decoding d) (sameAffine k.affine a) with
    | true => k.lanes
    | false => recallColumns a d table
theorem recallColumns_eq (a : Affine) (d : Decoding) :
    (table : List KeptColumns) → recallColumns a d table = decode a d
  | [] => rfl
  | k :: table => by
    unfold recallColumns
    cases e : both (sameDecoding k.decoding d) (sameAffine k.affine a) with
    | true =>
      obtain ⟨e1, e2⟩ := both_true e
      have e1 := sameDecoding_sound _ _ e1
      have e2 := sameAffine_sound _ _ e2
      rw [← e1, ← e2, k.right]
    | false => exact recallColumns_eq a d table

/-- All columns and their masses, from the table where it has them. -/
def recallSummed (a : Affine) (d : Decoding) (lanes : List (List Column)) : List KeptColumns → Summed
  | [] => PytestTorchLean.summed (Columns.flatten lanes)
  | k :: table =>
    match both (sameDecoding k.decoding d) (sameAffine k.affine a) with
    | true => k.summed
    | false => recallSummed a d lanes table
theorem recallSummed_eq {a : Affine} {d : Decoding} {lanes : List (List Column)}
    (hd : decode a d = some lanes) :
    (table : List KeptColumns) → recallSummed a d lanes table = PytestTorchLean.summed (Columns.flatten lanes)
  | [] => rfl
  | k :: table => by
    unfold recallSummed
    cases e : both (sameDecoding k.decoding d) (sameAffine k.affine a) with
    | true =>
      obtain ⟨e1, e2⟩ := both_true e
      have e1 := sameDecoding_sound _ _ e1
      have e2 := sameAffine_sound _ _ e2
      exact k.summed_right lanes (by rw [e1, e2]; exact hd)
    | false => exact recallSummed_eq hd table

/-- Composed forms, from the table where it has them. -/
def recallComposed (a : Affine) (d : Decoding) (forms : Affine) (d' : Decoding) (size : Nat)
    (lanes lanes' : List (List Column)) : List KeptComposition → Summed
  | [] => composition a forms size lanes lanes'
  | k :: table =>
    match both
        (both (Nat.beq k.size size) (both (sameDecoding k.decoding d) (sameDecoding k.formsDecoding d')))
        (both (sameAffine k.forms forms) (sameAffine k.affine a)) with
    | true => k.composed
    | false => recallComposed a d forms d' size lanes lanes' table
theorem recallComposed_eq {a : Affine} {d : Decoding} {forms : Affine} {d' : Decoding}
    {lanes lanes' : List (List Column)} (size : Nat)
    (hd : decode a d = some lanes)
    (hd' : decode forms d' = some lanes') :
    (table : List KeptComposition) →
    recallComposed a d forms d' size lanes lanes' table = composition a forms size lanes lanes'
  | [] => rfl
  | k :: table => by
    unfold recallComposed
    cases e : both
        (both (Nat.beq k.size size) (both (sameDecoding k.decoding d) (sameDecoding k.formsDecoding d')))
        (both (sameAffine k.forms forms) (sameAffine k.affine a)) with
    | true =>
      obtain ⟨e, e4⟩ := both_true e
      obtain ⟨e1, e⟩ := both_true e
      obtain ⟨e2, e3⟩ := both_true e
      obtain ⟨e4, e5⟩ := both_true e4
      have e1 := Nat.eq_of_beq_eq_true e1
      have e2 := sameDecoding_sound _ _ e2
      have e3 := sameDecoding_sound _ _ e3
      have e4 := sameAffine_sound _ _ e4
      have e5 := sameAffine_sound _ _ e5
      subst e1; subst e2; subst e3; subst e4; subst e5
      exact k.right lanes lanes' hd hd'
    | false => exact recallComposed_eq size hd hd' table

/-- Rows of weights, if the table has them. -/
def recallRows (a : Affine) (d : Decoding) (digit count : Nat) :
    List KeptRows → Option (Prod (List Nat) (List Nat))
  | [] => none
  | k :: table =>
    match both (both (Nat.beq k.digit digit) (Nat.beq k.count count))
        (both (sameDecoding k.decoding d) (sameAffine k.affine a)) with
    | true => some k.rows
    | false => recallRows a d digit count table
theorem recallRows_sound {a : Affine} {d : Decoding} {digit count : Nat} {lanes : List (List Column)}
    {ws : Prod (List Nat) (List Nat)} (hd : decode a d = some lanes) :
    (table : List KeptRows) → recallRows a d digit count table = some ws →
    ws = Relaxation.weightRows a d digit count lanes
  | [], h => by cases h
  | k :: table, h => by
    unfold recallRows at h
    cases e : both (both (Nat.beq k.digit digit) (Nat.beq k.count count))
        (both (sameDecoding k.decoding d) (sameAffine k.affine a)) with
    | true =>
      rw [e] at h
      obtain ⟨e1, e2⟩ := both_true e
      obtain ⟨e3, e4⟩ := both_true e1
      obtain ⟨e5, e6⟩ := both_true e2
      have e3 := Nat.eq_of_beq_eq_true e3
      have e4 := Nat.eq_of_beq_eq_true e4
      have e5 := sameDecoding_sound _ _ e5
      have e6 := sameAffine_sound _ _ e6
      have g : some k.rows = some ws := h
      cases g
      subst e3; subst e4; subst e5; subst e6
      exact k.right lanes hd
    | false => rw [e] at h; exact recallRows_sound hd table h

/-- Answers from a table, which is computed once. -/
@[reducible, noinline] def preparedBy (table : Table) : Prepared where
  longest := 16000
  together := 64
  columns := fun a d => recallColumns a d table.columns
  columns_eq := fun a d => recallColumns_eq a d table.columns
  rows := fun a d digit count => recallRows a d digit count table.rows
  rows_eq := fun _ _ _ _ _ _ hd h => recallRows_sound hd table.rows h
  summed := fun a d lanes => recallSummed a d lanes table.columns
  summed_eq := fun _ _ _ hd => recallSummed_eq hd table.columns
  composed :=
    fun a d forms d' size lanes lanes' => recallComposed a d forms d' size lanes lanes' table.compositions
  composed_eq := fun _ _ _ _ size _ _ hd hd' => recallComposed_eq size hd hd' table.compositions
end Evaluated
end PytestTorchLean
