prelude
import PytestTorchLean.Core.IO
/-- Prints the length of the file and the little-endian word that starts at byte 1. -/
def main (arguments : List String) : IO UInt32 :=
  match arguments with
  | [] => pure (UInt32.ofNat 3)
  | name :: _ =>
    bind (IO.FS.readBinFile ⟨name⟩) fun bytes =>
    bind (IO.println (ByteArray.size bytes)) fun _ =>
    bind (IO.println (UInt64.toNat (ByteArray.toUInt64LE! (ByteArray.extract bytes 1 9)))) fun _ =>
    pure (UInt32.ofNat 4)
