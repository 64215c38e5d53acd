#!/usr/bin/env bash
# Names the caches by content: the library by its sources, Lean and options; certificates also by the project's tree.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"

cd -- "$PROJECT"
# Two lines: the digest of what Lean would be given, and that of the library if its files' digests are shipped.
if ! digests=$("$TOOLS/bin/python" -I "$GITHUB_ACTION_PATH/digests.py" "$INPUT_LEAN"); then
  echo "nothing is cached: this Lean or this version of pytest-torchlean cannot be named by content"
  exit 0
fi
checker=${digests%%$'\n'*}
library=${digests#*$'\n'}
if ! tree=$(git ls-files --stage -z | git hash-object --stdin); then
  echo "nothing is cached: this folder is not in a git repository"
  exit 0
fi
system="${RUNNER_OS:-Linux}-${RUNNER_ARCH:-X64}"

if [ "$library" != none ]; then
  output library "$CACHE/pytest-torchlean/lean"
  output library-key "torchlean-library-1-$system-$library"
fi
output certificates "$CACHE/pytest-torchlean/certificates"
output certificates-prefix "torchlean-certificates-1-$system-$checker-"
output certificates-key "torchlean-certificates-1-$system-$checker-$tree"

save=false
case $GITHUB_EVENT_NAME in
  push | schedule | workflow_dispatch)
    [ "$GITHUB_REF" != "refs/heads/$DEFAULT_BRANCH" ] || save=true
    ;;
esac
output save "$save"
