# What the scripts of one agent's launch share; each is run as `sh FOLDER/NAME.sh`. settings.sh, beside them, says whose
# they are: agent, session, socket, layout, tmux, folder, runs, beats, interval. A run stands in `run` while it lives,
# and how it ended in `ended` until its unit has ended too.
set -f
umask 077
. "${0%/*}/settings.sh"

# A server that does not answer holds up nothing.
tm() { timeout -k 1 5 "$tmux" -u -L "$socket" "$@" 2>/dev/null; }

now_ms() {
  ms=$(date +%s%3N)
  case $ms in *[!0-9]*) ms=$(date +%s)000 ;; esac
  printf %s "$ms"
}

changed_ms() {
  ms=$(date -r "$1" +%s%3N 2>/dev/null) || ms=$(now_ms)
  case $ms in *[!0-9]*) ms=$(now_ms) ;; esac
  printf %s "$ms"
}

# Start of a process in ticks since boot, nothing where it is gone; a zombie is gone too (tmux can miss its end).
start_of() {
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  set -- ${stat##*) }
  [ "$1" = Z ] || [ "$1" = X ] || printf %s "${20}"
}

# Reads `run` into pid, start, boot, started, pane, scope; false where nothing runs.
read_run() {
  pid='' start='' boot='' started='' pane='' scope=''
  read -r pid start boot started pane scope < "$folder/run" 2>/dev/null && [ -n "$pane" ]
}

is_alive() {
  read -r now < /proc/sys/kernel/random/boot_id
  [ "$boot" = "$now" ] && [ -n "$start" ] && [ "$(start_of "$pid")" = "$start" ]
}

# The last lines of the agent's screen into the file $lines; false, and no file, where they cannot be read. What tmux
# wrote below them of a dead pane goes into $told.
capture() {
  lines=$folder/.lines.$$
  told=''
  if tm capture-pane -p -S -200 -t "$pane" > "$lines.all"; then
    told=$(sed -n 's/^\(Pane is dead (.*\)/\1/p' "$lines.all" | tail -n 1)
    without_end "$lines.all" | sed '${/^Pane is dead (/d;}' > "$lines.cut"
    without_end "$lines.cut" | tail -n 200 > "$lines"
    rm -f "$lines.all" "$lines.cut"
  else
    rm -f "$lines.all"
    lines=''
    return 1
  fi
}

# Its empty last lines left out.
without_end() { sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' "$1"; }

# end_with CAUSE EXIT: how the unit ends, by finish.sh.
end_with() {
  printf '%s %s\n' "$1" "$2" > "$folder/.ended.$$"
  mv -f "$folder/.ended.$$" "$folder/ended"
}

# record CAUSE STATUS SIGNAL ENDED_MS: keeps how this run ended and $lines; false where that was said already.
record() {
  mkdir -p "$runs"
  part=$runs/.$started.$$
  by=null
  [ -z "$3" ] || by=\"$3\"
  kept=false
  [ -z "$lines" ] || kept=true
  first=false
  if printf '{"agent":"%s","started_ms":%s,"ended_ms":%s,"status":%s,"signal":%s,"cause":"%s","lines":%s}\n' \
    "$agent" "$started" "$4" "${2:-null}" "$by" "$1" "$kept" > "$part" && ln "$part" "$runs/$started.json" 2>/dev/null; then
    first=true
    [ -z "$lines" ] || mv -f "$lines" "$runs/$started.txt"
    forget_old
  fi
  rm -f "$part"
  [ -z "$lines" ] || rm -f "$lines"
  # Who watches the folder above hears of it.
  touch "$runs"
  [ "$first" = true ]
}

# Five runs are kept; moments have the same number of digits for the next two hundred years.
forget_old() {
  ls -r "$runs" | sed -n 's/^\([0-9]*\)\.json$/\1/p' | tail -n +6 | while read -r old; do
    rm -f "$runs/$old.json" "$runs/$old.txt"
  done
}

# Waits up to $1 tenths of a second for the agent's process to be gone.
gone_within() {
  tenths=$1
  while is_alive; do
    [ "$tenths" -gt 0 ] || return 1
    tenths=$((tenths - 1))
    sleep 0.1
  done
}

# Ends the agent's process and, from tmux 3.4 on, what it left in the scope that tmux gave it: no unit ends that one.
end_process() {
  gone_within "$1" || { kill -TERM "$pid" 2>/dev/null; gone_within 50; } || { kill -KILL "$pid" 2>/dev/null; gone_within 20; }
  case $scope in
    */tmux-spawn-*.scope) ;;
    *) return 0 ;;
  esac
  for signal in TERM KILL; do
    for tree in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
      [ -r "$tree$scope/cgroup.procs" ] || continue
      while read -r left; do kill "-$signal" "$left" 2>/dev/null; done < "$tree$scope/cgroup.procs"
    done
    [ "$signal" = KILL ] || sleep 1
  done
}

# Removes the agent's beat if it is of this run.
forget_beat() {
  grep -qx "pid=$pid" "$beats/$agent.hb" 2>/dev/null && rm -f "$beats/$agent.hb"
  return 0
}
