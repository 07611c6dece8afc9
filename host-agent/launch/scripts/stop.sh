# The unit is stopped: keeps the agent's last lines, then ends it in an orderly way, through tmux.
. "${0%/*}/common.sh"
# systemd comes here too when the server has ended by itself.
[ "$layout" = shared ] || [ -n "$MAINPID" ] || exit 0
lines=''
[ -e "$folder/ended" ] || end_with stopped 0
if read_run; then
  capture
  record stopped '' '' "$(now_ms)"
fi
if [ "$layout" = isolated ]; then tm kill-server; else tm kill-session -t "=$session"; fi
[ -z "$pid" ] || end_process 50
if [ "$layout" = shared ]; then
  [ -z "$pid" ] || forget_beat
  rm -f "$folder/run" "$folder/ended"
fi
exit 0
