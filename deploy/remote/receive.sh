# Takes an archive from stdin and puts its tree in place whole, or not at all.
# Comes in: KIND (version, runtime), ID, SUM (sha256 of the archive), RUNTIME (versions: the runtime's folder).
set -eu
umask 022
fail() { echo "$1" >&2; exit 65; }
base=$HOME/.local/share/fleet
parent=$base/${KIND}s
mkdir -p "$parent"
# What killed runs have left.
find "$parent" -maxdepth 1 -name '.partial-*' -mmin +60 -exec rm -rf {} + 2>/dev/null || :
if [ -e "$parent/$ID" ]; then
  cat >/dev/null
  exit 0
fi
work=$(mktemp -d "$parent/.partial-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP INT TERM PIPE
cat >"$work/archive"
actual=$(sha256sum <"$work/archive")
[ "${actual%% *}" = "$SUM" ] || fail "the archive arrived damaged or cut off"
mkdir "$work/tree"
tar -xzf "$work/archive" -C "$work/tree" || fail "the archive cannot be unpacked"
case $KIND in
  version)
    (cd "$work/tree" && sha256sum -c SHA256SUMS >/dev/null) || fail "a file differs from what was built"
    [ -x "$base/runtimes/$RUNTIME/bin/node" ] || fail "its Node.js is not here"
    ln -s "../../runtimes/$RUNTIME" "$work/tree/node"
    ;;
  runtime)
    "$work/tree/bin/node" --version >/dev/null || fail "Node.js does not run on this machine"
    ;;
esac
mv "$work/tree" "$parent/$ID" 2>/dev/null || [ -e "$parent/$ID" ] || fail "cannot write to $parent"
