// The run dialog's reading of what was typed.
import { describe, expect, it } from 'vitest';
import type { Param } from '../../api/generated';
import { initialDraft, readDraft, readTargets } from './params';

const param = (over: Partial<Param>): Param => ({ name: 'p', type: 'string', required: false, ...over });
const read = (over: Partial<Param>, text: string | boolean) => {
  const { values, errors } = readDraft([param(over)], { p: text });
  return errors.p ?? values;
};

describe('readDraft', () => {
  it.each<[Partial<Param>, string | boolean, unknown]>([
    [{ required: true }, '', 'This is required.'],
    [{ required: false }, '', {}],
    [{ default: '/' }, '', { p: '' }],
    [{ default: '/', pattern: '^/' }, '', 'This must match ^/'],
    [{}, " '; touch x #\n", { p: " '; touch x #\n" }],
    [{ pattern: '^/[\\w/.-]*$' }, '/data', { p: '/data' }],
    [{ pattern: '^/[\\w/.-]*$' }, 'data', 'This must match ^/[\\w/.-]*$'],
    [{ pattern: '(?i-u)\\z' }, 'left to the server', { p: 'left to the server' }],
    [{ type: 'integer', min: 1, max: 100 }, ' 80 ', { p: 80 }],
    [{ type: 'integer' }, '-3', { p: -3 }],
    [{ type: 'integer' }, '9007199254740993', { p: '9007199254740993' }],
    [{ type: 'integer' }, '1.5', 'This must be a whole number.'],
    [{ type: 'integer' }, '0x10', 'This must be a whole number.'],
    [{ type: 'integer', min: 1 }, '0', 'This must be at least 1.'],
    [{ type: 'integer', max: 100 }, '101', 'This must be at most 100.'],
    [{ type: 'integer', default: 5 }, '', {}],
    [{ type: 'number' }, '1e3', { p: 1000 }],
    [{ type: 'number' }, '0x10', 'This must be a number.'],
    [{ type: 'number' }, ' ', 'This must be a number.'],
    [{ type: 'boolean' }, true, { p: true }],
    [{ type: 'boolean' }, false, { p: false }],
    [{ type: 'choice', options: ['ask', 'auto'] }, 'auto', { p: 'auto' }],
    [{ type: 'choice', options: ['ask', 'auto'] }, 'else', 'This must be one of ask, auto.'],
  ])('%j with %j', (over, text, expected) => expect(read(over, text)).toEqual(expected));
});

it('starts from the defaults', () => {
  const params = [param({ name: 'a', default: 80, type: 'integer' }), param({ name: 'b' }), param({ name: 'c', type: 'boolean', default: true }), param({ name: 'd', type: 'boolean' })];
  expect(initialDraft(params)).toEqual({ a: '80', b: '', c: true, d: false });
});

it('parts targets by spaces and keeps selectors whole', () => {
  expect(readTargets('  web-*  role=db,zone!=b ')).toEqual(['web-*', 'role=db,zone!=b']);
  expect(readTargets(' ')).toBeUndefined();
});
