import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { Deployment, Probe } from './deployment.js';
import type { Container, Kustomization, KubernetesObject } from './kubernetes-objects.js';

export interface Manifests {
  readonly objects: readonly KubernetesObject[];
  /** ConfigMaps by name, their variables or files. */
  readonly configMaps: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Keys of Secrets by name, each with the file that it comes from; `null` where whoever installs it gives it. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string | null>>>>;
}

/** The `NAME=value` lines of a settings file. */
function readEnvFile(file: string): Record<string, string> {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/** `key=path` or a path, whose base name is the key then. */
function readFileEntry(folder: string, entry: string): [key: string, file: string] {
  const [key, path] = entry.includes('=') ? (entry.split('=') as [string, string]) : [entry.split('/').at(-1)!, entry];
  return [key, join(folder, path)];
}

/** What {@link readManifests} understands; of these, `labels` and `images` change nothing that it gives. */
const KNOWN_KEYS = new Set(
  ['apiVersion', 'kind', 'labels', 'images'].concat(['resources', 'configMapGenerator', 'secretGenerator']),
);

const readObjects = <T>(file: string): T[] =>
  parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as T);

/**
 * What `kubectl kustomize` makes of a folder, as far as this repository uses it: resources, folders among them, and
 * generators that add to those of the folder below. Errors: any other feature of kustomize, rather than misreading it.
 */
export function readManifests(folder: string): Manifests {
  const kustomization = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as Kustomization;
  const unknown = Object.keys(kustomization).filter((key) => !KNOWN_KEYS.has(key));
  if (unknown.length > 0) throw new Error(`${folder}: not read here: ${unknown.join(', ')}`);
  const objects: KubernetesObject[] = [];
  const configMaps: Record<string, Record<string, string>> = {};
  const secrets: Record<string, Record<string, string | null>> = {};
  for (const resource of kustomization.resources) {
    if (resource.endsWith('.yaml')) {
      objects.push(...readObjects<KubernetesObject>(join(folder, resource)));
      continue;
    }
    const below = readManifests(join(folder, resource));
    objects.push(...below.objects);
    Object.assign(configMaps, below.configMaps);
    Object.assign(secrets, below.secrets);
  }
  for (const { name, behavior, envs = [], files = [] } of kustomization.configMapGenerator ?? []) {
    if ((configMaps[name] === undefined) !== (behavior === undefined))
      throw new Error(`${folder}: ${name}: ${behavior}`);
    const own = envs.map((file) => readEnvFile(join(folder, file)));
    const named = files.map((entry) => readFileEntry(folder, entry));
    configMaps[name] = Object.assign({}, configMaps[name], ...own, Object.fromEntries(named)) as Record<string, string>;
  }
  for (const { name, files = [] } of kustomization.secretGenerator ?? [])
    secrets[name] = Object.fromEntries(files.map((entry) => readFileEntry(folder, entry)));
  return { objects, configMaps, secrets };
}

/** The keys that whoever installs it has to give. Errors: a template that holds a value. */
export function readSecretTemplate(file: string): Record<string, Record<string, null>> {
  const templates = readObjects<{ metadata: { name: string }; stringData: Record<string, string> }>(file);
  const filled = templates.filter(({ stringData }) => Object.values(stringData).some((value) => value !== ''));
  if (filled.length > 0)
    throw new Error(`${file} holds a value: ${filled.map(({ metadata }) => metadata.name).join()}`);
  return Object.fromEntries(
    templates.map(({ metadata, stringData }) => [
      metadata.name,
      Object.fromEntries(Object.keys(stringData).map((key) => [key, null])),
    ]),
  );
}

function environmentOf(container: Container, { configMaps }: Manifests): Record<string, string> {
  const lookUp = (name: string) => {
    if (configMaps[name] === undefined) throw new Error(`${container.name}: there is no ConfigMap ${name}`);
    return configMaps[name];
  };
  const environment: Record<string, string> = {};
  for (const { configMapRef } of container.envFrom ?? []) Object.assign(environment, lookUp(configMapRef.name));
  for (const { name, value = '', valueFrom } of container.env ?? []) {
    const ref = valueFrom?.configMapKeyRef;
    environment[name] = ref === undefined ? value : (lookUp(ref.name)[ref.key] ?? '');
  }
  return environment;
}

function probeOf(container: Container, kind: 'livenessProbe' | 'readinessProbe'): Probe | undefined {
  const ask = container[kind]?.httpGet;
  if (ask === undefined) return undefined;
  const named = container.ports?.find(({ name }) => name === ask.port);
  return { path: ask.path, port: named?.containerPort ?? Number(ask.port) };
}

/** The Deployments and Jobs that run our image. */
export function kubernetesDeployments(folder: string, manifests: Manifests): Deployment[] {
  return manifests.objects.flatMap(({ metadata, spec }) => {
    const pod = spec.template?.spec;
    if (pod?.containers[0].image !== 'salesforce-iterable-sync') return [];
    const [container] = pod.containers;
    const mounts = container.volumeMounts ?? [];
    const secretFiles = mounts.flatMap(({ name, mountPath }) => {
      const secret = pod.volumes?.find((volume) => volume.name === name)?.secret;
      const keys = secret === undefined ? {} : (manifests.secrets[secret.secretName] ?? {});
      return Object.keys(keys).map((key) => `${mountPath}/${key}`);
    });
    return {
      where: `${folder}: ${metadata.name}`,
      name: metadata.name,
      command: container.command,
      replicas: spec.replicas ?? 1,
      env: environmentOf(container, manifests),
      secretFiles,
      mounts: mounts.map(({ mountPath }) => mountPath),
      ports: container.ports?.map(({ containerPort }) => containerPort) ?? [],
      probes: { live: probeOf(container, 'livenessProbe'), ready: probeOf(container, 'readinessProbe') },
      hardening: {
        readOnlyRoot: container.securityContext?.readOnlyRootFilesystem === true,
        dropsAll: container.securityContext?.capabilities?.drop?.includes('ALL') === true,
        noNewPrivileges:
          container.securityContext?.allowPrivilegeEscalation === false &&
          pod.securityContext?.runAsNonRoot === true &&
          pod.automountServiceAccountToken === false &&
          pod.enableServiceLinks === false,
      },
      stopGraceSeconds: pod.terminationGracePeriodSeconds ?? 30,
    };
  });
}
