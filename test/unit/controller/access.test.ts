import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ACCESS } from '../../../controller/grpc/access.ts';
import { AdminServiceService } from '../../../src/wire/gen/fleet/v1/admin.ts';
import { EnrollmentServiceService } from '../../../src/wire/gen/fleet/v1/enrollment.ts';
import { FleetServiceService } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import { HostAgentServiceService } from '../../../src/wire/gen/fleet/v1/host_agent.ts';

const SERVICES = [AdminServiceService, EnrollmentServiceService, FleetServiceService, HostAgentServiceService];
const paths = SERVICES.flatMap((service) => Object.values(service).map(({ path }) => path as string));

describe('the table of the door', () => {
  it.each(paths)('has a row for %s', (path) => {
    expect(ACCESS.has(path)).toBe(true);
  });

  it('was asked about every service of the contract', () => {
    const folder = new URL('../../../proto/fleet/v1/', import.meta.url);
    const declared = readdirSync(folder).flatMap((file) =>
      [...readFileSync(new URL(file, folder), 'utf8').matchAll(/^service (\w+)/gm)].map(([, name]) => name),
    );
    const known = new Set(paths.map((path) => path.split('/')[1]?.replace('fleet.v1.', '')));
    expect([...known].sort()).toEqual(declared.sort());
  });

  it('has no row for a call that does not exist', () => {
    const ours = [...ACCESS.keys()].filter((path) => path.startsWith('/fleet.'));
    expect(ours.sort()).toEqual([...paths].sort());
  });

  it('lets strangers enrol, renew and use an invitation, and nothing else', () => {
    const open = [...ACCESS].filter(([, { kinds }]) => kinds.includes('none')).map(([path]) => path);
    expect(open.sort()).toEqual([
      '/fleet.v1.EnrollmentService/Enroll',
      '/fleet.v1.EnrollmentService/JoinPeer',
      '/fleet.v1.EnrollmentService/Renew',
    ]);
  });

  it('never relays an admin call: no host and no other controller may make one', () => {
    const admin = [...ACCESS].filter(([path]) => path.startsWith('/fleet.v1.AdminService/'));
    expect(admin.filter(([, { kinds }]) => kinds.some((kind) => kind !== 'operator' && kind !== 'local'))).toEqual([]);
    const changing = admin.filter(([path]) => !/List|Status|Audit/.test(path));
    expect(changing.filter(([, { audit, role }]) => audit !== 'before' || role !== 'admin')).toEqual([]);
  });

  it('has whatever types into an agent written down first, by operators at least; strokes by the lease they need', () => {
    const row = (call: string) => ACCESS.get(`/fleet.v1.FleetService/${call}`);
    for (const call of ['SendText', 'PressKeys', 'AnswerPrompt']) {
      expect(row(call)).toMatchObject({ verb: 'send', role: 'operator', audit: 'before' });
    }
    expect(row('ControlAgent')).toMatchObject({ verb: 'lifecycle', role: 'operator', audit: 'before' });
    expect(row('HoldTerminal')).toMatchObject({ verb: 'takeover', role: 'operator', audit: 'before' });
    expect(row('TypeKeys')).toMatchObject({ verb: 'takeover', role: 'operator', audit: 'none' });
    for (const call of ['WatchTerminal', 'TailTerminal', 'ExplainAgent', 'GetOrder']) {
      expect(row(call)).toMatchObject({ verb: 'read', role: 'viewer', audit: 'queued' });
    }
  });
});
