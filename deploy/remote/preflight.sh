# Prints what this machine is and what fleet has on it already, one key=value a line. Changes nothing.
# Comes in: nothing. Values are single lines; a fact that cannot be had is an empty value.
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
say() { printf '%s=%s\n' "$1" "$(printf '%s' "$2" | tr '\n\r' '  ')"; }
has() { if command -v "$1" >/dev/null 2>&1; then echo yes; else echo no; fi; }
one_line() { [ -r "$1" ] && tr '\n' ' ' <"$1"; }

uid=$(id -u)
user=$(id -un)
XDG_RUNTIME_DIR=/run/user/$uid
export XDG_RUNTIME_DIR
unset DBUS_SESSION_BUS_ADDRESS

say uid "$uid"
say user "$user"
say home "$HOME"
say hostname "$(uname -n)"
say machine_id "$(one_line /etc/machine-id)"
say kernel "$(uname -s)"
say machine "$(uname -m)"
say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
say tmux "$(tmux -V 2>/dev/null)"
for tool in tar gzip sha256sum mktemp; do say "tool_$tool" "$(has "$tool")"; done
say disk_kib "$(df -Pk "$HOME" 2>/dev/null | { read -r _; read -r _ _ _ free _; echo "$free"; })"
say clock_seconds "$(date +%s)"
say ssh_connection "${SSH_CONNECTION-}"
if [ -d /run/systemd/system ]; then say systemd yes; else say systemd no; fi
if systemctl --user show -p Version >/dev/null 2>&1; then say user_manager yes; else say user_manager no; fi
if [ -e "/var/lib/systemd/linger/$user" ]; then say linger yes; else say linger no; fi
if [ -d "$XDG_RUNTIME_DIR" ]; then say runtime_dir "$XDG_RUNTIME_DIR"; else say runtime_dir ''; fi
for node in /usr/local/bin/node /usr/bin/node; do
  if [ -x "$node" ]; then
    say system_node "$node $("$node" --version 2>/dev/null)"
    break
  fi
done

share=$HOME/.local/share/fleet
say versions "$(cd "$share/versions" 2>/dev/null && for name in *; do [ -f "$name/VERSION" ] && echo "$name"; done)"
say runtimes "$(cd "$share/runtimes" 2>/dev/null && for name in *; do [ -x "$name/bin/node" ] && echo "$name"; done)"
current=$(readlink "$share/current" 2>/dev/null)
say current "${current##*/}"
say controller "$(if [ -d "$HOME/.local/state/fleet/controller" ]; then echo yes; else echo no; fi)"
say identity "$(one_line "$HOME/.local/state/fleet/host-agent/identity.json")"
say policy "$(one_line "$HOME/.config/fleet/host-policy.json")"
unit=$HOME/.config/systemd/user/fleet-host-agent.service
say unit_sha256 "$(if [ -r "$unit" ]; then sha256sum <"$unit" | cut -d ' ' -f 1; fi)"
say unit_active "$(systemctl --user is-active fleet-host-agent.service 2>/dev/null)"
say upgrading "$(if [ -d "$HOME/.local/state/fleet/upgrade" ]; then echo yes; else echo no; fi)"
say end yes
