/** What a code means to a person, and what to do about it. */
export interface ErrorCode {
  /** In plain language, as one sentence. */
  readonly meaning: string;
  readonly remedy: string;
}

/**
 * Every error and reason code that can reach a person: in dead letters, outcomes, status messages, metrics and answers.
 * `<owner>.<reason>`, never renamed. The reference page and the console's explanations come from here; a test keeps it equal
 * to the codes that the tree uses.
 */
export const errorCodes: Readonly<Record<string, ErrorCode>> = {
  'backfill.no_record': {
    meaning: 'A redrive met dead letters that name no record: of messages that could not be read.',
    remedy: 'See their origin; if it was a change of a record, backfill its object for the time around it.',
  },
  'console.bad_request': {
    meaning: 'The request to the console is not understood.',
    remedy: 'Correct what the message names; docs/reference/openapi.yaml shows every request.',
  },
  'console.internal': {
    meaning: 'The console failed while answering.',
    remedy: "Look for the same time in the console's log; please report it.",
  },
  'console.mapping_files_refused': {
    meaning: 'The mapping files of the request, or those of the console, cannot be used.',
    remedy: 'Correct what the message names, line by line; sync mapping check says more.',
  },
  'console.not_configured': {
    meaning: 'The console was not told how to reach the Salesforce org or the Iterable project.',
    remedy:
      'Give it the settings that the message names; checks and previews of mappings need them, nothing else does.',
  },
  'console.not_found': {
    meaning: 'There is no such thing at this address.',
    remedy: 'Check the address or id; docs/reference/openapi.yaml lists every route.',
  },
  'console.unauthorized': {
    meaning: 'The request carries no token, or a wrong one.',
    remedy:
      'Send "Authorization: Bearer <token>": the value of CONSOLE_TOKEN, else of the file console-token in DATA_DIR.',
  },
  'event-log.access_refused': {
    meaning: 'The brokers refuse the credential or a permission.',
    remedy: 'Check KAFKA_SASL_* and the ACLs of the topics and groups; services go on by themselves.',
  },
  'event-log.invalid_message': {
    meaning: 'The sync made a message that does not fit its topic.',
    remedy: 'It is a bug or a value beyond all limits: see the message, and please report it.',
  },
  'event-log.lease_lost': {
    meaning: 'Another instance has taken over the role of this one.',
    remedy: 'Nothing: the other instance goes on. If it happens again and again, raise KAFKA_SESSION_TIMEOUT_MS.',
  },
  'event-log.malformed_message': {
    meaning: 'A message is no JSON, or does not fit the schema of its topic.',
    remedy: 'Something else wrote to the topic, or versions are mixed: see "origin" and the topic reference.',
  },
  'event-log.topic_mismatch': {
    meaning: 'A topic exists with other partitions than KAFKA_PARTITIONS asks for.',
    remedy: 'Set KAFKA_PARTITIONS to what exists, or drain the sync and make the topic anew.',
  },
  'event-log.unavailable': {
    meaning: 'The event log cannot be reached.',
    remedy: 'Check the brokers (KAFKA_BROKERS), or the disk of DATA_DIR; services go on by themselves when it is back.',
  },
  'iterable.access_refused': {
    meaning: 'Iterable refuses the API key: it is wrong, disabled, of another data centre, or may not write users.',
    remedy: 'Check ITERABLE_API_KEY and ITERABLE_BASE_URL; writing resumes by itself.',
  },
  'iterable.bad_request': {
    meaning: 'Iterable refuses every request that holds this user.',
    remedy: 'Compare the mapped fields with the project; the request id helps Iterable support.',
  },
  'iterable.field_limit_reached': {
    meaning: 'The number of user fields of the project is used up.',
    remedy: 'Remove unused fields in Iterable, or have the limit raised; writing resumes by itself.',
  },
  'iterable.field_type_mismatch': {
    meaning: "A value has another type than its field in Iterable, fixed by the field's first value.",
    remedy: 'Correct the mapping so that it gives the type of the field.',
  },
  'iterable.forgotten': {
    meaning: 'The user was forgotten in Iterable (GDPR): no data is taken for the identifier again.',
    remedy: 'Nothing. If it is an error, have the identifier released in Iterable.',
  },
  'iterable.identity_conflict': {
    meaning: 'The email or user id belongs to another profile in Iterable.',
    remedy: 'Merge the two profiles in Iterable, then backfill the record.',
  },
  'iterable.invalid_data': {
    meaning: 'A value does not fit its field in Iterable.',
    remedy: 'Correct the value in Salesforce or the mapping.',
  },
  'iterable.invalid_email': {
    meaning: 'Iterable refuses the email address.',
    remedy: 'Correct it in Salesforce: the change is then picked up.',
  },
  'iterable.invalid_user_id': {
    meaning: 'Iterable refuses the user id.',
    remedy: 'It must be 1 to 52 printable ASCII characters: correct it, or map another field.',
  },
  'iterable.malformed_user': {
    meaning: 'Iterable cannot read the user in the request.',
    remedy: 'Correct the mapping.',
  },
  'iterable.rate_limited': {
    meaning: "Iterable's limit of requests is reached.",
    remedy: 'Nothing: the sync waits as asked. If others write to the project, lower ITERABLE_REQUESTS_PER_SECOND.',
  },
  'iterable.timeout': {
    meaning: 'Iterable did not answer in time.',
    remedy: 'Nothing, if it passes: the sync sends the same again, which is harmless.',
  },
  'iterable.unaccounted': {
    meaning: 'Iterable counts the user neither as updated nor as failed.',
    remedy: 'Backfill the record; if it happens again, ask Iterable support with the request id.',
  },
  'iterable.unavailable': {
    meaning: 'Iterable answers that it cannot answer now.',
    remedy: 'Nothing, if it passes: the sync tries again. Otherwise see status.iterable.com.',
  },
  'iterable.unknown_failure': {
    meaning: 'Iterable reports the user as failed for a reason that this version does not know.',
    remedy: 'See the message; a newer version may know it. Please report it.',
  },
  'iterable.unknown_subscription': {
    meaning: 'The opt-out of the mapping names a channel or message type that the Iterable project does not have.',
    remedy: 'Correct the id in the mapping, then redrive; what else the opt-out names was unsubscribed.',
  },
  'iterable.unknown_user': {
    meaning: 'Iterable knows no user with this identifier, and may not create one.',
    remedy: 'Check ITERABLE_PROJECT_TYPE against the project.',
  },
  'iterable.unreachable': {
    meaning: 'Iterable cannot be reached.',
    remedy: 'Check the network and ITERABLE_BASE_URL; the sync tries again.',
  },
  'iterable.unreadable_answer': {
    meaning: "Iterable's answer cannot be read.",
    remedy: 'Nothing, if it passes: the sync sends the same again. Otherwise look for a proxy in between.',
  },
  'iterable.user_too_large': {
    meaning: 'The user alone is larger than a request to Iterable may be.',
    remedy: 'Map fewer or shorter fields.',
  },
  'iterable.wrong_address': {
    meaning: 'ITERABLE_BASE_URL does not lead to the Iterable API.',
    remedy: 'Set it to https://api.iterable.com or https://api.eu.iterable.com.',
  },
  'listener.malformed_event': {
    meaning: 'A change event, or a record id in it, cannot be read.',
    remedy: 'See the message of the dead letter; backfill the object for the time around it, and please report it.',
  },
  'mapper.fanned_out': {
    meaning: 'The record is no user itself: the records that show it were looked for, and are written anew.',
    remedy: 'Nothing.',
  },
  'mapper.field_hidden': {
    meaning: 'A mapping reads a field that the org does not show.',
    remedy: 'Correct the mapping, or give the integration user read access to the field; reading resumes by itself.',
  },
  'mapper.no_modstamp': {
    meaning: 'The row from Salesforce has no SystemModstamp, so its age cannot be told.',
    remedy: 'Check that the object has the field and that the integration user may read it.',
  },
  'mapper.owners_not_followed': {
    meaning: 'A User changed, and FAN_OUT_OWNERS is off.',
    remedy: 'Nothing: what is mapped of it comes with the next change of each record it owns.',
  },
  'mapper.safety_stop': {
    meaning: 'The service ended while batches waited behind the safety stop, because too much would have failed.',
    remedy: 'Nothing: they are read again. What to correct is said by the health check dead-letters.',
  },
  'mapper.update_too_large': {
    meaning: 'The mapped user is larger than a message may be.',
    remedy: 'Map fewer or shorter fields.',
  },
  'mapping.belongs_to_nobody': {
    meaning: 'The lookup to the Lead or Contact that the record belongs to is empty.',
    remedy: 'Nothing, if that is meant: it is written once the lookup is filled.',
  },
  'mapping.calculated_field': {
    meaning: 'A mapping reads a formula, a roll-up summary or another field that raises no change event of its own.',
    remedy: 'Nothing, if it may come with the next change of the record; else run sync backfill start by a schedule.',
  },
  'mapping.change_events': {
    meaning: 'The mappings need change events of more objects than an org gives without the add-on.',
    remedy: 'Add the Change Data Capture add-on, map fewer objects or parents, or set FAN_OUT_OWNERS=false.',
  },
  'mapping.consent_hidden': {
    meaning:
      'The integration user cannot see HasOptedOutOfEmail, so that nobody is unsubscribed who opts out in Salesforce.',
    remedy: 'Give it read access to the field, or say in a consent block what says no.',
  },
  'mapping.date_as_text': {
    meaning: 'A mapping sends dates to a field that is a string in Iterable.',
    remedy: 'Map to another target if campaigns are to compare it as a date.',
  },
  'mapping.expression_failed': {
    meaning: 'An expression of the mapping cannot be evaluated for this record.',
    remedy: 'Correct the expression that the message names, then redrive; sync mapping preview shows it at work.',
  },
  'mapping.field_budget': {
    meaning: 'The Iterable project has nearly as many profile fields as it may, or the mappings ask for more.',
    remedy: 'Map fewer fields, delete unused ones in Iterable, or ask Iterable for a higher limit.',
  },
  'mapping.filtered': {
    meaning: 'The condition `when` of the mapping does not hold for the record.',
    remedy: 'Nothing, if that is meant; the profile keeps what was written before.',
  },
  'mapping.invalid_email': {
    meaning: 'The email of the record is no address that Iterable would take.',
    remedy: 'Correct it in Salesforce: the change is then picked up.',
  },
  'mapping.invalid_user_id': {
    meaning: 'The user id of the record is none that Iterable would take.',
    remedy: 'Correct it in Salesforce or map another field: 1 to 52 printable ASCII characters.',
  },
  'mapping.mistake': {
    meaning: 'A mapping file is not written as the language wants it.',
    remedy: 'Correct the line that the message names; docs/mapping.md explains the file.',
  },
  'mapping.near_field': {
    meaning: 'A target is new, and differs from a field of Iterable by letter case only.',
    remedy: 'Write it as Iterable has it, unless two fields are meant.',
  },
  'mapping.new_double': {
    meaning: 'A mapping makes a new field for numbers with places after the point.',
    remedy: 'Create it in Iterable as double before the first value is sent.',
  },
  'mapping.no_delete_flag': {
    meaning: 'ON_DELETE is flag, and a mapping does not say which profile field is the flag.',
    remedy: 'Map IsDeleted to a target, or set ON_DELETE to something else.',
  },
  'mapping.no_email': {
    meaning: 'The record has no email address, and the project identifies users by email.',
    remedy: 'Nothing, or fill in the email in Salesforce: the change is then picked up.',
  },
  'mapping.no_person_lookup': {
    meaning: 'What a mapping says that its records belong to is no lookup to a Lead or Contact.',
    remedy: 'Name the API name of such a lookup in identity.belongsTo.',
  },
  'mapping.polymorphic_field': {
    meaning: 'A mapping reads something that SOQL does not show of a lookup which may point at several objects.',
    remedy: 'Map a field that SOQL shows, or make a formula field of the object that reads it.',
  },
  'mapping.text_shortened': {
    meaning: 'A mapping reads texts that may be longer than Iterable keeps.',
    remedy: 'Nothing, if the beginning is enough; else map another field.',
  },
  'mapping.too_many_fields': {
    meaning: 'A mapping reads more fields than fit into one query.',
    remedy: 'Map fewer fields of this object.',
  },
  'mapping.type_conflict': {
    meaning: 'A mapping sends a field values of another type than it has.',
    remedy:
      'Choose another target, or give it the right type in the mapping; Iterable never changes the type of a field.',
  },
  'mapping.type_mismatch': {
    meaning: 'A value of the record is not of the type that the mapping gives its target.',
    remedy: 'Correct it in Salesforce, or the type in the mapping; or make it fit with a transform. Then redrive.',
  },
  'mapping.unknown_field': {
    meaning: 'A mapping reads a field that the org does not show.',
    remedy: 'Correct the path, or give the integration user read access to the field.',
  },
  'mapping.unknown_object': {
    meaning: 'The org does not show the object of a mapping.',
    remedy: 'Correct the name, or give the integration user read access to the object.',
  },
  'mapping.unknown_subscription': {
    meaning: 'A consent rule names a channel or message type that the Iterable project does not have.',
    remedy: 'Correct the id in the mapping, or make the channel or message type in Iterable.',
  },
  'mapping.unknown_value': {
    meaning: 'A mapping names a value that its field never has.',
    remedy: 'Correct it, unless the value is still to come.',
  },
  'mapping.unmapped_object': {
    meaning: 'There is no mapping file for this object.',
    remedy: 'Add one to MAPPINGS_DIR, or take the object out of SALESFORCE_CHANNELS.',
  },
  'salesforce.access_refused': {
    meaning: 'Salesforce refuses the credential, the user or the org.',
    remedy:
      "Check SALESFORCE_* and that the integration user may use the API; the service's log names Salesforce's own reason.",
  },
  'salesforce.converted': {
    meaning: 'The lead was converted: its profile goes on as that of the contact.',
    remedy: 'Nothing.',
  },
  'salesforce.deleted': {
    meaning: 'The record was deleted in Salesforce.',
    remedy: 'Nothing, unless the profile in Iterable must go too.',
  },
  'salesforce.limit_exceeded': {
    meaning: "The org's allowance of API calls is used up.",
    remedy: 'Wait, or have the allowance raised; find out what else uses it under Setup, System Overview.',
  },
  'salesforce.merged': {
    meaning: 'The record was merged into another one in Salesforce.',
    remedy: 'Nothing: ON_DELETE says what becomes of its profile.',
  },
  'salesforce.not_found': {
    meaning: 'Salesforce shows no such record: it is gone, or the integration user may not see it.',
    remedy: 'If it exists, give the integration user access to it (View All on the object).',
  },
  'salesforce.query_expired': {
    meaning: 'The result of a query was given up by Salesforce before all of it was read.',
    remedy: 'Nothing: the query begins anew.',
  },
  'salesforce.query_refused': {
    meaning: 'Salesforce refuses a query: an unknown or hidden field, an unknown object, or a wrong condition.',
    remedy: 'Correct the mapping or the condition, or give the integration user read access to the field.',
  },
  'salesforce.query_too_large': {
    meaning: 'A query is too long or too slow for Salesforce.',
    remedy: 'Nothing: it is asked again in smaller parts. If it stays, map fewer fields.',
  },
  'salesforce.session_refused': {
    meaning: 'Salesforce refuses the session, also a new one.',
    remedy: 'Check the connected app and its policies: session length, IP restrictions.',
  },
  'salesforce.timeout': {
    meaning: 'Salesforce did not answer in time.',
    remedy: 'Nothing, if it passes: the sync tries again. Otherwise the query may be too slow for the org.',
  },
  'salesforce.unavailable': {
    meaning: 'Salesforce cannot be reached, or answers that it cannot answer now.',
    remedy: 'Nothing, if it passes: the sync tries again. Otherwise see status.salesforce.com and the network.',
  },
  'writer.dry_run': {
    meaning: 'ITERABLE_DRY_RUN is on: the update was made and checked, not written.',
    remedy: 'Nothing. Turn ITERABLE_DRY_RUN off to write; then backfill.',
  },
  'writer.forget_deferred': {
    meaning: 'The person is to be forgotten, but the daily limit of Iterable (1,000) is used up.',
    remedy: 'Nothing: it is done as soon as the limit allows; until then the profile is there.',
  },
  'writer.missing_identifier': {
    meaning: 'The update carries no email or user id as the project type needs it.',
    remedy: 'Check ITERABLE_PROJECT_TYPE: it must be the same for mapper and writer, and fit the project.',
  },
  'writer.newer_update': {
    meaning: 'A newer state of the same record was waiting, and was written instead.',
    remedy: 'Nothing.',
  },
  'writer.no_flag_field': {
    meaning: 'ON_DELETE is flag, but the mapping of the object writes no IsDeleted.',
    remedy: 'Map IsDeleted to a field, e.g. IsDeleted: dataFields.Salesforce.Deleted.',
  },
  'writer.outranked': {
    meaning: 'Another record has the address: a contact before a lead, then the record created later.',
    remedy: 'Nothing; merge the duplicates in Salesforce if they are one person.',
  },
  'writer.person_not_written': {
    meaning: 'The lead or contact that the record belongs to has no profile.',
    remedy: 'Nothing; when the person is written, backfill this object.',
  },
  'writer.profile_shared': {
    meaning: 'The record is gone, but another record has its profile: that one is asked for again.',
    remedy: 'Nothing.',
  },
  'writer.stale_version': {
    meaning: 'A newer state of the record had been written already.',
    remedy: 'Nothing.',
  },
};
