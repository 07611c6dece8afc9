# After any end of the unit: nothing of the agent lives on, and this exits as the agent did, since tmux exits 0 whatever
# became of it. `finish.sh lost` tidies up before a start what a machine that went down left.
. "${0%/*}/common.sh"
lines=''
if read_run; then
  end_process 0
  if [ ! -e "$folder/ended" ]; then
    # Its tmux server was killed, or the machine went down: nobody saw its screen.
    end_with killed 1
    if [ "$1" = lost ]; then at=$(changed_ms "$folder/run"); else at=$(now_ms); fi
    record killed '' '' "$at"
  fi
  forget_beat
elif [ "$SERVICE_RESULT" = success ] && [ ! -e "$folder/ended" ]; then
  # A server that came and went without an agent must not pass for a good end.
  echo "tmux ended before $agent began" >&2
  exit 1
fi
code=0
[ ! -e "$folder/ended" ] || read -r cause code < "$folder/ended"
rm -f "$folder/run" "$folder/ended"
exit "$code"
