#!/usr/bin/env bash
# Decides by git's hashes whether a watched file differs from the base. In doubt it has changed.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"

cd -- "$GITHUB_WORKSPACE"
say() {
  output changed "$1"
  printf '%s\n' "$2"
  printf '%s\n' "$2" >>"$GITHUB_STEP_SUMMARY"
}

find_base "$INPUT_BASE"
if [ -z "$base" ]; then
  say true "Everything is checked: ${missing:-there is no base to compare with}."
  exit 0
fi

pathspecs=()
read_lines "$INPUT_WATCH"
pathspecs+=(${lines[@]+"${lines[@]}"})
[ "${#pathspecs[@]}" -gt 0 ] || pathspecs=(':/')
read_lines "$INPUT_IGNORE"
for pathspec in ${lines[@]+"${lines[@]}"}; do
  case $pathspec in
    :*) refuse "an entry of ignore must be a plain path or pattern, not $pathspec" ;;
  esac
  pathspecs+=(":(exclude)$pathspec")
done

code=0
git diff-tree -r --quiet "$base" HEAD -- "${pathspecs[@]}" || code=$?
case $code in
  0) say false "No watched file differs from the base $base, whose own run has the verdicts: nothing is proved again." ;;
  1) say true "Watched files differ from the base $base: they are checked." ;;
  *) refuse "git cannot compare with the base $base" ;;
esac
