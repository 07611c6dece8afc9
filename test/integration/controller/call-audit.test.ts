import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { AuditLog } from '../../../controller/audit/audit-log.ts';
import { ACCESS } from '../../../controller/grpc/access.ts';
import { CallAudit } from '../../../controller/grpc/call-audit.ts';
import { LOCAL_CALLER } from '../../../controller/tenancy/caller.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';
import { StoreGround } from '../../helpers/store-ground.ts';

const PATH = '/fleet.v1.AdminService/CreateToken';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

it('a caller who is refused for ever leaves no memory behind once each refusal is written', async () => {
  const ground = new StoreGround();
  const clock = new MovedClock();
  const log = silentLogger();
  const audit = new AuditLog(ground.store, clock, log);
  const calls = new CallAudit({ audit, clock, log });
  const refuse = async (count: number): Promise<number> => {
    for (let each = 0; each < count; each++) {
      calls.refused(PATH, ACCESS.get(PATH), LOCAL_CALLER, 'not theirs');
      if (each % 100 === 0) await calls.denialsWritten();
    }
    await calls.denialsWritten();
    collect();
    return process.memoryUsage().heapUsed;
  };
  try {
    const before = await refuse(10_000);
    expect((await refuse(100_000)) - before).toBeLessThan(2_000_000);
  } finally {
    ground.remove();
  }
});
