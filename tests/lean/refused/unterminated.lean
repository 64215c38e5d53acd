prelude
import PytestTorchLean
theorem claim : True := True.intro
/- the end of the file lies in a comment
