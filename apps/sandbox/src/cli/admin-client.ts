/** The admin port refused, or nobody listens there; the message is for the person at the terminal. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
}

/** Speaks to a running sandbox. Errors: {@link AdminError} with the sandbox's own words. */
export async function callAdmin(
  baseUrl: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  let response: Response;
  try {
    response = await fetch(new URL(path, baseUrl), {
      method,
      headers: { 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw new AdminError(`no sandbox answers at ${baseUrl}; start one with 'sandbox serve', or give --url`, {
      cause: error,
    });
  }
  const text = await response.text();
  const answer = parse(text);
  if (!response.ok || answer === null) {
    const said = typeof answer?.['error'] === 'string' ? answer['error'] : text.slice(0, 200);
    throw new AdminError(`the sandbox refused (${response.status}): ${said}`);
  }
  return answer;
}

function parse(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown> | null;
  } catch {
    return null; // not JSON: shown as it is
  }
}
