/**
 * Stands in for a model on loopback, so that the real programs show their working and approval screens without an
 * account: `please run` and `please ask` make it call a tool. Speaks only what pi, codex and claude ask.
 *
 *   node model-server.ts PORT
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

type Json = Record<string, unknown>;

/** What `please run` makes the model ask for; everything else is answered after a while. */
const COMMAND = 'touch asked.txt';
const THINKING_MS = 4_000;

const readBody = async (request: IncomingMessage): Promise<Json> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json;
  } catch {
    return {};
  }
};

/** The person asked for a command, and no tool has answered since. */
const wantsTool = (body: Json): boolean => {
  const entries = ((body.messages ?? body.input ?? []) as unknown[]).map((entry) => JSON.stringify(entry));
  const asked = entries.findLastIndex((entry) => /please (run|ask)/i.test(entry));
  const answered = entries.findLastIndex((entry) => /"(tool_result|function_call_output|tool)"/.test(entry));
  return asked >= 0 && answered < asked && Array.isArray(body.tools) && body.tools.length > 0;
};

/** The call of claude's tool that the person asked for. */
const claudeCall = (body: Json): { name: string; input: Json } =>
  /please ask/i.test(JSON.stringify(body.messages))
    ? {
        name: 'AskUserQuestion',
        input: {
          questions: [
            {
              question: 'Which colour shall it be?',
              header: 'Colour',
              multiSelect: false,
              options: [
                { label: 'Red', description: 'Warm' },
                { label: 'Blue', description: 'Cold' },
              ],
            },
          ],
        },
      }
    : { name: 'Bash', input: { command: COMMAND, description: 'Make a file' } };

const stream = (response: ServerResponse): ((event: Json) => void) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  return (event) => {
    const name = typeof event.type === 'string' ? `event: ${event.type}\n` : '';
    response.write(`${name}data: ${JSON.stringify(event)}\n\n`);
  };
};

const anthropic = async (body: Json, response: ServerResponse): Promise<void> => {
  const send = stream(response);
  const usage = { input_tokens: 10, output_tokens: 1 };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: body.model, content: [], usage };
  send({ type: 'message_start', message: { ...message, stop_reason: null, stop_sequence: null } });
  await delay(THINKING_MS);
  const tool = wantsTool(body) ? claudeCall(body) : null;
  send({
    type: 'content_block_start',
    index: 0,
    content_block: tool ? { type: 'tool_use', id: 'toolu_1', name: tool.name, input: {} } : { type: 'text', text: '' },
  });
  send({
    type: 'content_block_delta',
    index: 0,
    delta: tool
      ? { type: 'input_json_delta', partial_json: JSON.stringify(tool.input) }
      : { type: 'text_delta', text: 'Done.' },
  });
  send({ type: 'content_block_stop', index: 0 });
  send({ type: 'message_delta', delta: { stop_reason: tool ? 'tool_use' : 'end_turn', stop_sequence: null }, usage });
  send({ type: 'message_stop' });
  response.end();
};

const responses = async (body: Json, response: ServerResponse): Promise<void> => {
  const send = stream(response);
  send({ type: 'response.created', response: { id: 'resp_1', status: 'in_progress', output: [] } });
  await delay(THINKING_MS);
  const names = ((body.tools ?? []) as Json[]).map(({ name }) => String(name));
  const shell = names.includes('exec_command')
    ? 'exec_command'
    : names.includes('shell_command')
      ? 'shell_command'
      : 'shell';
  const input =
    shell === 'exec_command'
      ? { cmd: COMMAND, sandbox_permissions: 'require_escalated', justification: 'May I make a file?' }
      : shell === 'shell_command'
        ? { command: COMMAND, sandbox_permissions: 'require_escalated', justification: 'May I make a file?' }
        : { command: ['bash', '-lc', COMMAND], with_escalated_permissions: true, justification: 'May I make a file?' };
  const item = wantsTool(body)
    ? { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: shell, arguments: JSON.stringify(input) }
    : {
        type: 'message',
        id: 'm_1',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'Done.', annotations: [] }],
      };
  send({ type: 'response.output_item.added', output_index: 0, item });
  send({ type: 'response.output_item.done', output_index: 0, item });
  const usage = {
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 1,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 11,
  };
  send({ type: 'response.completed', response: { id: 'resp_1', status: 'completed', output: [item], usage } });
  response.end();
};

const completions = async (body: Json, response: ServerResponse): Promise<void> => {
  const send = stream(response);
  const chunk = (delta: Json, finish: string | null = null): void =>
    send({
      id: 'c_1',
      object: 'chat.completion.chunk',
      created: 1,
      model: body.model,
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
  chunk({ role: 'assistant', content: '' });
  await delay(THINKING_MS);
  if (wantsTool(body)) {
    const call = { name: 'bash', arguments: JSON.stringify({ command: COMMAND }) };
    chunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: call }] });
    chunk({}, 'tool_calls');
  } else {
    chunk({ content: 'Done.' });
    chunk({}, 'stop');
  }
  response.end('data: [DONE]\n\n');
};

const server = createServer(async (request, response) => {
  const body = await readBody(request);
  const path = (request.url ?? '').split('?')[0] ?? '';
  if (path.endsWith('/v1/messages') && body.stream === true) return anthropic(body, response);
  if (path.endsWith('/responses')) return responses(body, response);
  if (path.endsWith('/chat/completions')) return completions(body, response);
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(path.endsWith('/models') ? { object: 'list', data: [] } : {}));
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('ready\n'));
