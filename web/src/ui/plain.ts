// Output of strangers as plain text outside the terminal widget: no escape sequences, nothing invisible, nothing that turns a line around.

const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\|$)|[PX^_][^\x1b]*(?:\x1b\\|$)|[ -/]*[0-~])/g;
// C0 without tab and line feed, DEL, C1, and the characters that reorder text.
const UNSEEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function seen(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}

/** Several lines of plain text; a carriage return within a line keeps what was written last, as a terminal would. */
export function plainText(text: string): string {
  return text
    .replace(ESCAPES, '')
    .replace(/\r+\n/g, '\n')
    .split('\n')
    .map((line) => line.replace(/\r+$/, '').replace(/^[^]*\r/, ''))
    .join('\n')
    .replace(UNSEEN, seen);
}

/** One line of plain text. */
export function plainLine(text: string): string {
  return text.replace(ESCAPES, '').replace(/[\r\n\t]+/g, ' ').replace(UNSEEN, seen);
}
