/** Versions up to 30 are retired; 68 is Winter '27. Source: facts/salesforce.md §3.3, §3.5. */
export const OLDEST_VERSION = 31;
export const NEWEST_VERSION = 68;

const SEASONS = ['Spring', 'Summer', 'Winter'] as const;

/** `Winter '27` for 68: three releases a year. */
function label(version: number): string {
  return `${SEASONS[version % 3]} '${26 + Math.floor((version - 65) / 3)}`;
}

/** The reply of `GET /services/data/`. */
export function versionList() {
  const versions: Array<{ label: string; url: string; version: string }> = [];
  for (let version = OLDEST_VERSION; version <= NEWEST_VERSION; version += 1) {
    versions.push({ label: label(version), url: `/services/data/v${version}.0`, version: `${version}.0` });
  }
  return versions;
}
