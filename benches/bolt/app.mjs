// What `bare.rs` does, written with Bolt for JavaScript as its own documentation has it: the other side of the part `bolt`.
//
//   SLACK_SIGNING_SECRET=… node app.mjs ack
//   SLACK_SIGNING_SECRET=… node app.mjs accept
//   SLACK_SIGNING_SECRET=… node app.mjs trip http://127.0.0.1:8080/zoom/v2
//
// It prints its address and ends when its input does. It journals and audits nothing, and knows the one token and the one
// workspace by heart instead of reading them from a store: with any of that it would cost more.

import { App, HTTPReceiver } from '@slack/bolt';

const [what, zoom] = process.argv.slice(2);
const token = 'access'.repeat(100);

const receiver = new HTTPReceiver({
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  endpoints: '/slack/commands',
});
const app = new App({
  receiver,
  // Otherwise Bolt asks Slack whose token it is.
  authorize: async () => ({ botToken: 'xoxb-bench', botId: 'B0001', botUserId: 'U0001' }),
});

const listeners = {
  /** Answers in the 200. */
  ack: async ({ command, ack }) => {
    await ack({ response_type: 'ephemeral', text: command.text });
  },

  /** Answers with nothing. */
  accept: async ({ ack }) => {
    await ack();
  },

  /** Accepts, asks Zoom and tells Slack. */
  trip: async ({ command, ack, respond }) => {
    await ack();
    const meeting = command.text.split(' ')[1];
    const ordered = await fetch(`${zoom}/meetings/${meeting}/livestream/status`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ action: 'start', settings: { display_name: 'Keynote' } }),
    });
    await respond({ response_type: 'in_channel', text: `${meeting}: ${ordered.status}` });
  },
};
app.command('/stream', listeners[what]);

process.stdin.on('end', () => process.exit()).resume();
const server = await app.start({ port: 0, host: '127.0.0.1' });
console.log(`127.0.0.1:${server.address().port}`);
