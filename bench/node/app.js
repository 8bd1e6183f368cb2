// What the README of @slack/bolt shows, with a listener that only acknowledges.
import { App } from '@slack/bolt';

const app = new App({
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  token: process.env.SLACK_BOT_TOKEN,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
});

app.command('/notify', async ({ ack }) => {
  await ack();
});

await app.start(process.env.PORT);
