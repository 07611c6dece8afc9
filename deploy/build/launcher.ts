/** Goes out: the few lines of sh that start a bundled program with the Node.js shipped beside it. */

const DIGEST_MARK = '@DIGEST@';

/** `bin/` name to the file in `lib/` that it runs. */
export const LAUNCHERS = {
  fleet: 'fleet',
  'fleet-host-agent': 'host-agent',
  'fleet-controller': 'controller',
  'fleet-launch': 'launch',
} as const;

/**
 * The host-agent allocates little, works little and lives long: a small young generation saves 8 MB, and compilers that
 * wait until code has proved hot fifty times longer than usual save 14 MB more, for nothing that could be measured.
 * The controller's young generation grows to two halves of 64 MB where it may: full of beats that are over, but for the few
 * last ones of each host. A smaller one is 100 MB less, and the pause of a collection 6 ms instead of 28.
 */
const NODE_FLAGS: Readonly<Record<string, readonly string[]>> = {
  controller: ['--max-semi-space-size=16'],
  'host-agent': [
    '--max-semi-space-size=1',
    '--invocation-count-for-maglev=20000',
    '--invocation-count-for-maglev-osr=5000',
    '--invocation-count-for-turbofan=200000',
    '--invocation-count-for-osr=50000',
  ],
};

// The user's NODE_OPTIONS and NODE_PATH are meant for the user's own programs. The cache is named after the
// version, so that it can be removed together with it.
export const launcherTemplate = (program: string): string => `#!/bin/sh
# Runs lib/${program}.mjs of the version that this file belongs to, with the Node.js of that version.
self=$0
[ -h "$self" ] && self=$(readlink -f -- "$self")
case $self in */*) ;; *) self=./$self ;; esac
root=\${self%/*}/..
unset NODE_OPTIONS NODE_PATH
cache=\${XDG_CACHE_HOME:-\${HOME:+$HOME/.cache}}
[ -n "$cache" ] && export NODE_COMPILE_CACHE="$cache/fleet/${DIGEST_MARK}"
exec "$root/node/bin/node" ${(NODE_FLAGS[program] ?? []).map((flag) => `${flag} `).join('')}"$root/lib/${program}.mjs" "$@"
`;

export const withDigest = (template: string, digest: string): string => template.replaceAll(DIGEST_MARK, digest);
