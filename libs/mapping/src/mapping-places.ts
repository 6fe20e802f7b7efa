import { expressionReads } from './expression-reads.js';
import type { MappingFile } from './mapping.js';
import { entriesOf, Mistakes, offsetInText, readTop, type Entry } from './read-entries.js';
import { Block } from './read-block.js';

/** A place in a file. Lines and columns count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where a mapping file names what: for whoever finds out more about it than the parser. */
export interface MappingPlaces {
  /** The name of the object; the beginning of a file that does not write it down. */
  readonly object: Place;
  /** By source path, where it is named first: a line of fields, an expression, the lookup of identity, a consent rule. */
  readonly sources: ReadonlyMap<string, Place>;
  /** By target, where it is filled. */
  readonly targets: ReadonlyMap<string, Place>;
  /** By target and value, the lines of the value lists. */
  readonly listed: ReadonlyMap<string, ReadonlyMap<string, Place>>;
  /** By source path, what a consent rule compares with. */
  readonly consent: ReadonlyMap<string, Place>;
}

/** Finds the places of a file that `parseMapping` takes; of another one it may know fewer. */
export function mappingPlaces({ name, text }: MappingFile): MappingPlaces {
  const file = new PlacedFile(name, text);
  const top = file.top();
  const sources = new Map<string, Place>();
  const targets = new Map<string, Place>();
  const listed = new Map<string, ReadonlyMap<string, Place>>();
  const consent = new Map<string, Place>();
  const isLong = top.entry('fields')?.block !== undefined && top.entry('fields')?.block !== null;
  for (const line of isLong ? file.inside(top.entry('fields')) : top.entries()) {
    addFirst(sources, line.key, file.place(line.keyOffset));
    addFirst(targets, String(line.value), file.place(line.valueOffset));
  }
  if (!isLong) return { object: file.place(0), sources, targets, listed, consent };

  for (const entry of [top.entry('when'), ...file.inside(top.entry('transform'))]) {
    if (typeof entry?.value !== 'string') continue;
    for (const { path, position } of expressionReads(entry.value).reads) {
      addFirst(sources, path, file.place(offsetInText(text, entry.valueOffset, entry.value, position)));
    }
  }
  for (const block of ['transform', 'constants']) {
    for (const { key, keyOffset } of file.inside(top.entry(block))) addFirst(targets, key, file.place(keyOffset));
  }
  for (const lookup of file.inside(top.entry('identity'))) {
    addFirst(sources, String(lookup.value), file.place(lookup.valueOffset));
  }
  for (const rule of file.inside(top.entry('consent'))) {
    addFirst(sources, rule.key, file.place(rule.keyOffset));
    const when = file.inside(rule).find(({ key }) => key === 'when');
    if (when !== undefined) consent.set(rule.key, file.place(when.valueOffset));
  }
  for (const list of file.inside(top.entry('values'))) {
    const map = file.inside(list).find(({ key }) => key === 'map');
    listed.set(list.key, new Map(file.inside(map).map(({ key, keyOffset }) => [key, file.place(keyOffset)])));
  }
  const object = file.place(top.entry('object')?.valueOffset ?? 0);
  return { object, sources, targets, listed, consent };
}

function addFirst(places: Map<string, Place>, key: string, place: Place): void {
  if (!places.has(key)) places.set(key, place);
}

/** A file as blocks of entries, whose offsets become places. */
class PlacedFile {
  private readonly mistakes: Mistakes;
  private readonly read: ReturnType<typeof readTop>;

  constructor(name: string, text: string) {
    this.mistakes = new Mistakes(name, text);
    this.read = readTop(this.mistakes);
  }

  top(): Pick<Block, 'entry' | 'entries'> {
    if (this.read === null) return { entry: () => undefined, entries: () => [] };
    const { document, top } = this.read;
    return new Block(entriesOf(top, document, this.mistakes), document, this.mistakes);
  }

  inside(entry: Entry | undefined): readonly Entry[] {
    if (this.read === null || entry === undefined || entry.block === null) return [];
    return entriesOf(entry.block, this.read.document, this.mistakes);
  }

  place(offset: number): Place {
    const { line, col } = this.mistakes.lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}
