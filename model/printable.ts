/** Text from outside (keys, values, errors of servers, reasons that people typed) before it is shown. Pure. */

/**
 * What a terminal takes for a command, or what turns the order of what follows round: C0 and C1 controls but tab and line
 * feed, DEL, line and paragraph separators, and bidirectional controls.
 */

const controls =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Writes control characters as `\u001b`, which is also how JSON has them, so that they are seen and do nothing. */
export function printable(text: string): string {
  return text.replace(controls, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
