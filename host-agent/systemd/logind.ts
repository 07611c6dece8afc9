/**
 * Whether logind ends a user's processes at logout: its own word over the system bus, since the default differs
 * between distributions and a configuration file only counts after a restart. Null: nobody to ask.
 */
import { Bus } from './bus.ts';

export const SYSTEM_BUS = '/run/dbus/system_bus_socket';
const LOGIND = 'org.freedesktop.login1';

export const killUserProcesses = async (systemBusPath: string): Promise<boolean | null> => {
  let bus: Bus | null = null;
  try {
    bus = await Bus.open(systemBusPath);
    const [value] = await bus.call({
      destination: LOGIND,
      path: '/org/freedesktop/login1',
      interface: 'org.freedesktop.DBus.Properties',
      member: 'Get',
      signature: 'ss',
      body: [`${LOGIND}.Manager`, 'KillUserProcesses'],
    });
    return typeof value === 'boolean' ? value : null;
  } catch {
    return null;
  } finally {
    bus?.close();
  }
};
