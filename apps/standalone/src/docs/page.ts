/** A generated file: where it belongs, from the root of the repository, and what it holds. */
export interface Page {
  readonly path: string;
  readonly content: string;
}

const GENERATED = 'Made from code by `npm run docs`; do not edit.';

/** A Markdown page with a title, that says that it is generated. */
export function markdownPage(path: string, title: string, ...blocks: readonly string[]): Page {
  return { path, content: `${[`# ${title}`, `> ${GENERATED}`, ...blocks].join('\n\n')}\n` };
}

/** Text inside a table cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** A Markdown table. */
export function markdownTable(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** `name` as code; nothing for nothing. */
export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}
