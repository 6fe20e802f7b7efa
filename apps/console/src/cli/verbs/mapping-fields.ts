import { InvalidArgumentError } from 'commander';
import { plural } from '../../core/format.js';
import { MAX_DEPTH, type FieldsAnswer, type MappableField } from '../../core/mapping-answers.js';
import { printLine } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { table } from '../text.js';
import { groupOf, MAPPING_GROUP, withConsoleOptions, type ConsoleOptions, type Verb } from './verb.js';

interface FieldsOptions extends ConsoleOptions {
  readonly depth: number;
}

/** Most values of a picklist in a line; `--json` has all of them. */
const MOST_VALUES = 6;

function typeOf({ type, length, values, calculated }: MappableField): string {
  const words = [length === null ? type : `${type}(${length})`];
  if (values !== null) {
    const more = values.length > MOST_VALUES ? ` and ${values.length - MOST_VALUES} more` : '';
    words.push(`: ${values.slice(0, MOST_VALUES).join(', ')}${more}`);
  }
  if (calculated !== null) words.push(`, ${calculated}`);
  return words.join('');
}

/** What can be mapped, for a person: one field a line, then the lookups. */
export function fieldLines({ object, file, fields, parents }: FieldsAnswer): string[] {
  const mapped = fields.filter(({ mappedTo }) => mappedTo.length > 0).length;
  const rows = fields.map((field) => [field.path, field.label, field.mappedTo.join(', '), typeOf(field)]);
  return [
    `${object}: ${plural(fields.length, 'field')}, ${file === null ? 'no mapping file' : `${mapped} mapped by ${file}`}`,
    '',
    ...table([['Field', 'Label', 'Mapped to', 'Type'], ...rows], Infinity),
    ...(parents.length === 0 ? [] : ['', 'Lookups, whose fields can be mapped too (--depth 1 lists them):']),
    ...table(
      parents.map(({ path, objects }) => [`  ${path}.…`, objects.join(' or ')]),
      Infinity,
    ),
  ];
}

function depth(given: string): number {
  const levels = Number(given);
  if (Number.isInteger(levels) && levels >= 0 && levels <= MAX_DEPTH) return levels;
  throw new InvalidArgumentError(`It is a whole number from 0 to ${MAX_DEPTH}.`);
}

/** `sync mapping fields`. */
export const mappingFields: Verb = (program, run) => {
  withConsoleOptions(
    groupOf(program, 'mapping', MAPPING_GROUP)
      .command('fields')
      .argument('<object>', 'API name of the object, e.g. Lead')
      .description('list what can be mapped of an object, and what is mapped already')
      .option('--depth <levels>', `how many lookups to go up, 0 to ${MAX_DEPTH}`, depth, 0),
  ).action(
    run(async ({ client, out }, object: string, { json, url, depth: levels }: FieldsOptions) => {
      const answer = await client(url).mappableFields(object, levels);
      if (json === true) printLine(out, JSON.stringify(answer));
      else for (const line of fieldLines(answer)) printLine(out, line);
      return exitCodes.ok;
    }),
  );
};
