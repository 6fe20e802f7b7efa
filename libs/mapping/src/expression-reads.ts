import { MIN_ARGUMENTS, REFUSED_FUNCTIONS } from './expression-functions.js';
import { ExpressionSyntaxError, parseExpression } from './expression.js';

/** A field or relationship of the record that an expression reads. */
export interface Read {
  readonly path: string;
  /** Is only asked whether it is there, as a relationship may be. */
  readonly existence: boolean;
  /** Index into the text of the expression. */
  readonly position: number;
}

export interface ExpressionMistake {
  readonly message: string;
  readonly suggestion?: string;
  /** Index into the text of the expression. */
  readonly position: number;
}

/** What an expression reads of the record, and what is wrong with it. */
export interface ExpressionReads {
  readonly reads: readonly Read[];
  readonly mistakes: readonly ExpressionMistake[];
}

/** A node of JSONata's syntax tree, as far as it is looked at. */
interface Node {
  readonly type: string;
  readonly value?: unknown;
  readonly position?: number;
  readonly steps?: readonly Node[];
  readonly expressions?: readonly Node[];
  readonly expression?: Node;
  readonly lhs?: unknown;
  readonly rhs?: Node;
  readonly arguments?: readonly Node[];
  readonly procedure?: Node;
  readonly condition?: Node;
  readonly then?: Node;
  readonly else?: Node;
  readonly body?: Node;
  readonly stages?: ReadonlyArray<{ readonly type: string; readonly expr?: Node; readonly value?: string }>;
  readonly predicate?: ReadonlyArray<{ readonly expr?: Node }>;
  readonly group?: { readonly lhs: ReadonlyArray<readonly [Node, Node]> };
  readonly terms?: ReadonlyArray<{ readonly expression: Node }>;
  readonly focus?: string;
  readonly index?: string;
  readonly pattern?: Node;
  readonly update?: Node;
  readonly delete?: Node;
}

/** Places of the record that a value may be: paths, `''` for the record itself. Empty: it was made from what was read before. */
type Places = readonly string[];
const MADE: Places = [];
const RECORD: Places = [''];

type Scope = ReadonlyMap<string, Places>;

/**
 * Finds every place of the record that an expression reads, by following values through its syntax tree.
 *
 * What is read in a way that does not show which field it is (the whole record, a wildcard, a computed name) is a mistake,
 * and so is what would make the result depend on more than the record.
 */
export function expressionReads(text: string): ExpressionReads {
  try {
    return new Walk().run(parseExpression(text).ast());
  } catch (error) {
    if (!(error instanceof ExpressionSyntaxError)) throw error;
    return { reads: [], mistakes: [{ message: `is not JSONata: ${error.message}`, position: error.position }] };
  }
}

class Walk {
  private readonly reads: Read[] = [];
  private readonly mistakes: ExpressionMistake[] = [];

  run(root: Node): ExpressionReads {
    this.use(root, RECORD, new Map());
    return { reads: this.reads, mistakes: this.mistakes };
  }

  private refuse(message: string, node: Node, suggestion?: string): void {
    const found = { message: `cannot be used: ${message}`, position: startOf(node) };
    this.mistakes.push(suggestion === undefined ? found : { ...found, suggestion });
  }

  /** The value of the node is taken as it is: all of it counts as read. */
  private use(node: Node | undefined, context: Places, scope: Scope, existence = false): void {
    if (node !== undefined) this.take(this.visit(node, context, scope), node, existence);
  }

  private take(places: Places, node: Node, existence = false): void {
    for (const path of places) {
      if (path === '')
        this.refuse('it reads the whole record, so that nobody can see which fields it needs; name them', node);
      else this.reads.push({ path, existence, position: startOf(node) });
    }
  }

  private useAll(nodes: readonly Node[] | undefined, context: Places, scope: Scope): void {
    for (const node of nodes ?? []) this.use(node, context, scope);
  }

  /** Which places the value of a node may be. */
  private visit(node: Node, context: Places, scope: Scope): Places {
    const places = this.visitKind(node, context, scope);
    for (const { expr } of node.predicate ?? []) this.use(expr, places, scope);
    this.usePairs(node.group?.lhs, places, scope);
    if (node.group === undefined) return places;
    return MADE;
  }

  private usePairs(pairs: ReadonlyArray<readonly [Node, Node]> | undefined, context: Places, scope: Scope): void {
    for (const pair of pairs ?? []) this.useAll(pair, context, scope);
  }

  private visitKind(node: Node, context: Places, scope: Scope): Places {
    switch (node.type) {
      case 'path':
        return this.visitPath(node.steps ?? [], context, scope);
      case 'name':
        return context.map((place) => (place === '' ? String(node.value) : `${place}.${String(node.value)}`));
      case 'variable':
        return this.visitVariable(node, context, scope);
      case 'wildcard':
      case 'descendant':
        if (context.length > 0)
          this.refuse(`"${String(node.value)}" does not say which fields it reads; name them`, node);
        return MADE;
      case 'parent':
        this.refuse(
          'the parent operator % does not say which fields it reads; write the path from the record, $$.…',
          node,
        );
        return MADE;
      case 'condition':
        this.use(node.condition, context, scope, true);
        return [node.then, node.else].flatMap((branch) =>
          branch === undefined ? [] : this.visit(branch, context, scope),
        );
      case 'block':
        return this.visitBlock(node.expressions ?? [], context, scope);
      case 'bind':
        this.refuse('a variable is bound where it cannot be followed; bind it in a block: ($name := …; …)', node);
        return MADE;
      case 'function':
      case 'partial':
        return this.visitCall(node, context, scope);
      case 'lambda':
        return this.visitLambda(node, context, scope);
      case 'binary':
        return this.visitBinary(node, context, scope);
      case 'apply':
        this.use(node.lhs as Node, context, scope);
        this.use(node.rhs, context, scope);
        return MADE;
      case 'unary':
        this.useAll(node.expressions, context, scope);
        this.use(node.expression, context, scope);
        this.usePairs(node.lhs as Array<[Node, Node]> | undefined, context, scope);
        return MADE;
      case 'sort':
        for (const term of node.terms ?? []) this.use(term.expression, context, scope);
        return context;
      case 'transform':
        // Works on what is handed to it, which counts as read there
        for (const part of [node.pattern, node.update, node.delete]) this.use(part, MADE, scope);
        return MADE;
      default:
        return MADE; // a text, number, constant, regular expression or placeholder
    }
  }

  private visitPath(steps: readonly Node[], start: Places, outer: Scope): Places {
    let context = start;
    let scope = outer;
    for (const step of steps) {
      let places = this.visit(step, context, scope);
      for (const stage of step.stages ?? []) {
        if (stage.type === 'index' && stage.value !== undefined) scope = new Map([...scope, [stage.value, MADE]]);
        else this.use(stage.expr, places, scope);
      }
      if (step.index !== undefined) scope = new Map([...scope, [step.index, MADE]]);
      if (step.focus !== undefined) {
        scope = new Map([...scope, [step.focus, places]]);
        places = context;
      }
      context = places;
    }
    return context;
  }

  private visitVariable(node: Node, context: Places, scope: Scope): Places {
    const name = String(node.value);
    if (name === '') return context;
    if (name === '$') return RECORD;
    const bound = scope.get(name);
    if (bound !== undefined) return bound;
    this.checkFunction(name, node);
    return MADE;
  }

  private checkFunction(name: string, node: Node): void {
    const reason = REFUSED_FUNCTIONS.get(name);
    if (reason !== undefined) this.refuse(`$${name} ${reason}`, node);
    else if (!MIN_ARGUMENTS.has(name)) this.refuse(`$${name} is neither a function of JSONata nor bound before`, node);
  }

  private visitBlock(expressions: readonly Node[], context: Places, outer: Scope): Places {
    const scope = new Map(outer);
    let last = MADE;
    for (const [index, expression] of expressions.entries()) {
      if (expression.type === 'bind') {
        const name = String((expression.lhs as Node).value);
        // A function made before would see the new value, and the walk has passed it
        if (scope.has(name)) this.refuse(`$${name} is bound twice; give the second one another name`, expression);
        scope.set(name, MADE); // a function may call itself
        last = this.visit(expression.rhs as Node, context, scope);
        scope.set(name, last);
      } else {
        last = this.visit(expression, context, scope);
        if (index < expressions.length - 1) this.take(last, expression);
      }
    }
    return last;
  }

  private visitLambda(node: Node, context: Places, outer: Scope): Places {
    const scope = new Map(outer);
    for (const parameter of node.arguments ?? []) scope.set(String(parameter.value), MADE);
    this.use(node.body, context, scope);
    return MADE;
  }

  private visitCall(node: Node, context: Places, scope: Scope): Places {
    const { procedure, arguments: given = [] } = node;
    const called = procedure?.type === 'variable' ? String(procedure.value) : null;
    const own = called !== null && scope.has(called);
    const asksExistence = !own && (called === 'exists' || called === 'boolean' || called === 'not');
    if (called === null) this.use(procedure, context, scope);
    else if (!own) this.checkFunction(called, procedure ?? node);
    for (const argument of given) this.use(argument, context, scope, asksExistence);
    // A function of JSONata that is given too little takes what it stands in
    if (called !== null && !own && given.length < (MIN_ARGUMENTS.get(called) ?? 0)) this.take(context, node);
    return MADE;
  }

  private visitBinary(node: Node, context: Places, scope: Scope): Places {
    const lhs = node.lhs as Node;
    const rhs = node.rhs as Node;
    const logical = node.value === 'and' || node.value === 'or';
    const compared = node.value === '=' || node.value === '!=';
    const other = compared ? (isNull(rhs) ? lhs : isNull(lhs) ? rhs : null) : null;
    if (other !== null && node.value === '=') {
      const asked = sourceText(other);
      this.refuse(
        'an empty field is not there at all in an expression, so "= null" is never true',
        node,
        asked === '' ? undefined : `$not($exists(${asked}))`,
      );
    }
    for (const side of [lhs, rhs]) this.use(side, context, scope, logical || other !== null);
    return MADE;
  }
}

function isNull(node: Node): boolean {
  return node.type === 'value' && node.value === null;
}

/** A plain path as text; `''` for anything else. */
function sourceText(node: Node): string {
  const plain = node.type === 'path' && node.steps?.every((step) => step.type === 'name' && step.stages === undefined);
  return plain === true ? (node.steps ?? []).map((step) => String(step.value)).join('.') : '';
}

/** JSONata keeps the place behind the token of a node. */
function startOf(node: Node): number {
  const [first] = node.steps ?? [];
  if (first !== undefined) return startOf(first);
  const length = typeof node.value === 'string' ? node.value.length + (node.type === 'variable' ? 1 : 0) : 0;
  return Math.max(0, (node.position ?? 0) - length);
}
