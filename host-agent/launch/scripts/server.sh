# The unit's main process: the agent's tmux server, in the foreground.
. "${0%/*}/common.sh"
export FLEET_LAUNCH="$folder"
cd "$HOME" 2>/dev/null || cd /
# A server in the foreground reads its file only when something first happens to it (3.3a): somebody has to ask.
(
  tenths=100
  until tm has-session -t "=$session" || [ "$tenths" -le 0 ]; do
    tenths=$((tenths - 1))
    sleep 0.1
  done
) < /dev/null > /dev/null 2>&1 &
exec "$tmux" -u -D -L "$socket" -f "$folder/tmux.conf"
