# Takes away what fleet put on this machine for this user, and nothing else. Prints what was done, one word and
# its object a line. Comes in: KEEP_CONTROLLER (yes: this user runs a controller here, so only the enrolment goes).
set -u
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
uid=$(id -u)
user=$(id -un)
XDG_RUNTIME_DIR=/run/user/$uid
export XDG_RUNTIME_DIR
unset DBUS_SESSION_BUS_ADDRESS
share=$HOME/.local/share/fleet
state=$HOME/.local/state/fleet
units=$HOME/.config/systemd/user
gone() { echo "removed $1"; }
remove() {
  for path in "$@"; do
    if [ -e "$path" ] || [ -h "$path" ]; then rm -rf -- "$path" && gone "$path"; fi
  done
}
# Starts are counted in ticks after boot: field 22 of stat, the 20th after the command's closing bracket.
start_of() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }
end_locked() {
  lock=$state/$1.lock
  [ -r "$lock" ] || return 0
  pid=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' "$lock")
  ticks=$(sed -n 's/.*"startTicks":"\([0-9]*\)".*/\1/p' "$lock")
  [ -n "$pid" ] && [ -n "$ticks" ] || return 0
  tries=0
  while [ "$(start_of "$pid")" = "$ticks" ] && [ "$tries" -lt 100 ]; do
    [ "$tries" -eq 0 ] && kill -TERM "$pid" 2>/dev/null
    [ "$tries" -eq 80 ] && kill -KILL "$pid" 2>/dev/null
    tries=$((tries + 1))
    sleep 0.1
  done
  echo "stopped $1"
}
stop_unit() {
  [ -e "$units/$1" ] || return 0
  systemctl --user disable --now --quiet "$1" 2>/dev/null
  remove "$units/$1" "$units/default.target.wants/$1"
  systemctl --user daemon-reload 2>/dev/null
  systemctl --user reset-failed "$1" 2>/dev/null
}

[ ! -d "$state/upgrade" ] || systemctl --user --quiet stop fleet-upgrade.timer 2>/dev/null
stop_unit fleet-host-agent.service
end_locked host-agent
if [ "$KEEP_CONTROLLER" = yes ]; then
  remove "$state/upgrade" "$state/host-agent" "$state/host-agent.lock" "$HOME/.config/fleet/host-policy.json"
  exit 0
fi
stop_unit fleet-controller.service
end_locked controller

# Only our link; a program of that name that the user has put there stays.
command=$HOME/.local/bin/fleet
case $(readlink "$command" 2>/dev/null) in */share/fleet/current/bin/fleet) remove "$command" ;; esac

# Agents that fleet launches go on without a host-agent: their units need the launcher, and the files of their launch.
launched=''
for unit in "$units"/*.service; do
  grep -qs '^X-Fleet-Agent=' "$unit" && launched=${unit##*/}
done

# Linger goes only if it came with us and nothing else needs it: without it, and with nobody logged in, the user
# manager ends and takes every agent with it.
if [ -e "$state/linger-enabled-by-fleet" ] && [ -e "/var/lib/systemd/linger/$user" ]; then
  busy=${launched:-no}
  for process in /proc/[0-9]*; do
    [ -O "$process" ] || continue
    case $(cat "$process/cgroup" 2>/dev/null) in
      *"/user@$uid.service/init.scope"* | *"/user@$uid.service/"*dbus* | *"/user@$uid.service/"*/fleet-*) ;;
      *"/user@$uid.service/"*) busy=$(cat "$process/comm" 2>/dev/null) ;;
    esac
  done
  for unit in "$units"/*.wants/*; do [ -e "$unit" ] && busy=${unit##*/}; done
  if [ "$busy" = no ]; then
    loginctl --no-ask-password disable-linger "$user" 2>/dev/null && gone linger
  else
    echo "kept linger: $busy depends on it"
  fi
fi
if [ -n "$launched" ]; then
  echo "kept the launcher: $launched needs it (remove its agents first, then this again)"
  for path in "$state"/* "$state"/.[!.]*; do
    case ${path##*/} in launch | runs | linger-enabled-by-fleet) ;; *) remove "$path" ;; esac
  done
else
  remove "$share" "$state"
fi
remove "$HOME/.cache/fleet" "$HOME/.config/fleet" "$XDG_RUNTIME_DIR/fleet"
exit 0
