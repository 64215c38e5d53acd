#!/usr/bin/env bash
# Runs the gate, shows what it found, and ends with its exit code.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"

cd -- "$PROJECT"
forms=(
  --html "$REPORTS/report.html"
  --markdown "$REPORTS/summary.md"
  --junit "$REPORTS/junit.xml"
  --sarif "$REPORTS/results.sarif"
  --intoto "$REPORTS/statements.jsonl"
  --annotations "$REPORTS/annotations.txt"
)
arguments=(check --root . --no-color --json "$REPORTS/record.json" "${forms[@]}")
[ -z "$INPUT_LEAN" ] || arguments+=(--lean "$INPUT_LEAN")
# Specs, baseline and waivers of the base count, so that a pull request cannot relax what it is judged by.
[ -z "$BASE" ] || arguments+=(--base "$BASE")
read_lines "$INPUT_PATHS"

# Names in models and messages of libraries reach the log as they are: no line of it may be taken for a command.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf '::stop-commands::%s\n' "$token"
code=0
"$TOOLS/bin/torchlean" "${arguments[@]}" -- ${lines[@]+"${lines[@]}"} </dev/null || code=$?
printf '\n::%s::\n' "$token"

if [ "$code" -eq 0 ] && [ ! -s "$REPORTS/record.json" ]; then
  printf '::error title=torchlean::the gate passed without a record, so it does not count\n'
  code=3
fi
if [ ! -f "$REPORTS/summary.md" ] && [ -f "$REPORTS/record.json.partial" ]; then
  # The run was killed: show what it had found until then. The record says that it did not end.
  "$TOOLS/bin/torchlean" report "${forms[@]}" -- "$REPORTS/record.json.partial" || true
  [ "$code" -ne 0 ] || code=3
fi
if [ -n "$PREFIX" ]; then
  "$TOOLS/bin/python" -I "$GITHUB_ACTION_PATH/relocate.py" "$PREFIX" "$REPORTS"
fi
if [ -f "$REPORTS/annotations.txt" ]; then
  cat -- "$REPORTS/annotations.txt"
elif [ "$code" -ne 0 ]; then
  printf '::error title=torchlean::the gate ended with exit code %d before it had results; see its log\n' "$code"
fi
if [ -f "$REPORTS/summary.md" ]; then
  cat -- "$REPORTS/summary.md" >>"$GITHUB_STEP_SUMMARY"
else
  printf 'torchlean ended with exit code %d before it had results; its log says why.\n' "$code" >>"$GITHUB_STEP_SUMMARY"
fi
if [ -d .torchlean/witnesses ] && [ ! -L .torchlean ] && [ ! -L .torchlean/witnesses ]; then
  mkdir -p "$REPORTS/witnesses"
  find .torchlean/witnesses -maxdepth 1 -type f -name '*.json' -newer "$REPORTS/../started" \
    -exec cp -- {} "$REPORTS/witnesses/" \;
fi

output exit-code "$code"
[ ! -f "$REPORTS/record.json" ] || output record "$REPORTS/record.json"
[ ! -f "$REPORTS/results.sarif" ] || output sarif "$REPORTS/results.sarif"
[ ! -d "$TORCHLEAN_CACHE/pytest-torchlean/lean" ] || output library true
[ ! -d "$TORCHLEAN_CACHE/pytest-torchlean/certificates" ] || output certificates true
exit "$code"
