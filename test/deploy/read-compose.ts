import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Deployment, Probe } from './deployment.js';

/** Of the Compose specification, what is looked at here. */
export interface ComposeService {
  readonly image: string;
  readonly build?: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | number>>;
  readonly depends_on: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: { readonly replicas: number };
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly ports?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
}

export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

/** `${NAME:-default}` as a machine without that variable sees it, and `$$` as one dollar. */
function interpolate(text: string): string {
  return text.replaceAll(/\$\{[A-Z_]+:-([^}]*)\}/g, '$1').replaceAll('$$', '$');
}

export function readCompose(file = 'docker-compose.yml'): Compose {
  return parse(interpolate(readFileSync(file, 'utf8')), { merge: true }) as Compose;
}

/** `30s` or `1m`. */
function seconds(duration: string): number {
  const match = /^(\d+)(s|m)$/.exec(duration);
  if (match === null) throw new Error(`not a duration: ${duration}`);
  return Number(match[1]) * (match[2] === 'm' ? 60 : 1);
}

/** The health check is Node code: which variable holds its port, and which path it asks for. */
function probeOf(test: readonly string[], env: Readonly<Record<string, string>>): Probe | undefined {
  const match = /127\.0\.0\.1:\$\{process\.env\.([A-Z_]+)\}(\/[a-z/]+)/.exec(test.join(' '));
  if (match === null || test[0] !== 'CMD' || test[1] !== 'node') return undefined;
  return { path: match[2] ?? '', port: Number(env[match[1] ?? '']) };
}

/** The services that run our image. */
export function composeDeployments(compose: Compose): Deployment[] {
  return Object.entries(compose.services)
    .filter(([, { build }]) => build !== undefined)
    .map(([name, service]) => {
      const { tmpfs = [], volumes = [], secrets = [], ports = [], cap_drop: dropped, security_opt: options } = service;
      const env = Object.fromEntries(Object.entries(service.environment).map(([key, value]) => [key, String(value)]));
      return {
        where: `docker-compose.yml: ${name}`,
        name,
        command: service.command,
        replicas: service.deploy?.replicas ?? 1,
        env,
        secretFiles: secrets.map((secret) => `/run/secrets/${secret}`),
        mounts: [...tmpfs, ...volumes.map((volume) => volume.split(':')[1] ?? volume)],
        ports: ports.map((port) => Number(port.split(':').at(-1))),
        probes: { ready: probeOf(service.healthcheck?.test ?? [], env) },
        hardening: {
          readOnlyRoot: service.read_only === true,
          dropsAll: dropped?.includes('ALL') === true,
          noNewPrivileges: options?.includes('no-new-privileges:true') === true,
        },
        stopGraceSeconds: seconds(service.stop_grace_period ?? '10s'),
      };
    });
}
