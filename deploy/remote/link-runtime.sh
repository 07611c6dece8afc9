# Uses the Node.js of this machine. Comes in: ID (the runtime's folder), NODE (its path).
set -eu
umask 022
"$NODE" --version >/dev/null
mkdir -p "$HOME/.local/share/fleet/runtimes/$ID/bin"
ln -sfn "$NODE" "$HOME/.local/share/fleet/runtimes/$ID/bin/node"
