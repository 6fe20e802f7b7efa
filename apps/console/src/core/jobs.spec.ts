import type { Command, Status } from '@libs/contracts';
import { describe, expect, it } from 'vitest';
import { addCommand, addStatus, listJobs, MAX_JOBS, noJobs, type Jobs } from './jobs.js';

const start = (id: string, data: Command['data'] = { object: 'Lead' }): Command => ({
  id,
  type: 'backfill.start',
  data,
  by: 'console',
});
const say = (type: Status['type'], data: Status['data'] = {}, id = 'j', time = 2_000): Status => ({
  id,
  type,
  data,
  time,
  by: 'backfill',
});
const progress = {
  queried: 4_000,
  enqueued: 4_000,
  written: 1_900,
  superseded: 0,
  filtered: 0,
  skipped: 90,
  expanded: 0,
  dead: 10,
  total: 40_000,
  reasons: {},
  elapsedMs: 1_000,
};
const after = (...steps: Array<Command | Status>): Jobs =>
  steps.reduce((jobs, step) => ('time' in step ? addStatus(jobs, step) : addCommand(jobs, step, 1_000)), noJobs);

describe('jobs', () => {
  it('knows what was asked for before anyone answers', () => {
    expect(after(start('j', { object: 'Lead', where: "Status = 'Open'" })).get('j')).toEqual({
      id: 'j',
      state: 'sent',
      object: 'Lead',
      where: "Status = 'Open'",
      idCount: undefined,
      by: 'console',
      requestedAt: 1_000,
      updatedAt: 1_000,
      ratePerSecond: null,
      etaMs: null,
    });
  });

  it('knows a catch-up of the listener', () => {
    const hole = { reason: 'replay-expired', fromMs: 1 };
    expect(after(start('j', { object: 'Lead', since: '2026-11-24T12:00:00Z', hole })).get('j')).toMatchObject({
      object: 'Lead',
      since: '2026-11-24T12:00:00Z',
      catchUp: 'replay-expired',
    });
  });

  it('knows a redrive, by its command or by its answer', () => {
    const LEAD = '00Q5f000005bwLFEAY';
    const from = '2026-11-24T12:00:00.000Z';
    const command = { id: 'j', type: 'dead-letters.redrive', data: { codes: ['x'], ids: [LEAD], from }, by: 'console' };
    const accepted = { codes: ['x'], ids: 1, fromMs: Date.parse(from), letters: 3, noRecord: 0 };
    const redrive = { codes: ['x'], idCount: 1, from };
    expect(after(command).get('j')).toMatchObject({ state: 'sent', redrive });
    expect(after(say('accepted', { redrive: accepted, total: 1 })).get('j')).toMatchObject({ redrive });
    expect(
      after(command, say('accepted', { redrive: accepted, total: 1 }), say('progress', progress)).get('j'),
    ).toEqual(
      expect.objectContaining({ state: 'running', redrive: expect.objectContaining(redrive), ratePerSecond: 2_000 }),
    );
    const wrong = { ...command, data: { codes: 'x' } };
    expect(after(wrong, say('rejected', { reason: 'data.codes: no', command: wrong.type })).get('j')).toMatchObject({
      state: 'rejected',
      redrive: {},
      reason: 'data.codes: no',
    });
  });

  it('makes no job of a command that lets a safety stop go on, nor of what others say', () => {
    const command = { id: 'j', type: 'dead-letters.continue', data: {}, by: 'console' };
    expect(after(command, say('accepted', { command: command.type, minutes: 10 })).size).toBe(0);
    expect(after(say('rejected', { command: command.type, reason: 'no' })).size).toBe(0);
    expect(after({ ...say('accepted'), by: 'iterable-writer' }).size).toBe(0);
  });

  it('knows a fan-out of the mapper, by its command or by its answer', () => {
    const fanOut = { from: 'Account', through: 'AccountId', ids: ['0015f00002JUX1JAAX'] };
    const expected = { object: 'Contact', fanOut: { from: 'Account', records: 1 } };
    expect(after(start('j', { object: 'Contact', fanOut })).get('j')).toMatchObject(expected);
    const told = { object: 'Contact', fanOut: { from: 'Account', through: 'AccountId', records: 1 }, total: 5 };
    expect(after(say('accepted', told)).get('j')).toMatchObject(expected);
  });

  it('counts listed ids without keeping them', () => {
    const job = after(start('j', { ids: ['00Q5f000005bwLFEAY', '0035f00002EztxDAAR'] })).get('j');
    expect(job?.idCount).toBe(2);
    expect(JSON.stringify(job)).not.toContain('00Q5f');
  });

  it('computes rate and time left from the records that have ended', () => {
    expect(after(start('j'), say('accepted'), say('progress', progress)).get('j')).toMatchObject({
      state: 'running',
      ratePerSecond: 2_000,
      etaMs: 19_000,
      progress: { written: 1_900 },
    });
  });

  it.each([
    ['completed', [say('progress', progress), say('completed', progress)], 'completed'],
    [
      'completed with zero rows',
      [say('accepted'), say('completed', { ...progress, queried: 0, written: 0, total: 0 })],
      'completed',
    ],
    ['rejected', [say('rejected', { reason: 'no mapping file' })], 'rejected'],
    ['failed', [say('progress', progress), say('failed', { reason: 'MALFORMED_QUERY' })], 'failed'],
    [
      'running, though a repeat is refused',
      [say('progress', progress), say('rejected', { reason: 'known' })],
      'running',
    ],
    ['running, though a repeat is accepted', [say('progress', progress), say('accepted')], 'running'],
    ['completed, though progress is redelivered', [say('completed', progress), say('progress', progress)], 'completed'],
  ])('is %s', (_, steps, state) => {
    expect(after(start('j'), ...steps).get('j')?.state).toBe(state);
  });

  it('keeps the last progress and says why it failed', () => {
    expect(
      after(start('j'), say('progress', progress), say('failed', { reason: 'MALFORMED_QUERY' })).get('j'),
    ).toMatchObject({
      reason: 'MALFORMED_QUERY',
      progress: { queried: 4_000 },
      etaMs: null,
    });
  });

  it('joins a command read after its answer, and passes over other commands', () => {
    const jobs = after(say('accepted'), start('j'), { id: 'x', type: 'mapping.reload', data: {} });
    expect([...jobs.values()]).toMatchObject([{ id: 'j', state: 'accepted', object: 'Lead', requestedAt: 1_000 }]);
  });

  it('takes over what an answer says of a command that was not read', () => {
    expect(after(say('accepted', { object: 'Lead', where: "Status = 'New'", total: 40_000 })).get('j')).toMatchObject({
      state: 'accepted',
      object: 'Lead',
      where: "Status = 'New'",
      progress: { total: 40_000 },
    });
    expect(after(say('completed', { ...progress, summary: 'completed, 1 written' })).get('j')).toMatchObject({
      summary: 'completed, 1 written',
    });
  });

  it('is bounded: ended jobs are forgotten first', () => {
    let jobs = after(
      start('running'),
      say('progress', progress, 'running'),
      start('ended'),
      say('completed', {}, 'ended'),
    );
    for (let index = 0; index < MAX_JOBS; index += 1) jobs = addCommand(jobs, start(`n${index}`), 3_000 + index);
    expect(jobs.size).toBe(MAX_JOBS);
    expect(jobs.has('ended')).toBe(false);
    expect(listJobs(jobs)[0]?.id).toBe(`n${MAX_JOBS - 1}`);
  });
});
