import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Texts remembered in the JavaScript heap, so that one that comes again soon is stored once and read without the database. */
const REMEMBERED = 64;

/**
 * Long texts beside the log, each stored once however many events carry it soon after one another: a storm of a million
 * events with the same long description is a million small rows.
 */
export class TextPool {
  private readonly insertOne: StatementSync;
  private readonly touchOne: StatementSync;
  private readonly readOne: StatementSync;
  private readonly idOf = new Map<string, number>();
  private readonly textOf = new Map<number, string>();

  constructor(private readonly db: DatabaseSync) {
    db.exec('CREATE TABLE texts (id INTEGER PRIMARY KEY, last INTEGER NOT NULL, text TEXT NOT NULL)');
    this.insertOne = db.prepare('INSERT INTO texts (last, text) VALUES (?, ?)');
    this.touchOne = db.prepare('UPDATE texts SET last = ? WHERE id = ?');
    this.readOne = db.prepare('SELECT text FROM texts WHERE id = ?');
  }

  /** Stores a text that the event at this place carries. Answers its id. */
  put(text: string, place: number): number {
    const known = this.idOf.get(text);
    if (known !== undefined) {
      this.touchOne.run(place, known);
      return known;
    }
    const id = Number(this.insertOne.run(place, text).lastInsertRowid);
    this.remember(id, text);
    return id;
  }

  get(id: number): string {
    const known = this.textOf.get(id);
    if (known !== undefined) return known;
    const text = String(this.readOne.get(id)?.['text'] ?? '');
    this.remember(id, text);
    return text;
  }

  /** Forgets the texts that only events before this place carry. */
  purge(place: number): void {
    this.db.prepare('DELETE FROM texts WHERE last < ?').run(place);
    this.idOf.clear();
    this.textOf.clear();
  }

  private remember(id: number, text: string): void {
    const oldest = this.textOf.entries().next().value;
    if (oldest !== undefined && this.textOf.size >= REMEMBERED) {
      this.textOf.delete(oldest[0]);
      this.idOf.delete(oldest[1]);
    }
    this.textOf.set(id, text);
    this.idOf.set(text, id);
  }
}
