import { afterEach, describe, expect, inject, it } from 'vitest';
import { makeScene, makeTopic, notes, SESSION_MS, until, type OpenOptions, type Scene } from './testing/adapters.js';
import { startMember, type MemberProcess } from './testing/member-process.js';
import type { Orders } from './testing/member.js';

const topic = makeTopic();
const GROUP = 'contract-crash';

const ends: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

describe.each(['embedded', 'kafka'] as const)('crashes on the %s log', (kind) => {
  async function scene(options: OpenOptions = {}): Promise<Scene> {
    const made = makeScene(kind, inject('kafkaBrokers'), options);
    ends.push(() => made.end());
    await made.log.applyTopics([topic]);
    return made;
  }
  async function member({ place }: Scene, orders: Partial<Orders> = {}): Promise<MemberProcess> {
    const started = await startMember({ place, group: GROUP, role: 'consume', ...orders });
    ends.push(() => started.kill());
    return started;
  }
  const whole = (count: number) => Array.from({ length: count }, (_, n) => n);
  const distinct = (...members: MemberProcess[]) =>
    [...new Set(members.flatMap((one) => one.handled()))].toSorted((a, b) => a - b);

  it('delivers everything at least once over kills in the middle of handlers', async () => {
    const set = await scene();
    const COUNT = 600;
    await set.log.append(notes(topic, COUNT));
    const orders = { maxRecords: 20, handleMs: 30 };
    const members: MemberProcess[] = [];
    for (const share of [50, 150, 300]) {
      const one = await member(set, orders);
      members.push(one);
      await until(() => distinct(...members).length >= share, `${share} were handled`);
      await one.kill();
    }
    members.push(await member(set, orders));
    await until(() => distinct(...members).length === COUNT, 'all were handled');
    expect(distinct(...members)).toEqual(whole(COUNT));
    // Each kill may repeat what was in hand and not committed: one run of each partition.
    const handled = members.flatMap((one) => one.handled()).length;
    expect(handled - COUNT).toBeLessThanOrEqual(3 * 3 * 20);
    await until(
      async () => (await set.log.committed(GROUP, topic)).reduce((sum, { offset }) => sum + (offset ?? 0), 0) === COUNT,
      'all is committed',
    );
  });

  it('moves the partitions of a member that died to the others', async () => {
    const set = await scene({ partitions: 4 });
    const [first, second] = [await member(set), await member(set)];
    await until(() => first.partitions().length === 2 && second.partitions().length === 2, 'both have a half');
    await second.kill();
    const died = Date.now();
    await until(() => first.partitions().length === 4, 'the survivor has everything');
    expect(Date.now() - died).toBeLessThan(SESSION_MS * 4);
    await set.log.append(notes(topic, 40));
    await until(() => distinct(first).length === 40, 'the survivor got everything');
  });

  it('lets the standby take over when the single owner dies, from what was committed', async () => {
    const set = await scene();
    const orders: Partial<Orders> = { assignment: 'single-owner', maxRecords: 10 };
    const owner = await member(set, orders);
    const standby = await member(set, orders);
    await set.log.append(notes(topic, 100));
    await until(() => distinct(owner).length === 100, 'the owner got everything');
    await until(
      async () => (await set.log.committed(GROUP, topic)).reduce((sum, { offset }) => sum + (offset ?? 0), 0) === 100,
      'all is committed',
    );
    expect(standby.handled()).toEqual([]);
    await owner.kill();
    await set.log.append(notes(topic, 10));
    await until(() => standby.handled().length >= 10, 'the standby took over');
    expect(standby.handled().toSorted((a, b) => a - b)).toEqual(whole(10));
  });

  it('refuses the commit of a member that was frozen while the others went on', async () => {
    const set = await scene({ partitions: 1 });
    const frozen = await member(set, { recommitMs: 10 });
    await set.log.append(notes(topic, 5));
    await until(() => distinct(frozen).length === 5, 'the first member handled five');
    frozen.freeze();
    const heir = await member(set);
    await until(() => heir.partitions().length === 1, 'the other took over', 60_000);
    await set.log.append(notes(topic, 5));
    const committed = async () => (await set.log.committed(GROUP, topic))[0];
    await until(async () => (await committed())?.offset === 10, 'the heir has committed');
    frozen.wake();
    // It commits its old position every 10 ms, and the broker has a second to fall for it.
    const end = Date.now() + 1_000;
    await until(() => Date.now() > end, 'the frozen member had its chance');
    expect(await committed()).toEqual({ partition: 0, offset: 10, metadata: null });
  });

  it("refuses the cursor of a lease's old holder that wakes up", async () => {
    const set = await scene({ partitions: 1 });
    const old = await member(set, { role: 'lease' });
    await until(() => old.reports.some(({ kind: what }) => what === 'saved'), 'the first holder saved a cursor');
    old.freeze();
    const heir = await member(set, { role: 'lease' });
    await until(() => heir.reports.some(({ kind: what }) => what === 'saved'), 'the heir saved a cursor', 60_000);
    const before = old.reports.filter(({ kind: what }) => what === 'saved').length;
    const taken = heir.reports.find((report) => report.kind === 'lease');
    expect(taken?.cursor).toMatch(/^\d+:\d+$/);
    old.wake();
    await until(
      () => old.reports.some(({ kind: what }) => what === 'lost') || old.reports.length > before + 40,
      'it is told',
    );
    expect(old.reports.find((report) => report.kind === 'lost')).toEqual({ kind: 'lost', error: 'LeaseLostError' });
    const saved = () => heir.reports.findLast((report) => report.kind === 'saved')?.cursor;
    const at = saved();
    await until(() => saved() !== at, 'the heir goes on');
    expect(heir.reports.some(({ kind: what }) => what === 'lost')).toBe(false);
  });

  it('stops gracefully: what was handled is committed, and nothing is handled twice', async () => {
    const set = await scene();
    await set.log.append(notes(topic, 300));
    const orders = { maxRecords: 10, handleMs: 20 };
    const first = await member(set, orders);
    await until(() => distinct(first).length >= 50, 'some were handled');
    expect(await first.stop()).toBe(0);
    const second = await member(set, orders);
    await until(() => distinct(first, second).length === 300, 'all were handled');
    expect([...first.handled(), ...second.handled()].toSorted((a, b) => a - b)).toEqual(whole(300));
  });
});
