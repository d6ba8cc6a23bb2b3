// What AwsSolutions finds in the stack and is there on purpose, each with its reason. The finer check of wildcards is
// `infra/checks/permissions.py`, which knows what each action can be restricted to.

import { Stack, Validations, type Acknowledgment } from 'aws-cdk-lib';
import type { CfnRole, Role } from 'aws-cdk-lib/aws-iam';
import type { Sluice } from './sluice.ts';

const BELOW_PREFIX =
  'Objects of one bucket below the prefix that the function works under, or jobs of the account: their names are not known before.';

const MACHINES: Acknowledgment = {
  id: 'AwsSolutions-SF1',
  reason: 'Errors are logged by default, for ALL costs about as much as the logs of all functions; RunLogLevel turns it on.',
};

const DEAD_LETTERS: Acknowledgment = {
  id: 'AwsSolutions-SQS3',
  reason: 'It is a dead-letter queue: of a rule and of a function, which AwsSolutions does not look at.',
};

const SETTINGS: Acknowledgment = {
  id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
  reason: "The function is CDK's own, shared by a stack's custom resources; that policy lets it write its logs, and no more.",
};

interface Statement {
  readonly Sid: string;
  readonly Resource: unknown;
}

/** Acknowledges these findings on the construct's own resources, one by one, and nothing else of the app. */
export function acknowledge(sluice: Sluice): void {
  for (const [name, reasons] of Object.entries(sluice.wildcardReasons)) {
    const role = sluice.template.getResource(name) as CfnRole;
    Validations.of(role).acknowledge(...wildcards(role, reasons));
  }
  for (const name of sluice.machines) {
    Validations.of(sluice.template.getResource(name)).acknowledge(MACHINES);
  }
  Validations.of(sluice.template.getResource('EndedDeadLetterQueue')).acknowledge(DEAD_LETTERS);
  Validations.of(sluice.settings.grantPrincipal as Role).acknowledge(SETTINGS);
}

function wildcards(role: CfnRole, reasons: Record<string, string>): Acknowledgment[] {
  const policies = Stack.of(role).resolve(role.policies) as { policyDocument: { Statement: Statement[] } }[];
  return policies
    .flatMap((policy) => policy.policyDocument.Statement)
    // The statement for a customer's key stands in a condition, and names that key alone.
    .filter((statement) => 'Resource' in statement)
    .flatMap((statement) => [statement.Resource].flat().map((resource) => ({ statement, finding: finding(resource) })))
    .filter(({ finding }) => finding.includes('*'))
    .map(({ statement, finding }) => ({
      id: `AwsSolutions-IAM5[Resource::${finding}]`,
      // A bare wildcard without a reason of its own stays a finding.
      reason: finding === '*' ? reasons[statement.Sid] : BELOW_PREFIX,
    }))
    .filter((one): one is Acknowledgment => one.reason !== undefined);
}

/** How AwsSolutions writes a resource. */
function finding(resource: unknown): string {
  if (typeof resource === 'string') return resource;
  const sub = (resource as { 'Fn::Sub'?: string | unknown[] })['Fn::Sub'];
  if (typeof sub === 'string') return sub.replace(/\$\{([^}]+)\}/g, '<$1>');
  return JSON.stringify(sub ?? resource);
}
