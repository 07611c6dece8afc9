/** What the bench tells a process of simulated hosts, and what it answers. */

export interface SwarmOrders {
  /** Enrols each of these and starts to report; answered when all have an identity. */
  enrol: { folder: string; agentsPerHost: number; hosts: { host: string; token: string }[] };
  /** Changes of rows a second, over all hosts of this process; 0 ends it. */
  churn: { perSecond: number };
}

export type SwarmOrder = { [Name in keyof SwarmOrders]: { order: Name } & SwarmOrders[Name] }[keyof SwarmOrders];

export interface SwarmAnswer {
  done: keyof SwarmOrders;
  /** Changes made since the last such answer. */
  changes: number;
}
