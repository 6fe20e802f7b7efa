import { topics, type Status } from '@libs/contracts';
import { parseMapping, type Mapping, type MappingSet } from '@libs/mapping';
import { createLogger } from '@libs/observability';
import { versionsOf, type MappingNews } from '@libs/service';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ModelLog } from '../test/model.js';
import { pause, settle, statusOf } from '../test/stage.js';
import { Following } from './following.js';

const LEADS = '/data/LeadChangeEvent';
const CONTACTS = '/data/ContactChangeEvent';
const ACCOUNTS = '/data/AccountChangeEvent';

const setOf = (objects: Record<string, readonly string[]>): MappingSet =>
  new Map(
    Object.entries(objects).map(([object, sources]) => {
      const lines = sources.map((source, index) => `  ${source}: dataFields.f${index}`);
      return [object, parseMapping(`${object}.yaml`, [`object: ${object}`, 'fields:', ...lines].join('\n')) as Mapping];
    }),
  );
const LEAD = setOf({ Lead: ['Email'] });
const BOTH = setOf({ Lead: ['Email'], Contact: ['Email'] });

let log: ModelLog;
let inForce: MappingSet;
let tell: (news: MappingNews) => void;
let following: Following;
let others: number;

function begin(mappings: MappingSet, channels?: readonly string[]): void {
  inForce = mappings;
  const live = {
    get inForce() {
      return inForce;
    },
    onNews: (listener: typeof tell) => (tell = listener),
    start: () => undefined,
    close: () => Promise.resolve(),
  };
  following = new Following({
    log: log.holder().log,
    live,
    channels,
    parents: { owners: true },
    logger: createLogger('test', 'silent'),
    pause,
  });
  following.onOthers(() => (others += 1));
  following.start((error) => expect.unreachable(String(error)));
}

function edit(mappings: MappingSet): void {
  inForce = mappings;
  tell({ kind: 'applied', changed: ['any'], cause: 'edit' });
}

async function mapperGoesBy(mappings: MappingSet, type: Status['type'] = 'mapping-applied'): Promise<void> {
  const data = { versions: versionsOf(mappings), changed: [], cause: 'edit' };
  log.append(statusOf({ id: 'mapping', type, data, time: 1, by: 'mapper' }));
  await settle();
}

beforeEach(() => {
  vi.useFakeTimers();
  log = new ModelLog();
  others = 0;
});

afterEach(async () => {
  await Promise.all([following.close(), settle()]);
  vi.useRealTimers();
});

describe('Following', () => {
  it('takes a new object and a new parent at once', async () => {
    begin(LEAD);
    expect([...following.channels]).toEqual([[LEADS, ['Lead']]]);
    await mapperGoesBy(LEAD);
    edit(BOTH);
    expect([...following.channels.keys()]).toEqual([LEADS, CONTACTS]);
    edit(setOf({ Lead: ['Email'], Contact: ['Email', 'Account.Name'] }));
    expect([...following.channels.keys()]).toEqual([LEADS, CONTACTS, ACCOUNTS]);
    expect(others).toBe(2);
  });

  it('makes no new subscription for a field', async () => {
    begin(LEAD);
    edit(setOf({ Lead: ['Email', 'Title'] }));
    await mapperGoesBy(inForce);
    expect(others).toBe(0);
  });

  it.each(['mapping-applied', 'mapping-refused'] as const)(
    'gives a channel up only when the mapper goes by the same mappings (%s)',
    async (type) => {
      begin(BOTH);
      await mapperGoesBy(BOTH);
      expect(following.agreed).toBe(true);
      edit(LEAD);
      expect(following.agreed).toBe(false);
      expect([...following.channels.keys()]).toEqual([LEADS, CONTACTS]);
      await mapperGoesBy(BOTH, type);
      expect(following.agreed).toBe(false);
      expect(others).toBe(0);
      await mapperGoesBy(LEAD);
      expect(following.agreed).toBe(true);
      expect([...following.channels.keys()]).toEqual([LEADS]);
      expect(others).toBe(1);
    },
  );

  it('goes by itself while the mapper has said nothing, and reads what it said before', async () => {
    begin(BOTH);
    edit(LEAD);
    expect([...following.channels.keys()]).toEqual([LEADS]);
    await following.close();
    await mapperGoesBy(BOTH);
    begin(LEAD);
    await settle();
    expect(following.agreed).toBe(false);
  });

  it('keeps the channels of the setting; what one of several is to tell of changes', () => {
    begin(LEAD, ['/data/ChangeEvents']);
    edit(BOTH);
    expect([...following.channels]).toEqual([['/data/ChangeEvents', ['Lead', 'Contact']]]);
    expect(others).toBe(1);
  });

  it('passes over what is no word of the mapper', async () => {
    begin(LEAD);
    log.append({ topic: topics.status, key: 'x', value: { nonsense: true } });
    log.append(statusOf({ id: 'job', type: 'progress', data: { versions: {} }, time: 1, by: 'backfill' }));
    log.append(statusOf({ id: 'mapping', type: 'mapping-applied', data: { versions: 'none' }, time: 1, by: 'mapper' }));
    await settle();
    expect(following.agreed).toBe(true);
  });
});
