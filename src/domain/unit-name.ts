/** The unit under which an agent is launched: its name from the agent's, and back. */

const AGENT_UNIT = /^mosaic-agent@(.+)\.service$/;

/** Of the agent `*` it is the pattern of them all, of the agent `` their template. */
export const agentUnit = (agent: string): string => `mosaic-agent@${agent}.service`;

/** null: the unit is no agent's. */
export const agentOfUnit = (unit: string): string | null => AGENT_UNIT.exec(unit)?.[1] ?? null;
