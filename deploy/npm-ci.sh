#!/bin/sh
# Brings node_modules, complete for the packaged Node, whatever Node and npm the machine has. Does nothing where it is.
# Two faults of npm 9 (Debian 12, Node 18) are mended: it leaves out optional packages (native parts of vitest) that want
# a newer Node than its own, and removes the link to the packaged Node together with the other architecture's package.
set -eu
cd "$(dirname "$0")/.."

case $(uname -m) in aarch64) arch=arm64 ;; *) arch=x64 ;; esac
packaged=node_modules/node-linux-$arch/bin/node

link_node() {
  [ -x node_modules/.bin/node ] || ln -sf "../node-linux-$arch/bin/node" node_modules/.bin/node
}
is_complete() {
  [ -x "$packaged" ] && [ -e node_modules/.package-lock.json ] &&
    ! [ package-lock.json -nt node_modules/.package-lock.json ] &&
    "$packaged" -e 'import("rolldown").catch(() => process.exit(1))'
}

if is_complete; then
  link_node
  exit 0
fi
# npm runs on the machine's Node: it empties node_modules, and npm 9 on Node 24 takes minutes.
PATH=$(printf %s "$PATH" | tr : '\n' | grep -v '/node_modules/\.bin$' | paste -sd : -)
command -v npm >/dev/null || {
  echo 'npm is missing: apt-get install npm' >&2
  exit 1
}
NODE_OPTIONS="--require=\"$PWD/deploy/as-packaged-node.cjs\"" npm ci --no-audit --no-fund </dev/null >&2
link_node
is_complete || {
  echo 'npm ci left out what vitest needs: remove node_modules and try again, or take a newer npm' >&2
  exit 1
}
