import { describe, expect, it } from 'vitest';
import { Health } from './health.js';
import { createMetrics } from './metrics.js';
import { metricDefinitions, type MetricDefinition } from './definitions.js';

const definitions: MetricDefinition[] = Object.values(metricDefinitions);

describe('metric definitions', () => {
  it.each(definitions.map((definition) => [definition.name, definition] as const))(
    '%s follows the naming rules',
    (name, definition) => {
      expect(name).toMatch(/^sync_[a-z0-9_]+$/);
      expect(name.endsWith('_total')).toBe(definition.type === 'counter');
      expect(name).not.toMatch(/_(ms|millis|minutes|kb|mb)(_|$)/);
      expect(definition.help).toMatch(/\.$/);
      for (const label of definition.labels ?? []) expect(label).not.toMatch(/id$|email|message/);
    },
  );

  it('are all on one registry, with distinct names', async () => {
    const { registry } = createMetrics();
    expect((await registry.getMetricsAsJSON()).map((metric) => metric.name).toSorted()).toEqual(
      definitions.map((definition) => definition.name).toSorted(),
    );
  });
});

describe('Health', () => {
  it('is ready when all that was expected came true, and not before', () => {
    const health = new Health(['log', 'session']);
    health.set('log', true);
    expect(health.report()).toEqual({
      live: true,
      ready: false,
      checks: [
        { name: 'log', ok: true },
        { name: 'session', ok: false, detail: 'not started yet' },
      ],
    });
    health.set('session', true);
    expect(health.ready).toBe(true);
  });

  it('includes the health of others in its process', () => {
    const whole = new Health();
    const part = new Health(['session']);
    whole.include('mapper', part);
    expect(whole.report().checks).toEqual([{ name: 'mapper/session', ok: false, detail: 'not started yet' }]);
    part.set('session', true);
    expect(whole.ready).toBe(true);
    part.fail(new Error('bug'));
    expect(whole.live).toBe(false);
  });

  it('is neither ready nor live after a fatal error, and tells those who ask later', () => {
    const health = new Health();
    const seen: string[] = [];
    health.fail(new Error('first'));
    health.fail(new Error('second'));
    health.whenFatal((error) => seen.push(error.message));
    expect(seen).toEqual(['first']);
    expect(health.ready).toBe(false);
    expect(health.live).toBe(false);
  });
});
