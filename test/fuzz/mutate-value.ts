/** Damage to values as JSON has them: other types, impossible numbers, names that mean something to JavaScript. */
import type { Random } from './random.js';

type Holder = Record<string, unknown> | unknown[];

const VALUES: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => '',
  () => 'x'.repeat(100_000),
  () => -1,
  () => 0,
  () => 0.5,
  () => 2 ** 31,
  () => 2 ** 53,
  () => 1e300,
  () => [],
  () => ({}),
  () => [[]],
  () => ['a', 1, null],
  () => deep(3000),
  () => ({ toString: 1, length: -1, constructor: 'x' }),
  () => JSON.parse('{ "__proto__": { "polluted": 1 } }') as unknown,
  () => '../../../etc/passwd',
  () => '(a+)+$',
  () => '\uD800',
];

/** @returns a changed copy */
export function mutateValue(random: Random, value: unknown): unknown {
  const holder = { value: structuredClone(value) };
  for (let left = random.some(4); left > 0; left -= 1) once(random, holder);
  return holder.value;
}

function once(random: Random, root: Holder): void {
  const places = placesIn(root);
  const [holder, key] = random.pick(places) as [Record<string, unknown>, string];
  switch (random.below(6)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else if ((holder as unknown) !== root) delete holder[key];
      break;
    case 1: {
      const [other, name] = random.pick(places) as [Record<string, unknown>, string];
      holder[key] = structuredClone(other[name]);
      break;
    }
    case 2:
      if (typeof holder[key] === 'number') holder[key] = random.pick([-1, 2, 1000, 1e9, 0.1]) * holder[key];
      else if (Array.isArray(holder[key]))
        holder[key] = [...(holder[key] as unknown[]), ...(holder[key] as unknown[])];
      else holder[key] = random.pick(VALUES)();
      break;
    case 3:
      if (!Array.isArray(holder))
        holder[random.pick(['__proto', 'constructor', 'length', 'type', key.toUpperCase()])] = holder[key];
      break;
    default:
      holder[key] = random.pick(VALUES)();
  }
}

/** All places of a value: who holds it, under which name. The deepest are as likely as the others. */
function placesIn(root: Holder): [Holder, string][] {
  const places: [Holder, string][] = [];
  const pending: Holder[] = [root];
  while (pending.length > 0 && places.length < 5000) {
    const holder = pending.shift()!;
    for (const [key, value] of Object.entries(holder)) {
      places.push([holder, key]);
      if (typeof value === 'object' && value !== null) pending.push(value as Holder);
    }
  }
  return places;
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 ? [value] : { a: value };
  return value;
}
