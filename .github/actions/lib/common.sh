# shellcheck shell=bash
# What the scripts of the actions share. Sourced, never run.

# Text for the value of a workflow command: no line break and no percent sign of its own.
command_data() {
  local text=$1
  text=${text//'%'/%25}
  text=${text//$'\r'/%0D}
  printf '%s' "${text//$'\n'/%0A}"
}

# Text for a property of a workflow command.
command_property() {
  local text
  text=$(command_data "$1")
  text=${text//:/%3A}
  printf '%s' "${text//,/%2C}"
}

# Report a mistake in the use of an action and end with the exit code of bad usage.
refuse() {
  printf '::error title=torchlean::%s\n' "$(command_data "$1")"
  exit 2
}

# An output of the step. Values are single lines by construction; anything else is refused.
output() {
  case $2 in
    *$'\n'* | *$'\r'*) refuse "the value of the output $1 has a line break" ;;
  esac
  printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# The lines of a text that are not blank, as the array `lines`.
read_lines() {
  local line
  lines=()
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    [ -z "${line//[[:space:]]/}" ] || lines+=("$line")
  done <<<"$1"
}

# The commit that a pull request changes, as the variable `base`; empty where there is none.
#
# $1 is the input `base`: a revision, `none`, or `auto`. For `auto` the checked out commit must be the merge that
# GitHub made of the pull request: its first parent is the tip of the base branch. Of any other commit the
# first parent is the author's choice. Where `auto` finds nothing, `missing` says why.
# shellcheck disable=SC2034  # for the caller
find_base() {
  base='' missing=''
  case $1 in
    none) return ;;
    auto) ;;
    -* | '') refuse "the input base must be auto, none or a git revision" ;;
    *)
      base=$(git rev-parse --verify --quiet --end-of-options "$1^{commit}") ||
        refuse "the base revision $1 is not in this clone; give actions/checkout a larger fetch-depth"
      return
      ;;
  esac
  case ${GITHUB_EVENT_NAME:-} in
    pull_request)
      if [ "$(git rev-parse HEAD)" != "${GITHUB_SHA:-}" ]; then
        missing='the checked out commit is not the merge commit of the pull request'
      elif ! git rev-parse --verify --quiet 'HEAD^2' >/dev/null; then
        missing='the parents of the merge commit are not in this clone; give actions/checkout fetch-depth: 2'
      else
        base=$(git rev-parse --verify 'HEAD^1^{commit}')
      fi
      ;;
    pull_request_target | workflow_run)
      refuse "on $GITHUB_EVENT_NAME the input base cannot be auto: use the event pull_request"
      ;;
    *) missing='this event has no base' ;;
  esac
}
