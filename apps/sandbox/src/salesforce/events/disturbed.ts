import type { Faults } from '../../faults.js';
import { strike } from '../fault-kinds.js';
import { EMPTY_ID, type ChangeEvent, type ChangeType } from './change-event.js';

/** Gap type of a change. */
const gaps: Partial<Record<ChangeType, ChangeType>> = {
  CREATE: 'GAP_CREATE',
  UPDATE: 'GAP_UPDATE',
  DELETE: 'GAP_DELETE',
  UNDELETE: 'GAP_UNDELETE',
};

/** The events of one transaction, with those that faults of the event bus strike replaced by gaps or an overflow. */
export function disturbed(events: readonly ChangeEvent[], faults: Faults): ChangeEvent[] {
  const overflown = new Set<string>();
  for (const { entity } of events) {
    if (!overflown.has(entity) && strike(faults, 'event-overflow', `/data/${entity}`)) overflown.add(entity);
  }
  const seen = new Set<string>();
  return events.flatMap((event) => {
    if (overflown.has(event.entity)) {
      if (seen.has(event.entity)) return [];
      seen.add(event.entity);
      return [bare(event, 'GAP_OVERFLOW', [EMPTY_ID])];
    }
    const type = gaps[event.changeType];
    const gap = type === undefined ? null : strike(faults, 'event-gap', `/data/${event.entity}`);
    if (type === undefined || gap === null) return [event];
    return [bare(event, type, gap.wildcard ? [`${event.recordIds[0]?.slice(0, 3)}*`] : event.recordIds)];
  });
}

function bare(event: ChangeEvent, changeType: ChangeType, recordIds: readonly string[]): ChangeEvent {
  const { diffs: _, ...rest } = event;
  return { ...rest, changeType, recordIds, body: {}, changedFields: [], nulledFields: [] };
}
