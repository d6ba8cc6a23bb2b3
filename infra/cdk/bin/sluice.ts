// The stack `sluice` by itself: `npx cdk deploy`. Values come with `--context parameters='{"AlarmEmail": "…"}'`.

import { App, Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { acknowledge } from '../lib/acknowledged.ts';
import { Sluice } from '../lib/sluice.ts';

const app = new App();
const stack = new Stack(app, 'sluice', { description: 'Sluice' });
const parameters = JSON.parse((app.node.tryGetContext('parameters') as string | undefined) ?? '{}');
const template = app.node.tryGetContext('template') as string | undefined;
const sluice = new Sluice(stack, 'Sluice', { parameters, template });
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
acknowledge(sluice);
// Every parameter has its value here, so that conditions are constants to whoever looks at the result.
for (const id of ['W1001', 'W1028', 'W8003', 'W9053'].map((rule) => `CloudFormation-Validate::${rule}`)) {
  Validations.of(stack).acknowledge({ id, reason: 'The template serves other values of its parameters too.' });
}
