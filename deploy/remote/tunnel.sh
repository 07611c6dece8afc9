# Keeps one tunnel up where no user manager does. Comes in: $1, its ssh configuration. Ends its own ssh with itself.
child=
stop() {
  [ -z "$child" ] || kill "$child" 2>/dev/null
  exit 0
}
trap stop TERM INT HUP
run() {
  "$@" </dev/null &
  child=$!
  wait "$child"
  child=
}
while :; do
  # A socket that an earlier tunnel has left would refuse the next one.
  run ssh -F "$1" -o ClearAllForwardings=yes uplink
  run ssh -F "$1" -N uplink
  run sleep 2
done
