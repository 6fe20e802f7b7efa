/** Of the Kubernetes API, what is looked at here; optional is what some kind of object has. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly replicas?: number;
    /** Of a Service: labels. Of a workload: `matchLabels`. */
    readonly selector?: Readonly<Record<string, unknown>>;
    readonly ports?: readonly unknown[];
    readonly template?: { readonly metadata: { readonly labels: unknown }; readonly spec: Pod };
  };
}

export interface Pod {
  readonly containers: readonly [Container];
  readonly volumes?: ReadonlyArray<{ readonly name: string; readonly secret?: { readonly secretName: string } }>;
  readonly securityContext?: { readonly runAsNonRoot?: boolean };
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly terminationGracePeriodSeconds?: number;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly envFrom?: ReadonlyArray<{ readonly configMapRef: { readonly name: string } }>;
  readonly ports?: ReadonlyArray<{ readonly name: string; readonly containerPort: number }>;
  readonly livenessProbe?: HttpProbe;
  readonly readinessProbe?: HttpProbe;
  readonly resources?: { readonly limits?: { readonly memory?: string } };
  readonly volumeMounts?: ReadonlyArray<{ readonly name: string; readonly mountPath: string }>;
  readonly securityContext?: {
    readonly allowPrivilegeEscalation?: boolean;
    readonly readOnlyRootFilesystem?: boolean;
    readonly capabilities?: { readonly drop?: readonly string[] };
  };
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly configMapKeyRef: { readonly name: string; readonly key: string } };
}

export interface HttpProbe {
  readonly httpGet?: { readonly path: string; readonly port: string | number };
}

/** Of kustomize, what this repository uses. */
export interface Kustomization {
  readonly resources: readonly string[];
  readonly configMapGenerator?: readonly Generator[];
  readonly secretGenerator?: readonly Generator[];
}

export interface Generator {
  readonly name: string;
  readonly behavior?: string;
  readonly envs?: readonly string[];
  readonly files?: readonly string[];
}
