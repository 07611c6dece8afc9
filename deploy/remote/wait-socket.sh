# Waits until the far end of the tunnel is there. Comes in: SOCKET, TRIES (of 0.2 s each).
while [ "$TRIES" -gt 0 ]; do
  [ -S "$SOCKET" ] && exit 0
  TRIES=$((TRIES - 1))
  sleep 0.2
done
exit 1
