#!/bin/sh
# `npm test`: everything from a bare clone to a verdict: sets up, builds, checks, then runs the lanes unit, integration
# and e2e. Arguments go to vitest. Ends with `N passed, N failed` alone on the last line. Never asks anything.
set -u
cd "$(dirname "$0")/.." || exit 1
PATH=$PWD/node_modules/.bin:$PATH
results=$PWD/test-results
export PATH FLEET_TEST_RESULTS="$results" DEBIAN_FRONTEND=noninteractive

say() { printf '\n== %s\n' "$*"; }
loud() { printf '\n!!!! %s\n' "$@" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# A step that did not work counts as one failed test of its name, and the rest still runs.
failed_steps=
step() {
  name=$1
  shift
  say "$name"
  "$@" </dev/null || {
    loud "$name failed"
    failed_steps="$failed_steps $name"
  }
}

verdict() {
  # shellcheck disable=SC2086 # names of steps, none with a space
  node test/verdict.ts "$results" $failed_steps
  exit $?
}

# Set-up: what is not there, or older than what it is made from.
say packages of npm
sh deploy/npm-ci.sh || {
  loud 'npm ci failed'
  echo '0 passed, 1 failed'
  exit 1
}
rm -rf "$results"
mkdir -p "$results"
generated=src/wire/gen/fleet/v1/types.ts
if ! [ -e $generated ] || [ -n "$(find proto package-lock.json -newer $generated)" ]; then
  step generate npm run --silent generate
fi

# Programs that the integration and e2e lanes run, and the Debian packages that bring them.
programs='tmux systemd-nspawn mmdebstrap ip nft tcc ssh ssh-keygen nsenter flock python3'
packages='tmux systemd-container mmdebstrap iproute2 nftables tcc openssh-client util-linux python3'
missing() {
  for program in $programs; do have "$program" || printf '%s ' "$program"; done
  # Debian's minimal python3 has not all of its library.
  python3 -c 'import json, tty' 2>/dev/null || printf 'python3'
}
if [ -n "$(missing)" ] && [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then
  install_packages() {
    apt-get update -q && apt-get install -q -y --no-install-recommends $packages
  }
  step packages install_packages
fi

# Only without a filter: with one, somebody waits for one test.
[ $# -gt 0 ] || step check npm run --silent check
step build npm run --silent build

lane() {
  say "lane $1"
  project=$1
  shift
  # A filter may fit one lane only; without one, an empty lane is a fault.
  [ $# -gt 0 ] && set -- --passWithNoTests "$@"
  vitest run --project "$project" --reporter=default --reporter=json --outputFile.json="$results/$project.json" \
    "$@" </dev/null
  echo $? >"$results/$project.exit"
}

lane unit "$@"
have tmux || loud 'no tmux here: the integration lane will fail. apt-get install tmux'
lane integration "$@"

why=$(node test/helpers/testbed/missing-main.ts)
if [ -z "$why" ]; then
  lane e2e "$@"
else
  loud "The e2e lane did NOT run: $why." 'Nothing is proved here about real machines.'
  [ "${CI:-}" = true ] && failed_steps="$failed_steps e2e"
fi
verdict
