#!/usr/bin/env bash
# Checks the inputs, finds the base, makes this run's folders, and points at files that Git LFS has not fetched.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"

for choice in "cache $INPUT_CACHE" "upload-sarif $INPUT_UPLOAD_SARIF"; do
  case ${choice#* } in
    true | false) ;;
    *) refuse "the input ${choice%% *} must be true or false" ;;
  esac
done

workspace=$(cd -P -- "$GITHUB_WORKSPACE" && pwd)
cd -- "$workspace"
case $INPUT_WORKING_DIRECTORY in
  *$'\n'*) refuse "the input working-directory has a line break" ;;
esac
[ -d "./$INPUT_WORKING_DIRECTORY" ] || refuse "there is no folder $INPUT_WORKING_DIRECTORY in this repository"
project=$(cd -P -- "./$INPUT_WORKING_DIRECTORY" && pwd)
case $project/ in
  "$workspace"/*) ;;
  *) refuse "the input working-directory leaves the repository" ;;
esac
prefix=${project#"$workspace"}
prefix=${prefix#/}

find_base "$INPUT_BASE"
if [ -n "$missing" ] && [ "$GITHUB_EVENT_NAME" = pull_request ]; then
  refuse "the base of the pull request is not known: $missing (or set base: none, and the pull request's own specs count)"
fi

work=$(mktemp -d "${RUNNER_TEMP:?}/torchlean.XXXXXXXX")
mkdir "$work/reports"
output project "$project"
output prefix "$prefix"
output base "$base"
output reports "$work/reports"
touch "$work/started"
output tools "$work/tools"
# Always the same place, as a restored cache is put where it was.
output cache "$RUNNER_TEMP/torchlean-cache"

pointers=0
while IFS= read -r -d '' file; do
  [ -f "$file" ] && [ ! -L "$file" ] && [ "$(wc -c <"$file")" -lt 1024 ] || continue
  if [ "$(head -c 42 -- "$file" | tr -d '\0')" = 'version https://git-lfs.github.com/spec/v1' ]; then
    pointers=$((pointers + 1))
    [ "$pointers" -le 5 ] || continue
    printf '::warning file=%s,title=Git LFS::%s\n' "$(command_property "$file")" \
      'This is a Git LFS pointer, not the file itself: add "lfs: true" to the step actions/checkout.'
  fi
done < <(git ls-files -z -- ':(attr:filter=lfs)')
if [ "$pointers" -gt 5 ]; then
  printf '::warning title=Git LFS::%d files are Git LFS pointers; five of them are named.\n' "$pointers"
fi
