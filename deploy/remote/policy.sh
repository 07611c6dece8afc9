# The policy file of this user's host-agent. Comes in: VERB (show, put), OLD (what it held when it was shown), NEW.
# show prints `missing`, or `file` and what it holds below it. put replaces it whole, unless it holds something else now.
set -eu
umask 077
file=$HOME/.config/fleet/host-policy.json
held=$(if [ -e "$file" ]; then echo file && cat "$file"; else echo missing; fi)
if [ "$VERB" = show ]; then
  printf '%s\n' "$held"
  exit 0
fi
if [ "$held" != "$OLD" ]; then
  echo "it was changed by somebody else meanwhile: look again" >&2
  exit 8
fi
mkdir -p "${file%/*}"
work=$(mktemp "$file.XXXXXX")
trap 'rm -f "$work"' EXIT
printf '%s\n' "$NEW" >"$work"
mv "$work" "$file"
trap - EXIT
