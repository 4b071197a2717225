// Turning what was typed into a run dialog into parameter values, by the rules the server applies (pulse-core, workflow/params.rs).
import type { Param } from '../../api/generated';

/** What a form holds per parameter: text, or a tick for a boolean. */
export type Draft = Record<string, string | boolean>;
export type Errors = Record<string, string>;
export type Values = Record<string, string | number | boolean>;

export function initialDraft(params: Param[]): Draft {
  return Object.fromEntries(
    params.map((param) => [param.name, param.type === 'boolean' ? param.default === true : param.default === undefined || param.default === null ? '' : String(param.default)]),
  );
}

/** The values to send, and one message for each parameter that cannot be sent as typed. */
export function readDraft(params: Param[], draft: Draft): { values: Values; errors: Errors } {
  const values: Values = {};
  const errors: Errors = {};
  for (const param of params) {
    const given = draft[param.name] ?? '';
    if (typeof given === 'boolean') {
      values[param.name] = given;
    } else if (given === '') {
      if (param.required) errors[param.name] = 'This is required.';
      // A text field emptied on purpose means the empty text; anything else left empty means "not given".
      else if (param.type === 'string' && param.default) accept(param, '', values, errors);
    } else {
      accept(param, given, values, errors);
    }
  }
  return { values, errors };
}

function accept(param: Param, text: string, values: Values, errors: Errors): void {
  const error = check(param, text);
  if (error) {
    errors[param.name] = error;
    return;
  }
  const number = Number(text);
  const numeric = param.type === 'number' || (param.type === 'integer' && Number.isSafeInteger(number));
  // An integer too large for JavaScript goes as text: the server reads it exactly.
  values[param.name] = numeric ? number : param.type === 'integer' ? text.trim() : text;
}

function check(param: Param, text: string): string | null {
  switch (param.type) {
    case 'string':
    case 'secret':
      return param.pattern && !matches(param.pattern, text) ? `This must match ${param.pattern}` : null;
    case 'choice':
      return param.options?.includes(text) ? null : `This must be one of ${(param.options ?? []).join(', ')}.`;
    case 'integer':
      return /^\s*[+-]?\d+\s*$/.test(text) ? inRange(param, Number(text)) : 'This must be a whole number.';
    case 'number':
      return text.trim() !== '' && Number.isFinite(Number(text)) && !/[xob]/i.test(text) ? inRange(param, Number(text)) : 'This must be a number.';
    default:
      return null;
  }
}

function inRange(param: Param, value: number): string | null {
  if (param.min != null && value < param.min) return `This must be at least ${param.min}.`;
  if (param.max != null && value > param.max) return `This must be at most ${param.max}.`;
  return null;
}

/** The server's patterns are Rust regular expressions; one that JavaScript cannot read is left to the server to judge. */
function matches(pattern: string, text: string): boolean {
  let regex: RegExp;
  try {
    regex = new RegExp(pattern, 'u');
  } catch {
    try {
      regex = new RegExp(pattern);
    } catch {
      return true;
    }
  }
  return regex.test(text);
}

/** Targets as typed: names, globs or label selectors. A comma inside a selector belongs to it, so they are parted by spaces. */
export function readTargets(text: string): string[] | undefined {
  const targets = text.split(/\s+/).filter(Boolean);
  return targets.length > 0 ? targets : undefined;
}
