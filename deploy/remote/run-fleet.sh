# Runs the fleet that was put here. Comes in: ID (its version), ARGS (quoted words); stdin goes to it.
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
export PATH
eval "set -- $ARGS"
exec "$HOME/.local/share/fleet/versions/$ID/bin/fleet" "$@"
