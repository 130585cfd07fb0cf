import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { parquetWriteBuffer, type ColumnSource } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../schema/errors.js';
import { readDataset } from './dataset.js';
import { countProblems } from './row-problems.js';
import { temporaryFile } from '../../../test/support/temporary-folder.js';

const lines = (dataset: { problems: { line: number; kind: string }[] }): string[] =>
  dataset.problems.map(({ line, kind }) => `${line} ${kind}`);

describe('JSON Lines', () => {
  test('names blank and malformed lines and keeps the rest', async () => {
    const path = temporaryFile(
      'rows.jsonl',
      '\uFEFF{"prompt":"a"}\r\n\n{"prompt":\n[1,2]\n7\n"text"\n{"prompt":"b","extra":1}\n\n',
    );
    const dataset = await readDataset(path);
    expect(dataset.format).toBe('jsonl');
    expect(dataset.columns).toEqual(['prompt', 'text', 'extra']);
    expect(dataset.rows.map((row) => [row.line, { ...row.values }])).toEqual([
      [1, { prompt: 'a' }],
      [6, { text: 'text' }],
      [7, { prompt: 'b', extra: 1 }],
    ]);
    expect(lines(dataset)).toEqual(['2 empty', '3 malformed', '4 malformed', '5 malformed']);
  });

  test('a line that is not UTF-8 is malformed, a file in UTF-16 is refused', async () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}\n{"a":"é"}\n')]);
    const dataset = await readDataset(temporaryFile('rows.jsonl', bytes));
    expect(lines(dataset)).toEqual(['1 malformed']);
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('{"a":"b"}', 'utf16le')]);
    await expect(readDataset(temporaryFile('rows.jsonl', utf16))).rejects.toThrow('saved as UTF-16');
  });

  test('column names cannot reach prototypes', async () => {
    const path = temporaryFile('rows.jsonl', '{"__proto__":{"polluted":1},"constructor":"x"}\n{"a":"b"}\n');
    const dataset = await readDataset(path);
    expect(dataset.columns).toEqual(['__proto__', 'constructor', 'a']);
    expect(dataset.rows[1]!.values['constructor']).toBeUndefined();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(dataset.rows[0]!.values['polluted']).toBeUndefined();
  });

  test('a line longer than the limit costs only itself', async () => {
    const path = temporaryFile('rows.jsonl', `{"a":"${'x'.repeat(33 * 2 ** 20)}"}\n{"a":"b"}\n`);
    const dataset = await readDataset(path);
    expect(dataset.rows.map((row) => row.line)).toEqual([2]);
    expect(lines(dataset)).toEqual(['1 malformed']);
  });

  test('stops at the limit of rows and says so', async () => {
    const path = temporaryFile('rows.jsonl', '{"a":1}\n{"a":2}\n{"a":3}\n');
    const dataset = await readDataset(path, { maxRows: 2 });
    expect(dataset.rows).toHaveLength(2);
    expect(lines(dataset)).toEqual(['3 unread']);
  });

  test('any rows come back as they were written, and broken lines are named', async () => {
    const row = fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), { minKeys: 1 });
    const line = fc.oneof(
      row.map((values) => ({ values })),
      fc.constantFrom('{"a', '}', '"', '{"a":}').map((broken) => ({ broken })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 20 }), async (content) => {
        fc.pre(content.some((item) => 'values' in item));
        const text = content
          .map((item) => ('values' in item ? JSON.stringify(item.values) : item.broken))
          .join('\n');
        const dataset = await readDataset(temporaryFile('rows.jsonl', text));
        const numbered = content.map((item, index) => ({ ...item, line: index + 1 }));
        const good = numbered.filter((item) => 'values' in item);
        expect(
          dataset.rows.map((read) => ({ line: read.line, entries: Object.entries(read.values) })),
        ).toEqual(
          good.map((item) => ({
            line: item.line,
            entries: Object.entries(JSON.parse(JSON.stringify(item.values))),
          })),
        );
        expect(lines(dataset)).toEqual(
          numbered.filter((item) => 'broken' in item).map((item) => `${item.line} malformed`),
        );
      }),
      { numRuns: 60 },
    );
  });
});

describe('JSON', () => {
  test('a list of objects, or an object that holds one', async () => {
    const rows = [{ question: 'a', answer: 'b' }, 3, { question: 'c', answer: 'd' }];
    for (const content of [rows, { version: '1', data: rows }]) {
      const dataset = await readDataset(temporaryFile('rows.json', JSON.stringify(content)));
      expect(dataset.format).toBe('json');
      expect(dataset.rows.map((row) => row.line)).toEqual([1, 3]);
      expect(lines(dataset)).toEqual(['2 malformed']);
    }
  });

  test('JSON Lines under the name .json are read as such', async () => {
    const dataset = await readDataset(temporaryFile('rows.json', '{"a":"b"}\n{"a":"c"}\n'));
    expect([dataset.format, dataset.rows.length]).toEqual(['jsonl', 2]);
  });

  test('says what is wrong and where', async () => {
    const read = async (content: string): Promise<unknown> =>
      readDataset(temporaryFile('rows.json', content));
    await expect(read('[\n{"a": 1},\n{"a": 1},\n{"abcdefghijk": }, {"abcdefghijk": 12345}]')).rejects.toThrow(
      /not valid JSON: .*line 4/,
    );
    await expect(read('7')).rejects.toThrow('a single value');
    await expect(read('{"a":[1],"b":[2]}')).rejects.toThrow('several lists (a, b)');
    await expect(read('{"a":1}')).rejects.toThrow('no list');
    await expect(read('[]')).rejects.toThrow('it is empty');
  });
});

describe('CSV', () => {
  test('with names in the first row', async () => {
    const path = temporaryFile(
      'rows.csv',
      '\uFEFFquestion,answer\r\n"a ""b"",\r\nc",1\r\n\r\nd,2,3\r\n,\r\ne,3\r\n',
    );
    const dataset = await readDataset(path);
    expect(dataset.columns).toEqual(['question', 'answer']);
    expect(dataset.rows.map((row) => [row.line, { ...row.values }])).toEqual([
      [2, { question: 'a "b",\r\nc', answer: '1' }],
      [7, { question: 'e', answer: '3' }],
    ]);
    expect(lines(dataset)).toEqual(['4 empty', '5 malformed', '6 empty']);
  });

  test('without names, as guessed or as told', async () => {
    const content = 'Why is the sky blue?,Scattering,Magic,Paint,Water,A\nWhat is 1 + 1?,1,2,3,4,B\n';
    const guessed = await readDataset(temporaryFile('rows.csv', content));
    expect(guessed.columns).toEqual(['column_1', 'column_2', 'column_3', 'column_4', 'column_5', 'column_6']);
    expect(guessed.rows).toHaveLength(2);
    const told = await readDataset(temporaryFile('rows.csv', content), { csv: { header: true } });
    expect(told.rows).toHaveLength(1);
    const names = await readDataset(temporaryFile('rows.csv', 'prompt,prompt\na,b\n'));
    expect(names.columns).toEqual(['column_1', 'column_2']);
  });

  test('tabs, semicolons and double names', async () => {
    const tabs = await readDataset(temporaryFile('rows.tsv', 'prompt\tresponse\na,b\tc;d\n'));
    expect({ ...tabs.rows[0]!.values }).toEqual({ prompt: 'a,b', response: 'c;d' });
    const semicolons = await readDataset(temporaryFile('rows.csv', 'prompt;response\n"a;b";c\n'));
    expect({ ...semicolons.rows[0]!.values }).toEqual({ prompt: 'a;b', response: 'c' });
    const double = await readDataset(temporaryFile('rows.csv', 'a,a,\n1,2,3\n'), {
      csv: { header: true },
    });
    expect(double.columns).toEqual(['a', 'a_2', 'column_3']);
  });

  test('broken quoting costs its own line', async () => {
    const path = temporaryFile('rows.csv', 'prompt,response\na,1\n"b"c,2\nd,3\ne "f",4\ng,"5\nh,6\n');
    const dataset = await readDataset(path);
    expect(dataset.rows.map((row) => row.values['prompt'])).toEqual(['a', 'd', 'h']);
    expect(lines(dataset)).toEqual(['3 malformed', '5 malformed', '6 malformed']);
  });

  test('bytes that are not UTF-8 cost their row', async () => {
    const bytes = Buffer.concat([
      Buffer.from('prompt,response\na,'),
      Buffer.from([0xe9]),
      Buffer.from('\nb,\uFFFD\nc,d\n'),
    ]);
    expect(lines(await readDataset(temporaryFile('rows.csv', bytes)))).toEqual([
      '2 malformed',
      '3 malformed',
    ]);
    expect((await readDataset(temporaryFile('rows.csv', 'prompt,response\nb,\uFFFD\n'))).rows).toHaveLength(
      1,
    );
  });

  test('any quoted rows come back as they were written, in the lines they start in', async () => {
    const field = fc.string({
      unit: fc.oneof(
        fc.constantFrom('"', ',', '\n', '\r\n', '\r'),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
      ),
    });
    const rows = fc.array(
      fc.tuple(
        field,
        field.map((text) => `x${text}`),
      ),
      { minLength: 1, maxLength: 10 },
    );
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom('\n', '\r\n'), async (written, end) => {
        const quoted = written.map(
          (row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(',') + end,
        );
        const dataset = await readDataset(
          temporaryFile('rows.csv', `prompt,response${end}${quoted.join('')}`),
        );
        expect(dataset.rows.map(({ values }) => [values['prompt'], values['response']])).toEqual(written);
        let line = 2;
        for (const [index, row] of quoted.entries()) {
          expect(dataset.rows[index]!.line).toBe(line);
          line += row.match(/\r\n|\n|\r/g)!.length;
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('Parquet', () => {
  const columnData: ColumnSource[] = [
    { name: 'question', data: ['a', 'b', 'ü🙂'], type: 'STRING' },
    { name: '__proto__', data: ['x', 'y', 'z'], type: 'STRING' },
    { name: 'number', data: [1n, 2n, 2n ** 60n], type: 'INT64' },
    { name: 'turns', data: [[{ role: 'user', content: 'q' }], [], null], type: 'JSON' },
  ];

  test.each([
    ['uncompressed', {}],
    ['Snappy', { codec: 'SNAPPY' as const }],
    [
      'gzip',
      {
        codec: 'GZIP' as const,
        compressors: { GZIP: (input: Uint8Array) => new Uint8Array(gzipSync(input)) },
      },
    ],
  ])('%s', async (_, options) => {
    const buffer = parquetWriteBuffer({ columnData, codec: 'UNCOMPRESSED', ...options });
    const dataset = await readDataset(temporaryFile('rows.parquet', new Uint8Array(buffer)));
    expect(dataset.format).toBe('parquet');
    expect(dataset.columns).toEqual(['question', '__proto__', 'number', 'turns']);
    expect(dataset.rows.map((row) => row.line)).toEqual([1, 2, 3]);
    expect(dataset.rows.map((row) => row.values['question'])).toEqual(['a', 'b', 'ü🙂']);
    expect(dataset.rows.map((row) => row.values['number'])).toEqual([1, 2, '1152921504606846976']);
    expect(JSON.stringify(dataset.rows[0]!.values['turns'])).toBe('[{"role":"user","content":"q"}]');
    expect(dataset.rows[0]!.values['__proto__']).toBe('x');
  });

  test('reads no more than asked for, and refuses what is not Parquet', async () => {
    const path = temporaryFile('rows.parquet', new Uint8Array(parquetWriteBuffer({ columnData })));
    const dataset = await readDataset(path, { maxRows: 2 });
    expect([dataset.rows.length, ...lines(dataset)]).toEqual([2, '3 unread']);
    await expect(readDataset(temporaryFile('rows.parquet', 'not parquet at all'))).rejects.toThrow(UserError);
  });
});

describe('plain text', () => {
  const read = async (content: string, textUnit?: 'line'): Promise<[number, unknown][]> => {
    const dataset = await readDataset(temporaryFile('rows.txt', content), textUnit ? { textUnit } : {});
    return dataset.rows.map((row) => [row.line, row.values['text']]);
  };

  test('documents between marks, paragraphs, or lines', async () => {
    expect(await read('one\ntwo\n<|endoftext|>\n\nthree\n<|endoftext|>\n')).toEqual([
      [1, 'one\ntwo'],
      [5, 'three'],
    ]);
    expect(await read('one\r\ntwo\r\n\r\n \r\nthree\r\n')).toEqual([
      [1, 'one\ntwo'],
      [5, 'three'],
    ]);
    expect(await read('one\ntwo\n')).toEqual([
      [1, 'one'],
      [2, 'two'],
    ]);
    expect(await read('one\n\ntwo\n', 'line')).toEqual([
      [1, 'one'],
      [3, 'two'],
    ]);
  });

  test('an empty document between two marks is named', async () => {
    const dataset = await readDataset(temporaryFile('rows.txt', 'a\n<|endoftext|>\n<|endoftext|>\nb'));
    expect([dataset.rows.length, ...lines(dataset)]).toEqual([2, '3 empty']);
  });
});

describe('which format', () => {
  test('files without a telling name are recognised by what they hold', async () => {
    const parquet = new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'a', data: ['b'] }] }));
    const formats = ['{"a":1}\n{"a":2}', '[{"a":1}]', '{"data":[{"a":1}]}', 'some words', parquet];
    const found: string[] = [];
    for (const content of formats) found.push((await readDataset(temporaryFile('rows', content))).format);
    expect(found).toEqual(['jsonl', 'json', 'jsonl', 'text', 'parquet']);
  });

  test('says what cannot be read', async () => {
    await expect(readDataset('/no/such/file.jsonl')).rejects.toThrow(
      '/no/such/file.jsonl cannot be read: there is no such file',
    );
    await expect(readDataset('/tmp')).rejects.toThrow('is not a file');
    await expect(readDataset(temporaryFile('rows.bin', new Uint8Array([1, 0, 2])))).rejects.toThrow(
      'is not a dataset',
    );
    await expect(readDataset(temporaryFile('rows.jsonl', '{"a\n\n{\n'))).rejects.toThrow(
      '2 malformed (line 1, 3',
    );
  });
});

describe('files of other programs', () => {
  test.each([
    ['rows.xlsx', 'PK\x03\x04', /is an Excel workbook, .*save the sheet as CSV/],
    ['rows.csv', 'PK\x03\x04...xl/workbook.xml', /is an Excel workbook/],
    ['rows.docx', 'PK\x03\x04', /is a Word document, .*plain text/],
    ['rows.txt', '%PDF-1.7', /is a PDF document/],
    ['rows.jsonl.gz', '\x1f\x8b', /is compressed, .*unpack it/],
  ])('are called what they are: %s', async (name, bytes, message) => {
    await expect(readDataset(temporaryFile(name, Buffer.from(bytes, 'latin1')))).rejects.toThrow(message);
  });

  test('in UTF-16 without a mark, and in Windows-1252, say so', async () => {
    const wide = Buffer.from('prompt,response\na,b\n', 'utf16le');
    await expect(readDataset(temporaryFile('rows.csv', wide))).rejects.toThrow('is saved as UTF-16');
    const narrow = Buffer.from('caf\xe9\n', 'latin1');
    await expect(readDataset(temporaryFile('rows.txt', narrow))).rejects.toThrow(/probably Windows-1252/);
  });
});

test.each([
  ['rows.jsonl', '{"a":1}\n{"a":2}\n{"a":3}\n\n{"a":4}\n'],
  ['rows.json', '[{"a":1},{"a":2},{"a":3},{"a":4}]'],
  ['rows.csv', 'a\n1\n2\n3\n4\n'],
  ['rows.txt', '1\n2\n3\n4\n'],
])('rows beyond the limit are counted: %s', async (name, content) => {
  const { rows, problems } = await readDataset(temporaryFile(name, content), { maxRows: 2 });
  expect(rows).toHaveLength(2);
  expect(countProblems(problems).find(({ kind }) => kind === 'unread')).toMatchObject({ count: 2 });
});
