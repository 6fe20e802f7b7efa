import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadSettings } from '@libs/config';
import { entryOf } from '../support/processes.js';
import type { Deployment } from './deployment.js';
import { fleet, portOf, sandboxPorts, secretsOf, services } from './fleet.js';
import { composeDeployments, readCompose } from './read-compose.js';
import type { KubernetesObject } from './kubernetes-objects.js';
import { kubernetesDeployments, readManifests, readSecretTemplate, type Manifests } from './read-kubernetes.js';

const compose = readCompose();
const demo = readManifests('deploy/kubernetes/demo');
const bare = readManifests('deploy/kubernetes/base');
const base = {
  ...bare,
  secrets: { ...bare.secrets, ...readSecretTemplate('deploy/kubernetes/base/secrets.example.yaml') },
};
const deployments = {
  compose: composeDeployments(compose),
  demo: kubernetesDeployments('demo', demo),
  base: kubernetesDeployments('base', base),
};
const all = Object.values(deployments).flat();
const running = all.filter(({ name }) => name !== 'topics-apply');
/** An object of the demo that must be there. */
function find(manifests: Manifests, kind: string, name: string): KubernetesObject {
  const found = manifests.objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}
/** The container of each pod that stays. */
const containers = demo.objects.flatMap(({ kind, spec }) =>
  kind === 'Deployment' || kind === 'StatefulSet' ? (spec.template?.spec.containers ?? []) : [],
);
const read = (file: string) => readFileSync(file, 'utf8');

/** A value for a secret that is mounted: what its file would hold. */
const SECRET = 'a-secret-of-the-installation';

/** The environment with the mounted secrets read. Errors: a `*_FILE` that names no mounted secret. */
function withSecrets({ env, secretFiles, where }: Deployment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => {
      if (!name.endsWith('_FILE')) return [name, value];
      if (!secretFiles.includes(value)) throw new Error(`${where}: ${name}: ${value} is not mounted`);
      return [name.replace(/_FILE$/, ''), SECRET];
    }),
  );
}

/** Properties of a broker that the sync relies on, or that one broker needs. */
const brokerProperties = [
  'auto.create.topics.enable',
  'offsets.topic.replication.factor',
  'transaction.state.log.replication.factor',
  'transaction.state.log.min.isr',
  'share.coordinator.state.topic.replication.factor',
  'share.coordinator.state.topic.min.isr',
  'group.initial.rebalance.delay.ms',
];

interface PrometheusConfig {
  readonly scrape_configs: ReadonlyArray<{
    readonly job_name: string;
    readonly dns_sd_configs: ReadonlyArray<{ readonly names: string[]; readonly type: string; readonly port: number }>;
  }>;
}

describe('every container of ours', () => {
  it.each(Object.entries(deployments))('in %s is one of the fleet, and none is missing', (kind, found) => {
    const expected = Object.keys(fleet).filter((name) => kind !== 'base' || name !== 'sandbox');
    expect(found.map(({ name }) => name).toSorted()).toEqual(expected.toSorted());
  });

  it('covers every app that exists, but the one that composes the others', () => {
    const apps = readdirSync('apps').filter((app) => app !== 'standalone');
    expect(
      Object.keys(fleet)
        .filter((name) => name !== 'topics-apply')
        .toSorted(),
    ).toEqual(apps.toSorted());
  });

  it.each(all)('$where starts with the command that the tests run', ({ name, command }) => {
    expect(command).toEqual(fleet[name]?.command);
  });

  it.each(all)('$where sets what its schema has, all that is required, and values that pass', (deployment) => {
    const { settings } = fleet[deployment.name]!;
    const environment = withSecrets(deployment);
    expect(Object.keys(environment).filter((name) => !(name in settings.shape))).toEqual([]);
    expect(() => loadSettings(deployment.name, settings, environment)).not.toThrow();
    if ('KAFKA_BROKERS' in settings.shape) expect(environment['KAFKA_BROKERS']).toMatch(/^kafka:9092$/);
  });

  it.each(all)('$where takes each secret from a file, and mounts no other', ({ name, env, secretFiles }) => {
    expect(secretsOf(fleet[name]!.settings).filter((secret) => secret in env)).toEqual([]);
    expect(Object.values(env)).toEqual(expect.arrayContaining([...secretFiles]));
  });

  it.each(running)(
    '$where binds to all addresses and is probed at its own port',
    ({ name, env, probes, ports, where }) => {
      expect(env['HTTP_HOST']).toBe('0.0.0.0');
      const port = name === 'sandbox' ? sandboxPorts.get('ADMIN') : portOf(name);
      if (env['HTTP_PORT'] !== undefined) expect(Number(env['HTTP_PORT'])).toBe(port);
      expect(probes.ready).toEqual({ path: '/health/ready', port });
      if (!where.startsWith('docker-compose.yml')) {
        expect(probes.live).toEqual({ path: '/health/live', port });
        expect(ports).toEqual(name === 'sandbox' ? [...sandboxPorts.values()] : [port]);
      }
    },
  );

  it.each(all)('$where may do no more than it needs', ({ hardening }) => {
    expect(hardening).toEqual({ readOnlyRoot: true, dropsAll: true, noNewPrivileges: true });
  });

  it.each(running)('$where can write where it must, and reads its mappings from a mount', ({ name, mounts }) => {
    expect(mounts).toEqual(expect.arrayContaining(['/tmp', '/data']));
    expect(mounts.includes('/app/mappings')).toBe('MAPPINGS_DIR' in fleet[name]!.settings.shape);
  });

  it.each(running.filter(({ name }) => name !== 'sandbox'))(
    '$where is given the time to drain',
    ({ stopGraceSeconds }) => {
      expect(stopGraceSeconds).toBeGreaterThanOrEqual(30);
    },
  );

  it('runs in the same number everywhere, and the two singletons with one standby', () => {
    const replicas = (found: readonly Deployment[]) => new Map(found.map(({ name, replicas: count }) => [name, count]));
    const [inCompose, inBase] = [replicas(deployments.compose), replicas(deployments.base)];
    for (const [name, count] of inBase) expect([name, count]).toEqual([name, inCompose.get(name)]);
    expect([inBase.get('cdc-listener'), inBase.get('iterable-writer')]).toEqual([2, 2]);
  });
});

describe('docker-compose.yml', () => {
  it('applies the topics when Kafka answers, and starts the services after that', () => {
    expect(compose.services['topics-apply']?.depends_on).toEqual({ kafka: { condition: 'service_healthy' } });
    for (const name of services)
      expect(compose.services[name]?.depends_on['topics-apply']).toEqual({
        condition: 'service_completed_successfully',
      });
  });

  it('has a health check on everything that stays', () => {
    const stay = Object.entries(compose.services).filter(([name]) => name !== 'topics-apply');
    expect(stay.filter(([, { healthcheck }]) => healthcheck?.test === undefined)).toEqual([]);
  });

  it('opens ports to this machine only', () => {
    const published = Object.values(compose.services).flatMap(({ ports = [] }) => ports);
    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    expect(compose.services['console']?.ports).toEqual([`127.0.0.1:${portOf('console')}:${portOf('console')}`]);
    expect(compose.services['sandbox']?.ports).toEqual(
      [...sandboxPorts.values()].map((port) => `127.0.0.1:${port}:${port}`),
    );
  });

  it('gives the sandbox, and only it, public secrets', () => {
    for (const { file } of Object.values(compose.secrets)) expect(read(file)).toBe('sandbox\n');
  });
});

describe('deploy/kubernetes', () => {
  it('mounts the mappings of this repository', () => {
    const files = readdirSync('mappings');
    expect(base.configMaps['mappings']).toEqual(Object.fromEntries(files.map((file) => [file, `mappings/${file}`])));
  });

  it('keeps the name of their ConfigMap, so that an edit reaches running pods and rolls none', () => {
    const { configMapGenerator } = parse(readFileSync('deploy/kubernetes/base/kustomization.yaml', 'utf8')) as {
      configMapGenerator: ReadonlyArray<{ name: string; options?: { disableNameSuffixHash?: boolean } }>;
    };
    const kept = configMapGenerator.filter(({ options }) => options?.disableNameSuffixHash === true);
    expect(kept.map(({ name }) => name)).toEqual(['mappings']);
    // A file mounted by subPath is never updated
    for (const { spec } of base.objects.filter(({ kind }) => kind === 'Deployment')) {
      expect(JSON.stringify(spec)).not.toContain('subPath');
    }
  });

  it.each([
    ['base', base],
    ['demo', demo],
  ])('%s has a Service at the port of each app, annotated for Prometheus', (_, manifests) => {
    for (const app of services) {
      const service = find(manifests, 'Service', app);
      const port = portOf(app);
      expect(service.spec.ports).toEqual([{ name: 'http', port, targetPort: 'http' }]);
      expect(service.metadata.annotations).toEqual({
        'prometheus.io/scrape': 'true',
        'prometheus.io/port': String(port),
        'prometheus.io/path': '/metrics',
      });
    }
  });

  it('selects the pods of its own workload with each Service', () => {
    const found = demo.objects.filter(({ kind }) => kind === 'Service');
    const workloads = demo.objects.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
    for (const { spec } of workloads) expect(spec.template?.metadata.labels).toEqual(spec.selector?.['matchLabels']);
    const selected = new Map(found.map(({ metadata, spec }) => [metadata.name, spec.selector]));
    expect(selected).toEqual(
      new Map(workloads.map(({ metadata, spec }) => [metadata.name, spec.selector?.['matchLabels']])),
    );
  });

  it('probes and limits every container', () => {
    const bad = containers.filter((one) => !one.livenessProbe || !one.readinessProbe || !one.resources?.limits?.memory);
    expect(bad.map(({ name }) => name)).toEqual([]);
  });

  it('takes the secrets of the demo from the public files of the sandbox', () => {
    const files = Object.values(demo.secrets).flatMap((keys) => Object.values(keys));
    expect(new Set(files)).toEqual(new Set(['deploy/sandbox/credential', 'deploy/sandbox/console-token']));
    expect(Object.keys(demo.secrets).toSorted()).toEqual(Object.keys(base.secrets).toSorted());
  });
});

describe('what the parts say about each other', () => {
  it.each(all.filter(({ name }) => name === 'console'))('$where knows where to ask each service', ({ env }) => {
    const others = services.filter((app) => app !== 'console');
    expect(env['CONSOLE_SERVICES']?.split(',')).toEqual(others.map((app) => `${app}=http://${app}:${portOf(app)}`));
  });

  it.each([...deployments.compose, ...deployments.demo])('$where finds the sandbox at its ports', ({ env }) => {
    const [salesforce, iterable] = ['SALESFORCE', 'ITERABLE'].map((door) => `http://sandbox:${sandboxPorts.get(door)}`);
    if (env['SALESFORCE_LOGIN_URL'] !== undefined) expect(env['SALESFORCE_LOGIN_URL']).toBe(salesforce);
    if (env['ITERABLE_BASE_URL'] !== undefined) expect(env['ITERABLE_BASE_URL']).toBe(iterable);
  });

  it('has Prometheus scrape each service at its port, and nothing else', () => {
    const { scrape_configs: jobs } = parse(read('deploy/prometheus/prometheus.yml')) as PrometheusConfig;
    const found = jobs.map(({ job_name: job, dns_sd_configs: targets }) => [
      job,
      targets.map(({ names, type, port }) => [names, type, port]),
    ]);
    expect(found).toEqual(services.map((app) => [app, [[[app], 'A', portOf(app)]]]));
    expect(demo.configMaps['prometheus']).toEqual({ 'prometheus.yml': 'deploy/prometheus/prometheus.yml' });
  });

  it('runs one version of Kafka, set up as the broker of the tests', () => {
    const version = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(read('tools/kafka/pom.xml'))?.[1];
    const inCompose = compose.services['kafka']!;
    const inKubernetes = containers.find(({ name }) => name === 'kafka')!;
    expect([inCompose.image, inKubernetes.image]).toEqual([`apache/kafka:${version}`, `apache/kafka:${version}`]);

    const settings = new Map(inKubernetes.env?.map(({ name, value }) => [name, value]));
    for (const [name, value] of settings) {
      const hasHostListener = /LISTENERS$|PROTOCOL_MAP$/.test(name);
      if (!hasHostListener) expect([name, String(inCompose.environment[name])]).toEqual([name, value]);
    }
    const broker = read('tools/kafka/broker.mjs');
    for (const property of brokerProperties) {
      const value = broker.split('\n').find((line) => line.startsWith(`${property}=`));
      const variable = `KAFKA_${property.toUpperCase().replaceAll('.', '_')}`;
      expect(value).toBe(`${property}=${settings.get(variable)}`);
    }
  });

  it('runs one version of Prometheus', () => {
    const inKubernetes = containers.find(({ name }) => name === 'prometheus');
    expect(inKubernetes?.image).toBe(compose.services['prometheus']?.image);
  });
});

describe('Dockerfile', () => {
  const instructions = read('Dockerfile')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const);
  const rests = (name: string) => instructions.filter(([instruction]) => instruction === name).map(([, rest]) => rest);

  it('builds and runs on the pinned Node', () => {
    for (const from of rests('FROM')) expect(from.split(' ')[0]).toBe(`node:${read('.nvmrc').trim()}-slim`);
  });

  it('starts standalone, not as root, by the command of npm start', () => {
    const start = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts['start'];
    expect(JSON.parse(rests('CMD').at(-1) ?? '[]')).toEqual(['node', entryOf('standalone')]);
    expect(start).toBe(`node ${entryOf('standalone')}`);
    expect(rests('USER')).toEqual(['1000:1000']);
  });

  it('copies what exists and what .dockerignore lets through', () => {
    const letThrough = new Set(
      read('.dockerignore')
        .split('\n')
        .filter((line) => line.startsWith('!'))
        .map((line) => line.slice(1)),
    );
    const sources = rests('COPY')
      .filter((rest) => !rest.startsWith('--from'))
      .flatMap((rest) => rest.split(' ').slice(0, -1));
    expect(sources.filter((source) => !existsSync(source) || !letThrough.has(source))).toEqual([]);
  });
});
