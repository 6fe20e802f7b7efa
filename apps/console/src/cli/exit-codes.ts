/** Exit codes of `sync`, the same for every verb. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What each says, for the help and the docs. */
export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  0: 'it worked; a watched backfill or redrive completed; status found nothing that needs attention',
  1: 'it failed: a backfill or redrive was rejected or failed, there is no such dead letter, mapping files are refused or have mistakes, a topic is not as wanted, status says Attention',
  2: 'bad usage or settings: an unknown option, a refused request, no token or a wrong one',
  3: 'the console or the brokers cannot be reached, or the console cannot reach what it must ask',
};

/** Ends the command: one clear sentence that says what to do, and the exit code. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    message: string,
    readonly exitCode: ExitCode,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
