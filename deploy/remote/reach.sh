# Asks from this machine whether the controller answers. Comes in: ID (version); on stdin, the question as JSON.
root=$HOME/.local/share/fleet/versions/$ID
exec "$root/node/bin/node" "$root/lib/reach.mjs"
