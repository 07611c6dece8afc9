/** Shell, run as a host's root: every pane on every tmux socket of the host's users, and what a dead socket says. */
export const LIST_PANES = `find /tmp /run/user /home -xdev -type s \\( -path '*tmux*' -o -path '*fleet*' \\) 2>/dev/null | sort |
while read -r socket; do
  case $socket in *.sock) continue;; esac
  echo "== $socket"
  timeout 5 tmux -u -S "$socket" list-panes -a -F \\
    '#{session_name} #{session_id} #{window_id} #{pane_id} pid=#{pane_pid} dead=#{pane_dead} #{pane_current_command} #{pane_width}x#{pane_height}' 2>&1
done`;
