import { describe, expect, test } from 'vitest';
import { UserError } from '../../schema/errors.js';
import { ConversationRefusedError, createChatTemplate, type ChatTemplate } from './chat-template.js';
import type { Message } from './messages.js';

const create = (source: string): ChatTemplate =>
  createChatTemplate(source, {
    path: 'chat_template.jinja',
    bosToken: '<s>',
    eosToken: '</s>',
    now: new Date(2026, 2, 5, 14, 7),
    timeLimit: 500,
  });

const user: Message[] = [{ role: 'user', content: 'Hi {{ x }}' }];

describe('a chat template', () => {
  test('sees messages, tokens and whether the assistant is to speak', () => {
    const template = create(
      "{{ bos_token }}{%- for m in messages -%}[{{ m.role }}]{{ m['content'] | trim }}{{ eos_token }}{%- endfor -%}{% if add_generation_prompt %}[assistant]{% endif %}",
    );
    expect(template.render(user)).toBe('<s>[user]Hi {{ x }}</s>');
    expect(template.render(user, { addGenerationPrompt: true })).toBe('<s>[user]Hi {{ x }}</s>[assistant]');
  });

  test('sees one moment, in English, and no tools', () => {
    expect(create("{{ strftime_now('%d %b %Y, %A %B %-d %I:%M %p %j%%') }}").render(user)).toBe(
      '05 Mar 2026, Thursday March 5 02:07 PM %j%',
    );
    expect(
      create('{% if tools is none and tools is defined %}none{% endif %}{{ unknown }}').render(user),
    ).toBe('none');
    expect(
      create(
        '{% for i in range(2, 8, 3) %}{{ i }}{% endfor %}{% for i in range(2) %}{{ i }}{% endfor %}',
      ).render(user),
    ).toBe('2501');
    expect(
      create(
        '{% set ns = namespace(n=1) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}',
      ).render(user),
    ).toBe('2');
  });

  test('may refuse a conversation in its own words', () => {
    const template = create("{{ raise_exception('System role not supported') }}");
    expect(() => template.render(user)).toThrow(ConversationRefusedError);
    expect(() => template.render(user)).toThrow('System role not supported');
  });

  test('is named when it is broken', () => {
    expect(() => create('{% for m in messages %}').render(user)).toThrow(UserError);
    expect(() => create('{{ messages[0].content.nothing() }}').render(user)).toThrow(
      /^The chat template in chat_template.jinja cannot be used: /,
    );
  });

  test('does not run forever', () => {
    expect(() => create('{% for i in range(1000000000) %}x{% endfor %}').render(user)).toThrow(
      'it counts to 1000000000',
    );
    const nested = '{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}';
    expect(() => create(nested).render(user)).toThrow('it did not end within 0.5 seconds');
  });

  test('cannot reach what lies behind its values', () => {
    for (const attempt of [
      'messages.constructor',
      "messages[0]['__proto__']",
      'raise_exception.constructor',
      'messages[0].toString',
    ]) {
      expect(create(`{{ ${attempt} is undefined }}`).render(user)).toBe('true');
    }
  });
});
