import type { OptOut } from '@libs/contracts';
import type { RecordPreview } from '../core/preview-answers.js';

/** One record's preview for a person; its body can be copied as it stands. */
export function previewLines(preview: RecordPreview): string[] {
  const { object, recordId, mapping, soql, record, text, body, mergeNestedObjects } = preview;
  const how = mergeNestedObjects === true ? 'nested objects are merged' : 'nested objects are replaced';
  return [
    `${object} ${recordId ?? ''} by ${mapping.file} (version ${mapping.version})`,
    text,
    ...(soql === null ? [] : ['', 'Query', soql]),
    '',
    'Record',
    JSON.stringify(record, null, 2),
    ...(body === null
      ? []
      : ['', `Body (mergeNestedObjects: ${mergeNestedObjects}, ${how})`, JSON.stringify(body, null, 2)]),
    ...differenceLines(preview),
    ...claimantLines(preview),
    ...(preview.optOut === null
      ? []
      : ['', `Says no to ${optOutText(preview.optOut)}: it would be unsubscribed from that.`]),
    ...(preview.shortened.length === 0 ? [] : ['', `Cut to what Iterable keeps: ${preview.shortened.join(', ')}`]),
  ];
}

function differenceLines({ difference, profile }: RecordPreview): string[] {
  if (difference === null || difference.length === 0) return [];
  const width = Math.max(...difference.map(({ path }) => path.length));
  const value = (given: unknown) => (given === undefined ? '(nothing)' : JSON.stringify(given));
  return [
    '',
    profile === 'none' ? 'Difference: all of it, there is no profile' : 'Difference from the profile',
    ...difference.map(({ path, kind, before, after }) => {
      const lost = kind === 'lost' ? '  (lost: its object is replaced, and the body does not name it)' : '';
      return `  ${path.padEnd(width)}  ${value(before)} -> ${value(after)}${lost}`;
    }),
  ];
}

function claimantLines({ claimants, recordId }: RecordPreview): string[] {
  if (claimants.length < 2) return [];
  return [
    '',
    'Records with this address (a Contact before a Lead before others, then the one created later)',
    ...claimants.map(({ object, recordId: id, hasAddress }) => {
      return `  ${object} ${id}${hasAddress ? '  has it' : ''}${id === recordId ? '  (this one)' : ''}`;
    }),
  ];
}

function optOutText({ allMarketing, channelIds, messageTypeIds }: OptOut): string {
  return [
    ...(allMarketing ? ['all marketing email'] : []),
    ...(channelIds.length > 0 ? [`channels ${channelIds.join(', ')}`] : []),
    ...(messageTypeIds.length > 0 ? [`message types ${messageTypeIds.join(', ')}`] : []),
  ].join(', ');
}
