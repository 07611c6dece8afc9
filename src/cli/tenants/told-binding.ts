import { cleanText } from '../../domain/clean-text.ts';
import type { CommandContext } from '../command.ts';
import { jsonText } from '../render/json.ts';

export interface ToldBinding {
  host: string;
  user: string;
  tenantId: string;
  previousTenantId: string;
  enrolled: boolean;
  withdrawnVerbs: readonly string[];
}

/** Whose a user on a host is now, and what that cost its callers. */
export const tellBinding = ({ flags, stdout, stderr }: CommandContext, told: ToldBinding): void => {
  const { host, user, tenantId, previousTenantId, enrolled, withdrawnVerbs } = told;
  if (flags.output === 'json') {
    const document = {
      schema: 'fleet.binding/v1',
      host,
      user,
      tenant_id: tenantId,
      previous_tenant_id: previousTenantId,
      enrolled,
      withdrawn_verbs: withdrawnVerbs,
    };
    stdout.write(`${jsonText(document)}\n`);
  } else stdout.write(`${cleanText(bindingWords(told))}\n`);
  if (withdrawnVerbs.length === 0) return;
  const verbs = withdrawnVerbs.join(' ');
  const words = `what its callers were allowed elsewhere is withdrawn: "fleet host allow ${host}/${user} ${verbs}" allows it anew`;
  stderr.write(`${cleanText(words)}\n`);
};

const bindingWords = ({ host, user, tenantId, previousTenantId, enrolled }: ToldBinding): string => {
  const pair = `${host}/${user}`;
  if (!enrolled) return `${pair} will belong to ${tenantId} once it is enrolled`;
  return previousTenantId === tenantId
    ? `${pair} belongs to ${tenantId}, as before`
    : `${pair} belongs to ${tenantId} now, no more to ${previousTenantId}`;
};
