# The flight recorder: the agent has ended by itself. Keeps its last lines and how it exited, then ends its server.
. "${0%/*}/common.sh"
if ! read_run; then
  # It ended before its launch file said that it ran.
  started=$(changed_ms "$folder/settings.sh")
  pane=%0
fi
lines='' told=''
status=''
signal=''
# tmux can know that a pane is dead before it knows how (tmux#4841).
tenths=20
while [ "$tenths" -gt 0 ]; do
  said=$(tm display-message -p -t "$pane" '#{pane_dead}:#{pane_dead_status}:#{pane_dead_signal}') || break
  IFS=: read -r dead status signal <<END
$said
END
  [ -z "$status$signal" ] || break
  tenths=$((tenths - 1))
  sleep 0.1
done
capture
if [ -z "$status$signal" ]; then
  # Before 3.3 the screen alone tells the signal.
  signal=$(printf '%s\n' "$told" | sed -n 's/^Pane is dead (signal \([0-9]*\).*/\1/p')
fi
case $signal in
  '' | 0) by='' code=${status:-1} ;;
  *[!0-9]*) by=SIG${signal#SIG} code=1 ;;
  *) by=SIG$(kill -l "$signal") code=$((128 + signal)) ;;
esac
[ -e "$folder/ended" ] || end_with ended "$code"
record ended "$status" "$by" "$(now_ms)"
if [ "$layout" = isolated ]; then tm kill-server; else tm kill-session -t "=$session"; fi
