export declare const KAFKA_VERSION: string;

/** Something that a person has to install or free. */
export declare class BrokerUnavailableError extends Error {}

/** A broker of our own. */
export interface Broker {
  /** `host:port`. */
  readonly brokers: string;
  /** `host:port` of the listener that asks who is there, if one was wanted. */
  readonly saslBrokers?: string;
  readonly port: number;
  readonly dataDir: string;
  readonly pid: number | undefined;
  /** SIGKILL; the data stays. */
  kill(): Promise<void>;
  /** Starts it again after {@link kill}, on the same port with the same data. */
  restart(): Promise<void>;
  /** Stops it, and removes its data unless the directory was given. */
  stop(): Promise<void>;
}

/** Where the jars are kept. */
export declare function jarDirectory(): string;

/** Resolves the jars through Maven, once a machine. Returns their directory. */
export declare function resolveJars(): Promise<string>;

/** Starts a broker and waits until it answers. Errors: {@link BrokerUnavailableError} saying what to install. */
export declare function startBroker(options?: {
  readonly port?: number;
  readonly dataDir?: string;
  /** Opens a listener more, for this user: PLAIN and SCRAM-SHA-512. */
  readonly sasl?: { readonly username: string; readonly password: string };
}): Promise<Broker>;
