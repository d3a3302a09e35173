/** The error of everything that makes a template unusable. */
import { PoolError } from '../errors.ts';

/** Names the field, what was seen and what was expected; the group then tries the next daemon. */
export class TemplateError extends PoolError {
  /** `name` as it stands in the template, with its path: `transactions[3].fee`. */
  static field(name: string, seen: unknown, expected: string): TemplateError {
    return new TemplateError(
      'TEMPLATE_FIELD',
      `template field ${name} is ${shown(seen)}, expected ${expected}; the template is not used`,
    );
  }
}

/** A value in an error message, cut short. */
function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? typeof value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}... (${text.length} characters)`;
}
