/** Longest address that mail can be sent to, characters. Source: RFC 5321 §4.5.3.1.3, with its erratum 1690. */
const MAX_EMAIL_LENGTH = 254;
/** Longest part before the @, characters. Source: RFC 5321 §4.5.3.1.1. */
const MAX_LOCAL_LENGTH = 64;

const ATOM = String.raw`[^\s\p{Cc}()<>@,;:\\".\[\]]+`;
const LABEL = String.raw`[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?`;
const TOP_LABEL = String.raw`(?:[\p{L}\p{M}]{2,63}|xn--[a-z0-9-]{1,59})`;
const ADDRESS = new RegExp(String.raw`^${ATOM}(?:\.${ATOM})*@(?:${LABEL}\.)+${TOP_LABEL}$`, 'u');

/** An address as Iterable stores it: without blanks around it, in lower case. Source: facts/iterable.md §3. */
export function normalizeEmail(text: string): string {
  return text.trim().toLowerCase();
}

/**
 * Could Iterable take this normalised address? It follows the form that Iterable documents (Apache Commons' validator:
 * dotted atoms, a host name with a dot, international letters allowed) and leaves what is in doubt, such as whether the
 * top-level domain exists, to Iterable's own verdict. Not accepted though legal: quoted local parts and address literals.
 */
export function isUsableEmail(email: string): boolean {
  return email.length <= MAX_EMAIL_LENGTH && email.indexOf('@') <= MAX_LOCAL_LENGTH && ADDRESS.test(email);
}
