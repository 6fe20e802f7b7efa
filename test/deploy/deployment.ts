/** A container of ours as deployed, whatever the file says it in: what compose and the manifests have in common. */
export interface Deployment {
  /** File and name, for messages. */
  readonly where: string;
  readonly name: string;
  readonly command: readonly string[];
  readonly replicas: number;
  /** Variables as the container gets them, defaults filled in. */
  readonly env: Readonly<Record<string, string>>;
  /** Files of secrets, as the container sees them. */
  readonly secretFiles: readonly string[];
  /** Paths that are mounted; only these are writable, or differ from the image. */
  readonly mounts: readonly string[];
  /** Ports by which others reach it. */
  readonly ports: readonly number[];
  /** URL paths that are probed, each with its port. */
  readonly probes: { readonly live?: Probe; readonly ready?: Probe };
  readonly hardening: { readonly readOnlyRoot: boolean; readonly dropsAll: boolean; readonly noNewPrivileges: boolean };
  readonly stopGraceSeconds: number;
}

export interface Probe {
  readonly path: string;
  readonly port: number;
}
