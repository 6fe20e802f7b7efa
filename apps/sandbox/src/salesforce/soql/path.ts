import { quoted } from '../store/record-store.js';
import type { Schema } from '../schema/schema.js';
import { NAME_ENTITY_FIELDS } from '../schema/standard-objects.js';
import { field as defineField, type FieldSchema, type ObjectSchema } from '../schema/types.js';
import { malformedQuery, soqlError } from './soql-error.js';

/** Source: facts/salesforce.md §4.2, child-to-parent relationships. */
const MAX_LEVELS = 5;
const MAX_RELATIONSHIPS = 55;

/** One record in a query: the root or a parent. A polymorphic parent has one joined table for each object it may be. */
export interface Source {
  readonly key: string;
  readonly objects: ReadonlyArray<{ object: ObjectSchema; alias: string }>;
  /** What `attributes.type` shows: the object's name, or `Name` for a polymorphic parent. */
  readonly entity: string;
}

/** A field path of a query, resolved. */
export interface ResolvedField {
  readonly source: Source;
  readonly field: FieldSchema;
  readonly sql: string;
}

/**
 * The field paths of one query: `Owner.Email` becomes a column and the left joins it needs. Each relationship is joined
 * once, however many fields are read through it.
 */
export class Paths {
  readonly root: Source;
  readonly joins: string[] = [];
  private readonly sources = new Map<string, Source>();

  constructor(
    private readonly schema: Schema,
    private readonly soql: string,
    object: ObjectSchema,
    private readonly rootNames: readonly string[],
    private readonly nextAlias: () => string,
  ) {
    this.root = { key: '', objects: [{ object, alias: nextAlias() }], entity: object.name };
  }

  /** Splits `alias.Owner.Email` into names, without the alias or the object's own name in front. */
  names(path: string): string[] {
    const names = path.split('.');
    const first = names[0]?.toLowerCase() ?? '';
    return names.length > 1 && this.rootNames.some((one) => one.toLowerCase() === first) ? names.slice(1) : names;
  }

  /** Resolves a path to its column. Throws INVALID_FIELD with Salesforce's text. */
  resolve(path: string): ResolvedField {
    const names = this.names(path);
    const source = this.source(names.slice(0, -1), path);
    const name = names.at(-1) ?? '';
    const found = this.fieldOf(source, name);
    if (found === null) throw this.noSuchColumn(name, source.entity, path);
    return { source, field: found, sql: this.column(source, found) };
  }

  /** The source behind relationship names, joined when it is new. */
  source(relationships: readonly string[], path: string): Source {
    if (relationships.length > MAX_LEVELS) {
      throw malformedQuery(`SOQL statements cannot query more than ${MAX_LEVELS} levels of parent relationships`);
    }
    let source = this.root;
    for (const name of relationships) source = this.parent(source, name, path);
    return source;
  }

  /** SQL of a field of a source. */
  column(source: Source, one: FieldSchema): string {
    if (source.objects.length === 1) return `${source.objects[0]?.alias}.${quoted(one.name)}`;
    const parts = source.objects.map(({ object, alias }) => {
      if (this.schema.field(object, one.name) !== null) return `${alias}.${quoted(one.name)}`;
      // The entity `Name` tells the kind of owner; a user has no such field of its own.
      return one.name === 'Type' ? `CASE WHEN ${alias}."Id" IS NOT NULL THEN '${object.name}' END` : 'NULL';
    });
    return `coalesce(${parts.join(', ')})`;
  }

  private fieldOf(source: Source, name: string): FieldSchema | null {
    if (source.objects.length === 1) {
      const object = source.objects[0]?.object;
      return object === undefined ? null : this.schema.field(object, name);
    }
    const known = NAME_ENTITY_FIELDS.find((one) => one.toLowerCase() === name.toLowerCase());
    if (known === undefined) return null;
    if (known === 'Type') return defineField('Type', 'string', { nillable: false });
    const owners = source.objects.map(({ object }) => this.schema.field(object, known));
    return owners.find((one) => one !== null) ?? null;
  }

  private parent(from: Source, name: string, path: string): Source {
    const key = `${from.key}${name.toLowerCase()}.`;
    const known = this.sources.get(key);
    if (known !== undefined) return known;
    const object = from.objects.length === 1 ? from.objects[0]?.object : undefined;
    const lookup = object === undefined ? null : this.schema.relationship(object, name);
    const targets = (lookup?.referenceTo ?? []).flatMap((one) => this.schema.object(one) ?? []);
    if (lookup === null || targets.length === 0) {
      throw soqlError(
        'INVALID_FIELD',
        this.soql,
        path,
        `Didn't understand relationship '${name}' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.`,
      );
    }
    if (this.sources.size >= MAX_RELATIONSHIPS) {
      throw malformedQuery(`SOQL statements cannot query more than ${MAX_RELATIONSHIPS} parent relationships`);
    }
    const foreignKey = this.column(from, lookup);
    const objects = targets.map((target) => ({ object: target, alias: this.nextAlias() }));
    for (const { object: target, alias } of objects) {
      this.joins.push(`LEFT JOIN ${quoted(target.name)} ${alias} ON ${alias}."Id" = ${foreignKey}`);
    }
    const source: Source = { key, objects, entity: objects.length === 1 ? (targets[0]?.name ?? '') : 'Name' };
    this.sources.set(key, source);
    return source;
  }

  private noSuchColumn(name: string, entity: string, path: string) {
    return soqlError(
      'INVALID_FIELD',
      this.soql,
      path,
      `No such column '${name}' on entity '${entity}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.`,
    );
  }
}
