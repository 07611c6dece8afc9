# Changes which version the host-agent of this user runs, and changes it back; `current` and its unit go together.
# Comes in: DO (switch, look, settle, roll-back). switch: ID, UNIT (text of the unit for ID), RESTART (yes: also where
# nothing changes), SELF (this text), GUARD_SECONDS. As the guard that it leaves behind: $1 instead, $2 = its turn.
# Sessions, settings, rosters and everything else of the user stay as they are.
set -eu
umask 077
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
LC_ALL=C
XDG_RUNTIME_DIR=/run/user/$(id -u)
export PATH LC_ALL XDG_RUNTIME_DIR
unset DBUS_SESSION_BUS_ADDRESS
share=$HOME/.local/share/fleet
state=$HOME/.local/state/fleet
# pending: what was there before; it becomes rolling-back when somebody goes back, and only one can take it. busy: the
# number of the process that switches.
work=$state/upgrade
name=fleet-host-agent.service
unit=$HOME/.config/systemd/user/$name
lock=$state/host-agent.lock
log=$state/log/host-agent.log
guard=fleet-upgrade
fail() { echo "$1" >&2; exit 65; }
by_unit() { [ -e "$unit" ] && systemctl --user show -p Version >/dev/null 2>&1; }
replace() { cat >"$1.partial" && chmod "$2" "$1.partial" && mv "$1.partial" "$1"; }
turn_current() {
  [ "$(readlink "$share/current" 2>/dev/null)" != "$1" ] || return 0
  ln -sfn "$1" "$share/current.partial" && mv -T "$share/current.partial" "$share/current"
  changed=yes
}

# Starts are counted in ticks after boot: field 22 of stat, the 20th after the command's closing bracket.
start_of() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }
locked() { [ ! -r "$lock" ] || sed -n "s/.*\"$1\":\"\{0,1\}\([^\",]*\).*/\1/p" "$lock"; }
detached_runs() {
  ticks=$(locked startTicks)
  [ -n "$ticks" ] && [ "$(start_of "$(locked pid)")" = "$ticks" ]
}
stop_detached() {
  tries=0
  while detached_runs && [ "$tries" -lt 200 ]; do
    [ "$tries" -ne 0 ] || kill -TERM "$(locked pid)" 2>/dev/null || :
    [ "$tries" -ne 150 ] || kill -KILL "$(locked pid)" 2>/dev/null || :
    tries=$((tries + 1))
    sleep 0.1
  done
  ! detached_runs || fail "process $(locked pid) does not end"
}
start_detached() {
  program=$share/versions/$1/bin/fleet-host-agent
  settings=$(sed -n 's/^\([A-Z_]*="[^"\\$`]*"\)$/export \1/p' "$HOME/.config/fleet/fleet-host-agent.env" 2>/dev/null || :)
  mkdir -p "${log%/*}"
  (
    cd /
    eval "$settings"
    unset TMUX TMUX_PANE NODE_OPTIONS
    exec setsid "$program" </dev/null >>"$log" 2>&1
  ) &
  printf '{"pid":%s,"startTicks":"%s","bootId":"%s","command":["%s"],"version":"%s"}\n' \
    "$!" "$(start_of "$!")" "$(cat /proc/sys/kernel/random/boot_id)" "$program" "$1" | replace "$lock" 600
}

# The host goes back by itself when nobody settles it: whoever upgrades it may be cut off from it.
is_turn() { [ "$1" = "$(cat "$work/pending/turn" 2>/dev/null)" ]; }
disarm() { systemctl --user stop "$guard.timer" >/dev/null 2>&1 || :; }
arm() {
  turn=$(date +%s)-$$
  printf '%s\n' "$turn" >"$work/pending/turn"
  printf '%s\n' "$SELF" | replace "$work/upgrade.sh" 600
  disarm
  if by_unit; then
    systemd-run --user --quiet --collect "--unit=$guard" "--on-active=$GUARD_SECONDS" \
      --timer-property=AccuracySec=1s /bin/sh "$work/upgrade.sh" roll-back "$turn" >/dev/null
  else
    setsid /bin/sh "$work/upgrade.sh" guard "$turn" "$GUARD_SECONDS" </dev/null >/dev/null 2>&1 &
  fi
}

# A switch that is slow, or whose upgrader has given it up, comes to its end first.
await_switch() {
  tries=0
  while [ "$tries" -lt 600 ] && busy=$(cat "$work/busy" 2>/dev/null) && [ -d "/proc/$busy" ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
}

roll_back() {
  [ ! -d "$work/pending" ] || mv "$work/pending" "$work/rolling-back"
  [ -d "$work/rolling-back" ] || return 0
  disarm
  old=$(cat "$work/rolling-back/current")
  [ -z "$old" ] || turn_current "$old"
  if [ -e "$work/rolling-back/unit" ]; then
    replace "$unit" 644 <"$work/rolling-back/unit"
    systemctl --user daemon-reload
    systemctl --user restart "$name"
  else
    stop_detached
    detached=$(cat "$work/rolling-back/detached")
    start_detached "${detached:-${old##*/}}"
  fi
  rm -rf "$work"
  echo "${old##*/}"
}

changed=no
case ${DO:-${1-}} in
  switch)
    [ -x "$share/versions/$ID/bin/fleet-host-agent" ] || fail "$ID is not here"
    [ ! -d "$work/rolling-back" ] || roll_back >/dev/null
    if [ ! -d "$work/pending" ]; then
      mkdir -p "$work"
      fresh=$(mktemp -d "$work/.partial-XXXXXX")
      readlink "$share/current" >"$fresh/current" || :
      if by_unit; then cp "$unit" "$fresh/unit"; else locked version >"$fresh/detached"; fi
      mv "$fresh" "$work/pending"
    fi
    echo "$$" >"$work/busy"
    arm
    turn_current "versions/$ID"
    if [ -e "$work/pending/unit" ]; then
      if [ "$(cat "$unit")" != "$UNIT" ]; then
        printf '%s\n' "$UNIT" | replace "$unit" 644
        changed=yes
      fi
      systemctl --user daemon-reload
      if [ "$changed$RESTART" != nono ] || ! systemctl --user --quiet is-active "$name"; then
        systemctl --user restart "$name" || fail "systemd cannot start it"
      fi
    elif [ "$(locked version)" != "$ID" ] || [ "$RESTART" = yes ] || ! detached_runs; then
      stop_detached
      start_detached "$ID"
    fi
    ;;
  look)
    if by_unit; then
      systemctl --user show "$name" -p NRestarts -p ActiveState -p ExecMainStatus
      said=$(journalctl --user -u "$name" -n 40 -o cat --no-pager 2>/dev/null || :)
    else
      if detached_runs; then echo ActiveState=active; else echo ActiveState=failed; fi
      said=$(tail -n 40 "$log" 2>/dev/null || :)
    fi
    printf 'Words=%s\n' "$(printf '%s\n' "$said" | grep -E '^fleet-host-agent: |Error: ' | tail -n 1 | tr -d '\r')"
    ;;
  settle)
    [ -d "$work/pending" ] || fail "it went back by itself meanwhile"
    mv "$work/pending" "$work/.settled"
    disarm
    rm -rf "$work"
    ;;
  guard)
    left=$3
    while [ "$left" -gt 0 ] && is_turn "$2"; do
      sleep 1
      left=$((left - 1))
    done
    await_switch
    ! is_turn "$2" || roll_back
    ;;
  roll-back)
    await_switch
    [ -z "${2-}" ] || is_turn "$2" || exit 0
    roll_back
    ;;
  *) fail "nothing to do" ;;
esac
