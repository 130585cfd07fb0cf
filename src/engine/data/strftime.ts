/** Python's strftime as chat templates use it: always in English, whatever the machine's language is. */

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** Local time in the given format; directives that no template uses are left as they are. */
export function formatTime(time: Date, format: string): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const month = months[time.getMonth()]!;
  const day = days[time.getDay()]!;
  const values: Readonly<Record<string, string>> = {
    '%Y': String(time.getFullYear()),
    '%y': two(time.getFullYear() % 100),
    '%m': two(time.getMonth() + 1),
    '%d': two(time.getDate()),
    '%-d': String(time.getDate()),
    '%B': month,
    '%b': month.slice(0, 3),
    '%A': day,
    '%a': day.slice(0, 3),
    '%H': two(time.getHours()),
    '%I': two(time.getHours() % 12 || 12),
    '%M': two(time.getMinutes()),
    '%S': two(time.getSeconds()),
    '%p': time.getHours() < 12 ? 'AM' : 'PM',
    '%%': '%',
  };
  return format.replaceAll(/%-?[A-Za-z%]/g, (directive) => values[directive] ?? directive);
}
