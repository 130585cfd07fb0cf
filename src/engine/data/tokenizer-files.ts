/** The files of a model folder that say how text becomes tokens; only tokenizer.json is required. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { UserError } from '../../schema/errors.js';
import { issueWords, plainWords } from '../../schema/plain-words.js';
import { parseConfig } from '../onnx/file/config-file.js';

/** Plain text, or as the tokenizers write it: an object with the text under 'content'. */
const tokenSchema = v.fallback(
  v.optional(
    v.union([
      v.string(),
      v.pipe(
        v.object({ content: v.string() }),
        v.transform(({ content }) => content),
      ),
    ]),
  ),
  undefined,
);

const idSchema = v.fallback(v.nullish(v.number()), undefined);

const idsSchema = v.fallback(
  v.pipe(
    v.nullish(v.union([v.number(), v.array(v.number())]), []),
    v.transform((ids) => (Array.isArray(ids) ? ids : ids === null ? [] : [ids])),
  ),
  [],
);

const chatTemplateSchema = v.union([
  v.string(),
  v.record(v.string(), v.string()),
  v.pipe(
    v.array(v.object({ name: v.string(), template: v.string() })),
    v.transform((named) => Object.fromEntries(named.map(({ name, template }) => [name, template]))),
  ),
]);

const specialTokensSchema = v.object({
  bos_token: tokenSchema,
  eos_token: tokenSchema,
  pad_token: tokenSchema,
  unk_token: tokenSchema,
});

const tokenizerConfigSchema = v.looseObject({
  ...specialTokensSchema.entries,
  model_max_length: v.fallback(v.optional(v.number()), undefined),
  chat_template: v.nullish(chatTemplateSchema),
});

const tokenIdsSchema = v.object({ eos_token_id: idsSchema, pad_token_id: idSchema, bos_token_id: idSchema });

export type SpecialTokens = v.InferOutput<typeof specialTokensSchema>;
export type TokenIds = v.InferOutput<typeof tokenIdsSchema>;

export interface TokenizerFiles {
  /** Parsed tokenizer.json. */
  tokenizer: object;
  /** tokenizer_config.json as it is; empty if there is none. */
  config: Record<string, unknown>;
  specialTokens: SpecialTokens;
  /** The longest text in tokens that the tokenizer's author had in mind, where a number is given. */
  modelMaxLength?: number;
  /** Token ids from generation_config.json, genai_config.json and config.json, in that order. */
  tokenIds: TokenIds[];
  chatTemplate?: { source: string; path: string };
}

/** @throws UserError if tokenizer.json is missing or a file is not what its name says */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const tokenizer = await readJsonFile(folder, 'tokenizer.json');
  if (tokenizer === undefined) {
    throw new UserError(
      `${folder} has no tokenizer.json; copy the model's tokenizer files there, or save them with ` +
        "AutoTokenizer.from_pretrained(...).save_pretrained(...) of Hugging Face's transformers.",
    );
  }
  const config = (await readJsonFile(folder, 'tokenizer_config.json')) ?? {};
  const parsed = parseAs(tokenizerConfigSchema, config, join(folder, 'tokenizer_config.json'));
  const map = parseAs(
    specialTokensSchema,
    (await readJsonFile(folder, 'special_tokens_map.json')) ?? {},
    join(folder, 'special_tokens_map.json'),
  );
  const modelMaxLength = parsed.model_max_length;
  const chatTemplate = await findChatTemplate(folder, parsed.chat_template);
  return {
    tokenizer,
    config,
    specialTokens: {
      bos_token: parsed.bos_token ?? map.bos_token,
      eos_token: parsed.eos_token ?? map.eos_token,
      pad_token: parsed.pad_token ?? map.pad_token,
      unk_token: parsed.unk_token ?? map.unk_token,
    },
    // transformers writes 1e30 where the length is not known.
    modelMaxLength: modelMaxLength !== undefined && modelMaxLength < 1e9 ? modelMaxLength : undefined,
    tokenIds: await readTokenIds(folder),
    chatTemplate,
  };
}

async function readTokenIds(folder: string): Promise<TokenIds[]> {
  const found: TokenIds[] = [];
  for (const name of ['generation_config.json', 'genai_config.json', 'config.json']) {
    const content = await readJsonFile(folder, name);
    const holder = name === 'genai_config.json' ? content?.['model'] : content;
    const parsed = v.safeParse(tokenIdsSchema, holder ?? {});
    if (parsed.success) found.push(parsed.output);
  }
  return found;
}

/**
 * A file of its own counts more than what tokenizer_config.json says, as in Hugging Face's transformers.
 * @param configured what tokenizer_config.json says
 * @throws UserError if a file is not what its name says, or has several templates and no default
 */
export async function findChatTemplate(
  folder: string,
  configured?: v.InferOutput<typeof chatTemplateSchema> | null,
): Promise<{ source: string; path: string } | undefined> {
  const jinja = await readTextFile(join(folder, 'chat_template.jinja'));
  if (jinja !== undefined) return { source: jinja, path: join(folder, 'chat_template.jinja') };
  const file = await readJsonFile(folder, 'chat_template.json');
  const path = join(folder, file === undefined ? 'tokenizer_config.json' : 'chat_template.json');
  const held = file?.['chat_template'] ?? file;
  const given = held === undefined ? configured : parseAs(chatTemplateSchema, held, path);
  if (given === undefined || given === null) return undefined;
  if (typeof given === 'string') return { source: given, path };
  const names = Object.keys(given);
  const name = names.length === 1 ? names[0]! : 'default';
  if (!Object.hasOwn(given, name)) {
    throw new UserError(
      `${path} has several chat templates (${names.join(', ')}), but none is named 'default'.`,
    );
  }
  return { source: given[name]!, path };
}

function parseAs<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  path: string,
): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new UserError(
    `${path} is not as expected at '${v.getDotPath(issue) ?? 'the top'}': ${issueWords(issue)}.`,
  );
}

async function readJsonFile(folder: string, name: string): Promise<Record<string, unknown> | undefined> {
  const path = join(folder, name);
  const text = await readTextFile(path);
  if (text === undefined) return undefined;
  return parseConfig(text, path);
}

async function readTextFile(path: string): Promise<string | undefined> {
  try {
    // A pipe, for instance, would never be read to its end.
    if (!(await stat(path)).isFile()) throw new UserError(`${path} is not a file; download the model again.`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof UserError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UserError(`${path} cannot be read: ${plainWords(error)}.`, { cause: error });
  }
}
