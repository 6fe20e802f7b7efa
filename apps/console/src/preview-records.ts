import { BadRequestException, NotFoundException } from '@nestjs/common';
import { errorCodes, SyncError, toRecordId } from '@libs/contracts';
import type { Profile, ProfileKey } from '@libs/iterable';
import {
  differenceOf,
  isUsableEmail,
  normalizeEmail,
  outranks,
  type IdentifiedUser,
  type Mapping,
} from '@libs/mapping';
import { SalesforceQueryError } from '@libs/salesforce';
import { readMappingSet } from '@libs/service';
import type { Claimant, PreviewAnswer, PreviewRequest, RecordPreview } from './core/preview-answers.js';
import { notWritten, outranked, personNotWritten, written, type FateInWords } from './core/preview-text.js';
import type { MappingSources } from './mapping-sources.js';
import { MAX_FOUND, OrgRecords, type Loaded } from './org-records.js';
import { fieldsBody, nameOf, userBody, type PreviewBody } from './preview-body.js';

/**
 * What records would become in Iterable: by the mapper's query and mapping, the writer's body, and the profile that Iterable
 * holds. Reads only.
 *
 * Errors: a 400 or 404 in words; `MappingFilesError`; those of the clients, but what Iterable does not answer is left out, with a note.
 */
export async function previewRecords(request: PreviewRequest, sources: MappingSources): Promise<PreviewAnswer> {
  const { projectType } = sources;
  const directory = request.files === undefined ? sources.directory : 'the files given';
  const files = request.files ?? sources.files();
  const mappings = readMappingSet(files, directory, { projectType });
  return new Preview(new OrgRecords(mappings, files, sources), sources).answer(request);
}

/** A record that claims an address. */
interface Rival {
  readonly recordType: string;
  readonly recordId: string;
  readonly createdMs: number;
}

/** One answer in the making. */
class Preview {
  private readonly notes = new Set<string>();
  /** Every record seen that claims an address, by address; the one that has it first. */
  private readonly rivals = new Map<string, Rival[]>();
  private iterableAnswers = true;

  constructor(
    private readonly org: OrgRecords,
    private readonly sources: MappingSources,
  ) {}

  async answer(request: PreviewRequest): Promise<PreviewAnswer> {
    const subjects = await this.subjects(request);
    const persons = await this.personsOf(subjects);
    await this.findRivals([...subjects, ...persons.values()]);
    const records: RecordPreview[] = [];
    for (const subject of subjects) records.push(await this.preview(subject, persons));
    return { projectType: this.sources.projectType, records, notes: [...this.notes] };
  }

  private async subjects({ id, email, object, sample }: PreviewRequest): Promise<Loaded[]> {
    if (id !== undefined) return this.byId(id);
    if (email !== undefined) return this.byEmail(email);
    return this.sampleOf(object ?? '', sample ?? 1);
  }

  private async byId(given: string): Promise<Loaded[]> {
    const id = toRecordId(given);
    if (id === null) throw new BadRequestException(`${given} is no record id of Salesforce: 15 or 18 characters.`);
    const object = await this.org.objectOf(id);
    if (object === null) throw new BadRequestException(`${id} is of no mapped object. ${this.mappedObjects()}`);
    const found = await this.org.load(this.mappingOf(object), [id]);
    if (found.length > 0) return found;
    throw new NotFoundException(
      `Salesforce shows no ${object} ${id}: it is gone for good, or the integration user may not see it.`,
    );
  }

  private async byEmail(given: string): Promise<Loaded[]> {
    const address = normalizeEmail(given);
    if (!isUsableEmail(address)) throw new BadRequestException('That is no email address that Iterable would take.');
    const found: Loaded[] = [];
    const asked: string[] = [];
    for (const { mapping, source } of this.addressed()) {
      asked.push(mapping.object);
      found.push(...(await this.withAddress(mapping, source, [address])));
    }
    if (found.length > 0) return found;
    const nobody =
      asked.length === 0
        ? 'No mapping can be looked up by address.'
        : `No ${asked.join(' and no ')} in Salesforce has this address.`;
    throw new NotFoundException([nobody, ...this.notes].join(' '));
  }

  private async sampleOf(object: string, count: number): Promise<Loaded[]> {
    const mapping = this.mappingOf(object);
    const found = await this.org.load(mapping, await this.org.latestIds(object, count));
    if (found.length === 0) throw new NotFoundException(`Salesforce shows no ${object} at all.`);
    return found;
  }

  private mappingOf(object: string): Mapping {
    const mapping = this.org.mappings.get(object);
    if (mapping === undefined) throw new BadRequestException(`${object} is not mapped. ${this.mappedObjects()}`);
    return mapping;
  }

  private mappedObjects(): string {
    return `Mapped: ${[...this.org.mappings.keys()].join(', ')}.`;
  }

  /** Mappings whose records can be looked up by address, with the field that holds it. */
  private addressed(): Array<{ readonly mapping: Mapping; readonly source: string }> {
    return [...this.org.mappings.values()].flatMap((mapping) => {
      if (mapping.belongsTo !== undefined) return [];
      const source = mapping.fields.find(({ target }) => target === 'email')?.source;
      if (source !== undefined) return { mapping, source };
      if (mapping.transform?.has('email') === true) {
        this.notes.add(`${mapping.object} is not looked up by address: an expression makes it (${mapping.file}).`);
      }
      return [];
    });
  }

  private async withAddress(mapping: Mapping, source: string, addresses: readonly string[]): Promise<Loaded[]> {
    const { object } = mapping;
    try {
      const ids = await this.org.idsByEmail(mapping, source, addresses);
      if (ids.length === MAX_FOUND) this.notes.add(`Of ${object} only ${MAX_FOUND} records are looked at.`);
      return await this.org.load(mapping, ids);
    } catch (error) {
      if (!(error instanceof SalesforceQueryError) || error.about.field !== source) throw error;
      this.notes.add(`${object} is not looked up by address: ${error.message}`);
      return [];
    }
  }

  /** The persons that subjects belong to, by the id in the lookup; a converted Lead is its Contact. */
  private async personsOf(subjects: readonly Loaded[]): Promise<Map<string, Loaded>> {
    const persons = new Map<string, Loaded>();
    for (const { fate } of subjects) {
      if (fate.kind !== 'belonging' || persons.has(fate.belongsTo)) continue;
      const person = await this.person(fate.belongsTo);
      if (person !== null) persons.set(fate.belongsTo, person);
    }
    return persons;
  }

  private async person(id: string): Promise<Loaded | null> {
    const object = await this.org.objectOf(id);
    if (object === null) return null;
    const [found] = await this.org.load(this.mappingOf(object), [id]);
    return found?.fate.kind === 'converted' ? this.person(found.fate.contactId) : (found ?? null);
  }

  private async findRivals(records: readonly Loaded[]): Promise<void> {
    const addresses = [...new Set(records.flatMap((record) => addressOf(record) ?? []))];
    const all = new Map(records.map((record) => [record.recordId, record]));
    if (addresses.length > 0) {
      for (const { mapping, source } of this.addressed()) {
        for (const one of await this.withAddress(mapping, source, addresses)) all.set(one.recordId, one);
      }
    }
    const claims = [...all.values()].flatMap((record) => {
      const address = addressOf(record);
      return address === null ? [] : [{ address, rival: toRival(record) }];
    });
    for (const [address, found] of Map.groupBy(claims, (claim) => claim.address)) {
      const inLine = found.map(({ rival }) => rival).toSorted((a, b) => (outranks(a, b) ? -1 : 1));
      this.rivals.set(address, inLine);
    }
  }

  private async preview(subject: Loaded, persons: ReadonlyMap<string, Loaded>): Promise<RecordPreview> {
    const { fate, recordId } = subject;
    if (fate.kind === 'user') {
      const owner = this.ownerOf(subject);
      const owns = owner === null || owner.recordId === recordId;
      const { replaceNested } = subject.compiled;
      const body = userBody(this.sources.projectType, fate.user, { owns, replaceNested });
      if (!owns && this.sources.projectType === 'email') {
        return this.shown(subject, outranked({ object: owner.recordType, recordId: owner.recordId }), body);
      }
      const without = `Its address goes to ${owner?.recordType} ${owner?.recordId}; this profile carries none.`;
      return this.compared(subject, body, owns ? [] : [without]);
    }
    if (fate.kind !== 'belonging') return this.shown(subject, notWritten(fate), null);
    const person = persons.get(fate.belongsTo);
    if (person?.fate.kind !== 'user') {
      return this.shown(subject, personNotWritten(fate.belongsTo, 'writer.person_not_written'), null);
    }
    const { projectType } = this.sources;
    const owner = this.ownerOf(person);
    if (projectType === 'email' && owner !== null && owner.recordId !== person.recordId) {
      return this.shown(subject, personNotWritten(person.recordId, 'writer.outranked'), null);
    }
    const on = profileOf(projectType, person.fate.user);
    const body = fieldsBody(on, fate.mapped.dataFields, subject.compiled.replaceNested);
    return this.compared(subject, body, [`It is that of ${person.mapping.object} ${person.recordId}.`]);
  }

  private ownerOf(record: Loaded): Rival | null {
    const address = addressOf(record);
    return address === null ? null : (this.rivals.get(address)?.[0] ?? null);
  }

  /** With the difference from the profile, as far as Iterable shows it. */
  private async compared(subject: Loaded, made: PreviewBody, notes: readonly string[]): Promise<RecordPreview> {
    const held = await this.profile(made.on);
    const profile =
      held === undefined ? ('not-asked' as const) : held === null ? ('none' as const) : ('found' as const);
    const difference = held === undefined ? null : this.difference(subject, made, held);
    const words = written(nameOf(made.on), { profile, difference }, notes);
    return { ...this.shown(subject, words, made), profile, difference };
  }

  private difference(
    { compiled }: Loaded,
    { on, body }: PreviewBody,
    held: Profile | null,
  ): RecordPreview['difference'] {
    const { dataFields, userId } = body as { dataFields: Record<string, unknown>; userId?: string };
    // Where users are known by email, a user id is a field of theirs
    const sent = 'email' in on && userId !== undefined ? { userId, ...dataFields } : dataFields;
    const { dataFields: fields = {}, ...identifiers } = held ?? {};
    return differenceOf({ ...fields, ...identifiers }, sent, {
      replaceNested: compiled.replaceNested,
      types: compiled.targetTypes,
    });
  }

  /** `undefined`: not asked, or no answer, which a note tells. */
  private async profile(on: ProfileKey): Promise<Profile | null | undefined> {
    if (!this.iterableAnswers) return undefined;
    try {
      return await this.sources.getUser(on);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      // About this user, or about all: then the others need not wait for the same
      this.iterableAnswers = !error.retryable && error.code.startsWith('iterable.');
      const { meaning, remedy } = errorCodes[error.code] ?? { meaning: error.message, remedy: '' };
      const said = error.code === 'console.not_configured' ? error.message : `${meaning} ${remedy}`;
      this.notes.add(`No difference from the profile: ${said.trim()}`);
      return undefined;
    }
  }

  private shown(subject: Loaded, words: FateInWords, made: PreviewBody | null): RecordPreview {
    const { mapping, compiled, recordId, soql, row, fate } = subject;
    const mapped = fate.kind === 'user' || fate.kind === 'belonging' ? fate.mapped : null;
    return {
      object: mapping.object,
      recordId,
      mapping: { file: mapping.file, version: compiled.version },
      soql,
      record: withoutAttributes(row),
      ...words,
      body: made === null ? null : { ...made.body },
      mergeNestedObjects: made === null ? null : made.mergeNestedObjects,
      profile: 'not-asked',
      difference: null,
      claimants: this.claimantsOf(subject),
      optOut: mapped?.optOut ?? null,
      shortened: [...(mapped?.shortened ?? [])],
    };
  }

  private claimantsOf(subject: Loaded): Claimant[] {
    const address = addressOf(subject);
    const inLine = address === null ? [] : (this.rivals.get(address) ?? []);
    return inLine.map(({ recordType, recordId }, index) => ({ object: recordType, recordId, hasAddress: index === 0 }));
  }
}

/** The address that a record claims; `null`: none. */
function addressOf({ fate }: Loaded): string | null {
  return fate.kind === 'user' ? (fate.user.email ?? null) : null;
}

function toRival({ mapping, compiled, recordId, row }: Loaded): Rival {
  return { recordType: mapping.object, recordId, createdMs: compiled.createdMs(row) ?? 0 };
}

function profileOf(projectType: PreviewAnswer['projectType'], { email, userId }: IdentifiedUser): ProfileKey {
  return projectType === 'email' ? { email: email ?? '' } : { userId: userId ?? '' };
}

/** A row without what Salesforce says of its type at every level. */
function withoutAttributes(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).flatMap(([name, value]) => {
      if (name === 'attributes') return [];
      const inner = typeof value === 'object' && value !== null && !Array.isArray(value);
      return [[name, inner ? withoutAttributes(value as Record<string, unknown>) : value]];
    }),
  );
}
