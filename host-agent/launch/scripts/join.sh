# Makes the agent's session on a server that others share and that must be there already (tmux -N); never starts one.
. "${0%/*}/common.sh"
"$tmux" -u -N -L "$socket" new-session -d -s "$session" -x 120 -y 40 /bin/sh "$folder/launch.sh" || exit
"$tmux" -u -N -L "$socket" set-option -p -t "=$session:" remain-on-exit on
"$tmux" -u -N -L "$socket" set-option -w -t "=$session:" window-size manual
exec sh "$folder/beat.sh"
