# The heartbeat sidecar: says that the agent's process lives, as long as it does, and removes its word at the end. Whoever
# beats for the agent itself outranks it. Where tmux has missed the agent's end, it calls the flight recorder.
if [ "$1" != on ]; then
  # tmux waits for its jobs, and this one outlives it for a moment.
  sh "$0" on "$PPID" < /dev/null > /dev/null 2>&1 &
  exit 0
fi
. "${0%/*}/common.sh"
tenths=300
# Whose job this is goes, too, where the agent has ended before anybody looked.
until read_run; do
  [ "$tenths" -gt 0 ] && [ -n "$(start_of "$2")" ] || exit 0
  tenths=$((tenths - 1))
  sleep 0.1
done
mine=$started
trap 'kill "$!" 2>/dev/null; forget_beat; exit 0' TERM INT HUP
mkdir -p "$beats"
said=''

is_fresh() {
  changed=$(date -r "$1" +%s 2>/dev/null) || return 1
  [ $(($(date +%s) - changed)) -le $((2 * interval)) ]
}

beat() {
  is_fresh "$beats/$agent.hb.native" && return
  # A runtime that writes the file by itself knows more than we do.
  [ "$(cat "$beats/$agent.hb" 2>/dev/null)" = "$said" ] || ! is_fresh "$beats/$agent.hb" || return
  said="ts=$(date +%s)
pid=$pid
status=ok"
  printf '%s\n' "$said" > "$beats/.$agent.hb.$$" && mv -f "$beats/.$agent.hb.$$" "$beats/$agent.hb"
}

# tmux can miss that the agent's process has ended (tmux#311, one time in four under load on 3.3a): it looks again when
# it is told so. What it makes of that is the flight recorder's.
server=$(tm display-message -p -t "$pane" '#{pid}')
born=$(start_of "$server")
tell() { [ -n "$born" ] && [ "$(start_of "$server")" = "$born" ] && kill "-$1" "$server" 2>/dev/null; }

is_open() { read_run && [ "$started" = "$mine" ] && [ ! -e "$folder/ended" ]; }

while is_alive; do
  beat
  touch -c "$folder/run"
  # As long as an interval, or as the agent lives.
  timeout "$interval" cat "$folder/alive" > /dev/null 2>&1 &
  wait "$!"
done
[ "$(cat "$beats/$agent.hb" 2>/dev/null)" != "$said" ] || rm -f "$beats/$agent.hb"
tenths=60
while is_open; do
  [ "$tenths" -gt 0 ] || exec sh "$folder/died.sh"
  [ $((tenths % 10)) -ne 5 ] || tell CHLD
  tenths=$((tenths - 1))
  sleep 0.1
done
# The recorder has ended the server, which waits for it: that end can be missed as well.
[ "$layout" = isolated ] || exit 0
for again in 1 2 3; do
  sleep 1
  tell CHLD || exit 0
done
tell TERM
