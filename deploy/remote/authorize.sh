# Makes authorized_keys hold our one line for a tunnel, or none. Comes in: MARK (the line's comment), LINE (empty:
# remove). Every other line stays as it is; a file or folder that we made goes when our line was all it held.
set -eu
umask 077
export LC_ALL=C
file=$HOME/.ssh/authorized_keys
made=$HOME/.local/state/fleet/made-for-tunnel
if [ -z "$LINE" ] && [ ! -e "$file" ]; then exit 0; fi
if [ -e "$file" ]; then
  lines=$(grep -cF -- " $MARK" "$file" || :)
  if [ -z "$LINE" ] && [ "$lines" = 0 ]; then exit 0; fi
  if [ -n "$LINE" ] && [ "$lines" = 1 ] && grep -qxF -- "$LINE" "$file"; then exit 0; fi
fi
mkdir -p "${made%/*}"
[ -d "$HOME/.ssh" ] || { mkdir -m 700 "$HOME/.ssh" && echo folder >>"$made"; }
[ -e "$file" ] || { : >"$file" && echo file >>"$made"; }
target=$file
[ -h "$file" ] && target=$(readlink -f -- "$file")
work=$(mktemp "$target.fleet-XXXXXX")
trap 'rm -f "$work"' EXIT
# cp keeps the mode for the replacement.
cp -p "$target" "$work"
grep -vF -- " $MARK" "$target" >"$work" || [ $? -eq 1 ]
[ -z "$LINE" ] || printf '%s\n' "$LINE" >>"$work"
mv "$work" "$target"
trap - EXIT
if [ -z "$LINE" ] && [ ! -s "$target" ] && [ -e "$made" ]; then
  ! grep -qx file "$made" || rm -f "$target"
  ! grep -qx folder "$made" || rmdir "$HOME/.ssh" 2>/dev/null || :
  rm -f "$made"
fi
echo changed
