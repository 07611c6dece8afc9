#!/bin/sh
# npm run quickstart [-- down]: a whole fleet on this machine, apart from everything else that runs here.
# Works before node_modules exists: needs npm and tmux, and asks nothing.
set -eu
cd "$(dirname "$0")/.."
say() { printf 'quickstart: %s\n' "$1" >&2; }
need() {
  command -v "$1" >/dev/null 2>&1 || {
    say "$1 is missing: install it ($2)"
    exit 1
  }
}
need tmux 'Debian: apt-get install tmux'
need npm 'Debian: apt-get install npm'
if [ "${1-}" = down ] && [ ! -x node_modules/.bin/node ]; then
  say 'nothing was started from here'
  exit 0
fi
say 'packages of npm'
sh deploy/npm-ci.sh >&2
PATH=$PWD/node_modules/.bin:$PATH
# Beside the packages, not in the home.
BUF_CACHE_DIR=$PWD/node_modules/.cache/buf
export PATH BUF_CACHE_DIR
if [ "${1-}" != down ]; then
  say 'building'
  # Only when it is out of date: programs and tests may be reading it.
  if [ ! -d src/wire/gen ] || [ -n "$(find proto -type f -newer src/wire/gen/fleet/v1/types.ts 2>/dev/null || echo missing)" ]; then
    npm run --silent generate
  fi
  node deploy/build.ts >/dev/null
fi
exec node deploy/quickstart.ts "$@"
