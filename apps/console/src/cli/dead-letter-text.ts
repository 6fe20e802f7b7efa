import type { ApiAnswers } from '../api.routes.js';
import type { DeadGroup, DeadLettersAnswer, DeadReference } from '../core/answers.js';
import { formatDuration, plural } from '../core/format.js';

const INCOMPLETE = 'Only the newest dead letters are known to the console; there may be more.';

function lettersOfRecords(letters: number, records: number): string {
  return `${plural(letters, 'dead letter')} of ${plural(records, 'record')}`;
}

function meaningOf({ meaning, remedy }: DeadGroup): string[] {
  const words = [meaning, remedy].filter((text) => text !== undefined);
  return words.length === 0 ? [] : [`  ${words.join(' ')}`];
}

/** Dead letters by code, latest first: how many, how old, what they mean. `now`: epoch milliseconds. */
export function groupLines({ total, groups, complete }: DeadLettersAnswer, now: number): string[] {
  if (total === 0) return ['No dead letter.', ...(complete ? [] : [INCOMPLETE])];
  return [
    ...groups.flatMap((group) => [
      `${group.code}: ${lettersOfRecords(group.count, group.records)}, the newest ${formatDuration(now - group.lastTime)} ago`,
      ...meaningOf(group),
    ]),
    ...(complete ? [] : [INCOMPLETE]),
  ];
}

function letterLine({
  recordType,
  recordId,
  origin,
  stage,
  lane,
  message,
  attempts,
  offsets,
  jobIds,
  time,
}: DeadReference): string {
  const what = recordId === undefined ? (origin ?? 'no record') : `${recordType ?? 'record'} ${recordId}`;
  const more = [
    ...(attempts > 1 ? [`${attempts} attempts`] : []),
    ...(offsets.length > 0 ? [`changes ${offsets.join(' ')}`] : []),
    ...(jobIds.length > 0 ? [`job ${jobIds.join(' ')}`] : []),
  ];
  const where = lane === undefined ? stage : `${stage}, ${lane}`;
  return `  ${new Date(time).toISOString()} ${what} (${where}): ${message}${more.length > 0 ? ` [${more.join('; ')}]` : ''}`;
}

/** The letters themselves, newest first under each code, and the command that sends them again. */
export function letterLines({ groups, complete }: DeadLettersAnswer): string[] {
  return [
    ...groups.flatMap((group) => [
      `${group.code}: ${lettersOfRecords(group.count, group.records)}`,
      ...meaningOf(group),
      ...group.newest.map(letterLine),
      ...(group.newest.length < group.count ? [`  … ${group.count - group.newest.length} older ones`] : []),
    ]),
    ...(complete ? [] : [INCOMPLETE]),
  ];
}

/** What a redrive is about to send, as far as the console knows. */
export function matchingLine({ letters, records, complete }: ApiAnswers['redriveDeadLetters']['matching']): string {
  const known = complete ? '' : ' among the newest ones; older ones that match are sent too';
  return `${lettersOfRecords(letters, records)} match${letters === 1 ? 'es' : ''}${known}`;
}
