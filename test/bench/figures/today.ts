/**
 * The question of every day, "what does each agent on both machines do", asked on W-jarvis: by ssh as people do it today,
 * fresh and over a warm connection, and by `fleet ps`; in turn, round after round, timed there.
 */
import { type Figure, figure, measured, notMeasured } from '../harness/figure.ts';
import { MachineLoad } from '../harness/process-cost.ts';
import { median, summary } from '../harness/statistics.ts';
import { type TwoHosts, twoHosts } from '../places/two-hosts.ts';

const ROUNDS = 20;
const NAMES = ['ssh_fresh', 'ssh_warm', 'fleet_ps', 'fleet_ps_json'] as const;
const TIMEOUT_MS = 120_000;

/** Run by bash, as jarvis; prints `name microseconds`. Today's way reads this machine directly and the other by ssh. */
const SCRIPT = `
format='#{session_name} #{pane_pid} #{pane_current_command} #{pane_dead}'
units="systemctl --user show 'mosaic-agent@*' -p Id,ActiveState,SubState,UnitFileState,MainPID"
read_both() {
  tmux -u -L mosaic-factory list-panes -a -F "$format"; tmux -u list-panes -a -F "$format"; eval "$units"
  ssh -n -o BatchMode=yes "$@" jwoltje@dragon-lin "tmux -u list-panes -a -F '$format'; $units"
}
ssh_fresh() { read_both -o ControlPath=none; }
ssh_warm() { read_both -o ControlPath="$HOME/.bench-ssh"; }
fleet_ps() { "$HOME/.local/bin/fleet" ps; }
fleet_ps_json() { "$HOME/.local/bin/fleet" ps -o json; }
timed() {
  local from=\${EPOCHREALTIME/./}
  "$1" > /dev/null 2>&1
  local to=\${EPOCHREALTIME/./}
  echo "$1 $((to - from))"
}
ssh -n -o BatchMode=yes -M -S "$HOME/.bench-ssh" -N -f jwoltje@dragon-lin > /dev/null 2>&1
trap 'ssh -S "$HOME/.bench-ssh" -O exit jwoltje@dragon-lin 2> /dev/null' EXIT
for name in ${NAMES.join(' ')}; do
  "$name" 2>&1 | grep -q coder0-0 || { echo "$name does not show coder0-0"; exit 1; }
done
for round in $(seq ${ROUNDS}); do for name in ${NAMES.join(' ')}; do timed "$name"; done; done
`;

export const today: Figure = figure({
  name: 'today',
  about: `both machines' agents by ssh, as today, and by fleet ps, ${ROUNDS} rounds`,
  place: twoHosts,
  async *measure({ pair, why }: TwoHosts) {
    if (pair === null) {
      yield notMeasured('today.fleet-ps', 'ms', null, why);
      return;
    }
    const load = new MachineLoad();
    const said = await pair.jarvis.ssh('jarvis', 'bash -s', { input: SCRIPT, timeoutMs: TIMEOUT_MS });
    if (said.exitCode !== 0) throw new Error(`on W-jarvis: ${said.stdout.slice(-300)}${said.stderr.slice(-300)}`);
    const lines = said.stdout.trim().split('\n');
    const of = (name: (typeof NAMES)[number]): number[] =>
      lines.filter((line) => line.startsWith(`${name} `)).map((line) => Number(line.split(' ')[1]) / 1_000);
    const fleetMs = median(of('fleet_ps'));
    yield measured('today.fleet-ps', fleetMs, 'ms', null, {
      ...Object.fromEntries(NAMES.map((name) => [`${name}_ms`, summary(of(name))])),
      ssh_fresh_over_fleet: median(of('ssh_fresh')) / fleetMs,
      ssh_warm_over_fleet: median(of('ssh_warm')) / fleetMs,
      of: 'two machines; by ssh one after the other, each further machine costs its own time again',
      machine_busy_percent: load.busyPercent,
    });
  },
});
