// Sluice as one construct: the expanded template with the packages of this checkout as assets.
//
// It adds no resource of its own and changes none, so that what the checks prove of the template holds here too.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

const INFRA = path.resolve(import.meta.dirname, '..', '..');

/** For each statement of a role that names no resource: why. */
type Reasons = Record<string, string>;

interface Template {
  readonly Parameters: Record<string, { readonly Default: string | number }>;
  readonly Resources: Record<string, { readonly Type: string; readonly Metadata?: { readonly WildcardReasons?: Reasons } }>;
}

/** What may be chosen: the template's parameters by their names, and where the packages lie. */
export interface SluiceProps {
  /** Values of the template's parameters; what is not named keeps its default. `infra/template.yaml` describes each. */
  readonly parameters?: Record<string, string | number>;
  /** The folder of the packages, one folder for each function; `make package` fills `infra/build`. */
  readonly packages?: string;
  /** Another expansion of the template than `infra/expanded.json`. */
  readonly template?: string | undefined;
}

/** Buckets, queue, functions, state machines, catalog and alarms. One for each stack: names begin with the stack's. */
export class Sluice extends Construct {
  /** The expanded template; every resource can be had from it by the name that it has in `infra/template.yaml`. */
  readonly template: CfnInclude;
  /** For each role the reasons of its wildcards, as the template gives them. */
  readonly wildcardReasons: Record<string, Reasons> = {};
  /** The names of the state machines. */
  readonly machines: string[] = [];

  constructor(scope: Construct, id: string, props: SluiceProps = {}) {
    super(scope, id);
    const file = props.template ?? path.join(INFRA, 'expanded.json');
    const text = JSON.parse(fs.readFileSync(file, 'utf8')) as Template;
    this.template = new CfnInclude(this, 'Template', {
      templateFile: file,
      parameters: chosen(text, props.parameters ?? {}),
    });
    const packages = props.packages ?? path.join(INFRA, 'build');
    for (const [name, resource] of Object.entries(text.Resources)) {
      const reasons = resource.Metadata?.WildcardReasons;
      if (reasons !== undefined) this.wildcardReasons[name] = reasons;
      if (resource.Type === CfnStateMachine.CFN_RESOURCE_TYPE_NAME) this.machines.push(name);
      if (resource.Type === CfnFunction.CFN_RESOURCE_TYPE_NAME) this.pack(name, packages);
    }
  }

  /** The bucket into which people put files; nothing where the stack uses one that was there. */
  get rawBucket(): CfnBucket {
    return this.template.getResource('RawBucket') as CfnBucket;
  }

  /** Where events wait. */
  get queue(): CfnQueue {
    return this.template.getResource('Queue') as CfnQueue;
  }

  /** The state machine that a file goes through. */
  get extract(): CfnStateMachine {
    return this.template.getResource('ExtractStateMachine') as CfnStateMachine;
  }

  private pack(name: string, packages: string): void {
    const folder = path.join(packages, dashed(name.replace(/Function$/, '')));
    if (!fs.existsSync(path.join(folder, 'bootstrap'))) {
      throw new Error(`failed to find the program of ${name} in ${folder}: run \`make package\` first`);
    }
    const asset = new Asset(this, `${name}Package`, { path: folder });
    const code = { s3Bucket: asset.s3BucketName, s3Key: asset.s3ObjectKey };
    (this.template.getResource(name) as CfnFunction).code = code;
  }
}

/** Every parameter has a value, so that the stack asks for none. */
function chosen(template: Template, values: Record<string, string | number>): Record<string, string> {
  const unknown = Object.keys(values).filter((name) => !(name in template.Parameters));
  if (unknown.length > 0) throw new Error(`the template has no parameter ${unknown.join(', ')}`);
  const entries = Object.entries(template.Parameters);
  return Object.fromEntries(entries.map(([name, { Default }]) => [name, String(values[name] ?? Default)]));
}

/** `StartJob` is packed as `start-job`. */
function dashed(name: string): string {
  return name.replace(/(?<!^)([A-Z])/g, '-$1').toLowerCase();
}
