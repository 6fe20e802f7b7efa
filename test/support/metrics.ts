import type { ServiceProcess } from './processes.js';

/** One sample of a service's metrics, e.g. `sync_writer_active` or `sync_consumer_lag_records{group="a",topic="b"}`; 0 when there is none. */
export async function sample(service: Pick<ServiceProcess, 'url'>, name: string): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}

/** The instance whose gauge is 1. */
export async function activeOf(instances: readonly ServiceProcess[], gauge: string): Promise<ServiceProcess | null> {
  for (const instance of instances) if ((await sample(instance, gauge).catch(() => 0)) === 1) return instance;
  return null;
}
