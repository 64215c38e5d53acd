#!/usr/bin/env bash
# Installs the gate in an environment of its own. Nothing of the checked out repository is imported: Python runs
# isolated (-I), so that a venv.py or pip.py there is not taken for the real one.
set -euo pipefail

cd -- "$RUNNER_TEMP"
requirement=$INPUT_REQUIREMENT
if [ -z "$requirement" ]; then
  own=$(cd -P -- "$GITHUB_ACTION_PATH/../../.." && pwd)
  requirement="${own}[lean,fast]"
fi
python3 -I -m venv --clear "$TOOLS"
"$TOOLS/bin/python" -I -m pip install --quiet --disable-pip-version-check --no-input -- "$requirement"
"$TOOLS/bin/torchlean" --version
