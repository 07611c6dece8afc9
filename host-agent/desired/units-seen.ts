/** What systemd says that bears on one agent, as the rows have it: for whoever looks at many agents, and changes none. */
import { HOLDER_UNIT } from '../../src/domain/holder.ts';
import type { UnitFacts } from './agent-facts.ts';
import type { DesiredPorts } from './ports.ts';

export const unitFactsSeen = ({ lifecycle, unitsSeen }: DesiredPorts, agent: string): UnitFacts => {
  const name = lifecycle.unitOf(agent);
  const [unit, holder] = [name, HOLDER_UNIT].map((each) => unitsSeen().get(each));
  const loadState = (seen: unknown): string => (seen === undefined ? 'not-found' : 'loaded');
  return {
    unit: { name, loadState: loadState(unit), activeState: unit?.activeState ?? 'inactive' },
    file: {
      state: unit?.unitFileState ?? null,
      fragmentPath: unit?.fragmentPath ?? null,
      needsReload: unit?.needsReload ?? false,
      activeSinceMs: unit?.sinceMs ?? null,
    },
    // Which of two files a unit would be made of is the deploy's own question.
    hasTemplate: false,
    holder: { loadState: loadState(holder), state: holder?.unitFileState ?? null },
  };
};
