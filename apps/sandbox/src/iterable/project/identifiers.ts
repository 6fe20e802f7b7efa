import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { parse } from 'tldts';

const QUOTED = /^"(?:\\.|[^"\\])+"$/;
/** One part between dots: no space, control character or special one. */
const ATOM = /^(?:\\.|[^\s\p{Cc}()<>@,;:\\".[\]])+$/u;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

function isDomain(domain: string): boolean {
  if (domain.startsWith('[') && domain.endsWith(']')) return isIP(domain.slice(1, -1).replace(/^IPv6:/i, '')) !== 0;
  const ascii = domainToASCII(domain);
  const labels = ascii.split('.');
  if (ascii.length > 253 || labels.length < 2 || !labels.every((label) => LABEL.test(label))) return false;
  return parse(ascii, { validateHostname: false, allowPrivateDomains: false }).isIcann === true;
}

/**
 * Would Iterable take this address? Format and known top-level domain, as Apache Commons' EmailValidator judges; nothing is
 * looked up. Source: facts/iterable.md §3.
 */
export function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@');
  if (at < 1 || at > 64) return false;
  const local = text.slice(0, at);
  return (QUOTED.test(local) || local.split('.').every((part) => ATOM.test(part))) && isDomain(text.slice(at + 1));
}

/** The stored form: Iterable keeps addresses lower-case. Plus addresses stay as they are. */
export function normaliseEmail(email: string): string {
  return email.toLowerCase();
}

/** Longest user id, characters. Source: facts/iterable.md §3. */
export const MAX_USER_ID_LENGTH = 52;

const PRINTABLE = /^[\x20-\x7e]*[\x21-\x7e]$/;

/** Printable ASCII, 1 to 52 characters, no space at the end; case matters. */
export function isUserId(text: string): boolean {
  return text.length <= MAX_USER_ID_LENGTH && PRINTABLE.test(text);
}
