# Called by launch.sh just before it becomes the agent, with its pid: says which process this run is.
. "${0%/*}/common.sh"
# Held open by the agent from here on: whoever reads it hears at once when the agent is gone.
[ -p "$folder/alive" ] || mkfifo "$folder/alive"
pid=$1
read -r boot < /proc/sys/kernel/random/boot_id
scope=$(sed -n 's/^[0-9]*:\(name=systemd\)\{0,1\}:\(.*\/tmux-spawn-[^ ]*\.scope\)$/\2/p' "/proc/$pid/cgroup" | head -n 1)
printf '%s %s %s %s %s %s\n' "$pid" "$(start_of "$pid")" "$boot" "$(now_ms)" "$TMUX_PANE" "$scope" > "$folder/.run.$$"
mv -f "$folder/.run.$$" "$folder/run"
