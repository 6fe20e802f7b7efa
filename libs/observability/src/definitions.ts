/** One metric: defined here, once; the reference page is generated from this table. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly buckets?: readonly number[];
}

function define<const T extends Record<string, MetricDefinition>>(definitions: T): T {
  return definitions;
}

const LATENCY_SECONDS = [0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 65, 90, 120, 300, 600, 1800, 3600];
const CALL_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/**
 * Names: `sync_<app>_<what>_<unit>`, base units, `_total` on counters. Labels are bounded sets, never an id, email or message.
 */
export const metricDefinitions = define({
  // Every service
  ready: { type: 'gauge', name: 'sync_ready', help: '1 when the service is ready, else 0.', labels: ['app'] },
  mappingBroken: {
    type: 'gauge',
    name: 'sync_mapping_broken',
    help: '1 while the mapping files are broken or refused and the last good ones stay in force, else 0.',
    labels: ['app'],
  },
  consumerLag: {
    type: 'gauge',
    name: 'sync_consumer_lag_records',
    help: 'Records of a topic that the group has not committed.',
    labels: ['group', 'topic'],
  },
  logHandlerRetries: {
    type: 'counter',
    name: 'sync_log_handler_retries_total',
    help: 'Batches tried again after a failure of the world.',
    labels: ['topic', 'code'],
  },
  logMalformed: {
    type: 'counter',
    name: 'sync_log_malformed_messages_total',
    help: 'Messages that were unreadable and dead-lettered.',
    labels: ['topic'],
  },
  logRebalances: {
    type: 'counter',
    name: 'sync_log_rebalances_total',
    help: 'Group generations joined.',
    labels: ['group'],
  },
  deadLetters: {
    type: 'counter',
    name: 'sync_dead_letters_total',
    help: 'Dead letters written.',
    labels: ['stage', 'code'],
  },
  safetyStop: {
    type: 'gauge',
    name: 'sync_safety_stop',
    help: '1 while a lane is not read because too much of it would end as dead letters, else 0.',
    labels: ['stage', 'lane'],
  },
  outcomes: {
    type: 'counter',
    name: 'sync_outcomes_total',
    help: 'Changes by what became of them.',
    labels: ['object', 'lane', 'outcome', 'reason'],
  },

  // cdc-listener
  listenerEvents: {
    type: 'counter',
    name: 'sync_listener_events_total',
    help: 'Change events received.',
    labels: ['object', 'change_type'],
  },
  listenerChanges: {
    type: 'counter',
    name: 'sync_listener_changes_total',
    help: 'Record changes durable in the log: one for each record id of each event.',
    labels: ['object'],
  },
  listenerMalformed: {
    type: 'counter',
    name: 'sync_listener_malformed_events_total',
    help: 'Events or record ids that could not be read.',
  },
  listenerLastEvent: {
    type: 'gauge',
    name: 'sync_listener_last_event_timestamp_seconds',
    help: 'When the last change event arrived.',
  },
  listenerLastAnswer: {
    type: 'gauge',
    name: 'sync_listener_last_keepalive_timestamp_seconds',
    help: 'When the server last answered on the subscription, with or without events; while polling, when a poll last succeeded.',
  },
  listenerPositionTime: {
    type: 'gauge',
    name: 'sync_listener_replay_position_timestamp_seconds',
    help: 'Commit time of the newest change that is durable: the position a restart resumes from.',
  },
  listenerReconnects: {
    type: 'counter',
    name: 'sync_listener_reconnects_total',
    help: 'Times the streaming client was thrown away and made anew.',
    labels: ['reason'],
  },
  listenerRetentionLeft: {
    type: 'gauge',
    name: 'sync_listener_replay_retention_remaining_seconds',
    help: 'How long Salesforce still keeps the events behind the position: 72 h less its age. At 0 or below they may be gone. Told by the active instance.',
  },
  listenerHoles: {
    type: 'counter',
    name: 'sync_listener_holes_total',
    help: 'Stretches of changes that may have been missed, by cause: a catch-up was ordered for each.',
    labels: ['reason'],
  },
  listenerOpenHoles: {
    type: 'gauge',
    name: 'sync_listener_open_holes',
    help: 'Holes whose catch-up is not complete, or not ordered yet.',
  },
  listenerSilences: {
    type: 'counter',
    name: 'sync_listener_silent_streams_total',
    help: 'Times that a channel was subscribed and connected but did not deliver changes that exist.',
  },
  listenerMode: {
    type: 'gauge',
    name: 'sync_listener_mode',
    help: '1 for how changes are captured now: events, or polling while the allowance of delivered events is used up.',
    labels: ['mode'],
  },
  listenerAllowance: {
    type: 'gauge',
    name: 'sync_listener_event_allowance_remaining_ratio',
    help: "Share of the org's daily allowance of delivered events that is left, by its own count. Told by the active instance.",
  },
  listenerFiltered: {
    type: 'counter',
    name: 'sync_listener_filtered_total',
    help: 'Record changes dropped at the listener: no mapped field changed (unmapped), or made by our own user (own).',
    labels: ['object', 'reason'],
  },
  listenerActive: { type: 'gauge', name: 'sync_listener_active', help: '1 on the instance that holds the lease.' },

  // batcher
  batcherChanges: {
    type: 'counter',
    name: 'sync_batcher_changes_total',
    help: 'Changes taken into a window.',
    labels: ['object', 'lane'],
  },
  batcherEntries: {
    type: 'counter',
    name: 'sync_batcher_entries_total',
    help: 'Distinct records emitted in batches.',
    labels: ['object', 'lane'],
  },
  batcherWindowRecords: {
    type: 'gauge',
    name: 'sync_batcher_window_records',
    help: 'Distinct records waiting in open windows.',
    labels: ['lane'],
  },
  batcherFlushSeconds: {
    type: 'histogram',
    name: 'sync_batcher_flush_duration_seconds',
    help: 'Time to make a closed window durable.',
    labels: ['lane'],
    buckets: CALL_SECONDS,
  },

  // mapper
  mapperRecords: {
    type: 'counter',
    name: 'sync_mapper_records_total',
    help: 'Records mapped: to updates, renames and removals.',
    labels: ['object', 'lane'],
  },
  mapperQuerySeconds: {
    type: 'histogram',
    name: 'sync_mapper_query_duration_seconds',
    help: 'Time to fetch the rows of one batch, all pages.',
    labels: ['object'],
    buckets: CALL_SECONDS,
  },
  mapperRefetched: {
    type: 'counter',
    name: 'sync_mapper_refetched_records_total',
    help: 'Records fetched once more because their row did not show the change yet.',
    labels: ['object'],
  },
  mapperShortened: {
    type: 'counter',
    name: 'sync_mapper_shortened_texts_total',
    help: 'Texts that were longer than Iterable keeps, and were cut. sync mapping preview names their fields.',
    labels: ['object'],
  },
  mapperFanOutCauses: {
    type: 'counter',
    name: 'sync_mapper_fan_out_causes_total',
    help: 'Changed records that others show, so that these were looked for. object: what changed.',
    labels: ['object', 'lane'],
  },
  mapperFanOutRecords: {
    type: 'counter',
    name: 'sync_mapper_fan_out_records_total',
    help: 'Records that show a changed one and became changes at once. object: theirs. Those of jobs are in sync_backfill_rows_total.',
    labels: ['object', 'lane'],
  },
  mapperFanOutJobs: {
    type: 'counter',
    name: 'sync_mapper_fan_out_jobs_total',
    help: 'Fan-outs above 1,000 records, handed over to the backfill service. object: of the records that show the changed ones.',
    labels: ['object'],
  },
  mapperFanOutQueries: {
    type: 'counter',
    name: 'sync_mapper_fan_out_queries_total',
    help: 'Queries to Salesforce for the records that show changed ones. object: theirs.',
    labels: ['object'],
  },
  mapperInfo: {
    type: 'gauge',
    name: 'sync_mapper_mapping_info',
    help: '1 for the mapping version in force.',
    labels: ['object', 'version'],
  },

  // iterable-writer
  writerActive: { type: 'gauge', name: 'sync_writer_active', help: '1 on the instance that owns the updates.' },
  writerRequests: {
    type: 'counter',
    name: 'sync_writer_requests_total',
    help: 'Requests to Iterable by answer.',
    labels: ['lane', 'code'],
  },
  writerRequestSeconds: {
    type: 'histogram',
    name: 'sync_writer_request_duration_seconds',
    help: 'Time of one request to Iterable.',
    buckets: CALL_SECONDS,
  },
  writerUsers: {
    type: 'counter',
    name: 'sync_writer_users_total',
    help: 'Users by verdict.',
    labels: ['object', 'lane', 'outcome'],
  },
  writerBatchUsers: {
    type: 'histogram',
    name: 'sync_writer_request_users',
    help: 'Users in one request.',
    labels: ['lane'],
    buckets: [1, 10, 50, 100, 250, 500, 750, 1000],
  },
  writerBatchBytes: {
    type: 'histogram',
    name: 'sync_writer_request_bytes',
    help: 'Size of one request body.',
    labels: ['lane'],
    buckets: [1e3, 1e4, 1e5, 5e5, 1e6, 2e6, 3e6, 3.8e6, 4e6],
  },
  writerWaiting: {
    type: 'gauge',
    name: 'sync_writer_waiting_users',
    help: 'Users read and not yet written.',
    labels: ['lane'],
  },
  writerParked: {
    type: 'gauge',
    name: 'sync_writer_parked_users',
    help: 'Users that need several calls, one after another, and wait between them.',
  },
  writerProfileCalls: {
    type: 'counter',
    name: 'sync_writer_profile_calls_total',
    help: 'Calls about one profile: moves, merges, deletions, opt-outs; by what came of them.',
    labels: ['call', 'outcome'],
  },
  writerRedrives: {
    type: 'counter',
    name: 'sync_writer_redrives_total',
    help: 'Records asked for again because a profile passed to them.',
    labels: ['object'],
  },
  writerOutranked: {
    type: 'counter',
    name: 'sync_writer_outranked_total',
    help: 'Updates of records whose address another record has.',
    labels: ['object'],
  },
  writerPaused: {
    type: 'gauge',
    name: 'sync_writer_paused',
    help: '1 while writing is paused because Iterable is out or refuses the key.',
  },
  writerPace: {
    type: 'gauge',
    name: 'sync_writer_pace_requests_per_second',
    help: 'Requests a second that the writer allows itself: lower than the setting after 429s.',
  },
  writerCeiling: {
    type: 'gauge',
    name: 'sync_writer_ceiling_users_per_second',
    help: 'Users a second that the settings allow: requests a second times users a request.',
  },
  writerAllowance: {
    type: 'counter',
    name: 'sync_writer_allowance_users_total',
    help: 'Users that the settings allowed to write while work was waiting: requests a second times users a request, times seconds.',
  },
  writerAllowanceUsed: {
    type: 'gauge',
    name: 'sync_writer_allowance_used_ratio',
    help: 'Share of that allowance that was used in the last minute, real-time and backfill; the last one known while no work waits.',
  },
  writerRepairs: {
    type: 'counter',
    name: 'sync_writer_repaired_users_total',
    help: "Users sent again with values converted to the types of the project's fields.",
  },
  writerProjectFields: {
    type: 'gauge',
    name: 'sync_writer_project_fields',
    help: "The project's profile fields, nested ones counted by their leaves. Iterable takes 1,000 unless told otherwise.",
  },
  writerSeededFields: {
    type: 'counter',
    name: 'sync_writer_seeded_fields_total',
    help: 'New fields that were given their meant type before the first value.',
  },
  writerDroppedFields: {
    type: 'gauge',
    name: 'sync_writer_dropped_fields',
    help: 'Mapped fields that the project does not have and that Iterable leaves out, since the start.',
  },
  endToEndSeconds: {
    type: 'histogram',
    name: 'sync_end_to_end_latency_seconds',
    help: "From Salesforce's commit to Iterable's answer.",
    labels: ['object', 'lane'],
    buckets: LATENCY_SECONDS,
  },

  // backfill
  backfillRows: {
    type: 'counter',
    name: 'sync_backfill_rows_total',
    help: 'Rows read and enqueued.',
    labels: ['object'],
  },
  backfillJobs: { type: 'gauge', name: 'sync_backfill_running_jobs', help: 'Jobs running.' },
  commands: { type: 'counter', name: 'sync_commands_total', help: 'Commands by answer.', labels: ['type', 'outcome'] },

  // console: the account of every change (docs/accounting.md)
  accountingGap: {
    type: 'gauge',
    name: 'sync_accounting_gap',
    help: 'Changes without an outcome that are nowhere on their way: 0 is what must be. More for longer than a minute: some were lost.',
    labels: ['object', 'lane'],
  },
  accountingInFlight: {
    type: 'gauge',
    name: 'sync_accounting_in_flight',
    help: 'Changes on their way: not batched, mapped or written yet.',
    labels: ['object', 'lane'],
  },
  accountingChanges: {
    type: 'gauge',
    name: 'sync_accounting_changes',
    help: 'Changes of the account by what became of them, each once. in: all of them, the sum of the others, those in flight and the gap.',
    labels: ['object', 'lane', 'state'],
  },
  accountingSince: {
    type: 'gauge',
    name: 'sync_accounting_since_timestamp_seconds',
    help: 'Changes appended before it are out of the account. Moves when the console starts.',
  },
  accountingTime: {
    type: 'gauge',
    name: 'sync_accounting_last_timestamp_seconds',
    help: 'When the last account was made: one every ten seconds while the log answers.',
  },

  // Salesforce calls of any service
  salesforceRequests: {
    type: 'counter',
    name: 'sync_salesforce_requests_total',
    help: 'Calls to Salesforce by answer.',
    labels: ['code'],
  },
  salesforceApiUsed: {
    type: 'gauge',
    name: 'sync_salesforce_api_used_ratio',
    help: 'Share of the daily API allowance used, by the last answer.',
  },
});

export type MetricName = keyof typeof metricDefinitions;
