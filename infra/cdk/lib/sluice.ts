// Sluice as one construct: the expanded template with the packages of this checkout as assets.
//
// It changes no resource of the template, so that what the checks prove of it holds here too. It adds one, which puts the
// settings of the catalog's table where the schedule looks for them: `make deploy` does that with scripts/put-tables.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';

const INFRA = path.resolve(import.meta.dirname, '..', '..');
const SETTINGS = path.join(INFRA, '..', 'statemachine', 'catalog.toml');

/** The value of a parameter: a list where the template says so (`SourceBucketArns`). */
export type Value = string | number | string[];

/** For each statement of a role that names no resource: why. */
type Reasons = Record<string, string>;

interface Template {
  readonly Parameters: Record<string, { readonly Type: string; readonly Default: string | number }>;
  readonly Resources: Record<string, { readonly Type: string; readonly Metadata?: { readonly WildcardReasons?: Reasons } }>;
}

/** What may be chosen: the template's parameters by their names, and where the packages lie. */
export interface SluiceProps {
  /** Values of the template's parameters; what is not named keeps its default. `infra/template.yaml` describes each. */
  readonly parameters?: Record<string, Value>;
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
  /** What puts the settings of the catalog's table into the lake's bucket, anew when they change. */
  readonly settings: AwsCustomResource;

  constructor(scope: Construct, id: string, props: SluiceProps = {}) {
    super(scope, id);
    const file = props.template ?? path.join(INFRA, 'expanded.json');
    const text = JSON.parse(fs.readFileSync(file, 'utf8')) as Template;
    const parameters = chosen(text, props.parameters ?? {});
    this.template = new CfnInclude(this, 'Template', { templateFile: file, parameters });
    this.settings = this.put(parameters);
    const packages = props.packages ?? path.join(INFRA, 'build');
    for (const [name, resource] of Object.entries(text.Resources)) {
      const reasons = resource.Metadata?.WildcardReasons;
      if (reasons !== undefined) this.wildcardReasons[name] = reasons;
      if (resource.Type === CfnStateMachine.CFN_RESOURCE_TYPE_NAME) this.machines.push(name);
      if (resource.Type === CfnFunction.CFN_RESOURCE_TYPE_NAME) this.pack(name, packages);
    }
  }

  /** The bucket into which people put files; it is not made where `RawBucketName` names one that is there. */
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

  /**
   * One call, for one small text: a `BucketDeployment` would bring a larger function and wider rights, and takes what
   * others have put beside it for its own.
   */
  private put(parameters: Record<string, string | string[]>): AwsCustomResource {
    const bucket = parameters['LakeBucketName'] || this.template.getResource('LakeBucket').ref;
    const key = `settings/${path.basename(SETTINGS)}`;
    const text = fs.readFileSync(SETTINGS, 'utf8').replace(DATABASE, String(parameters['DatabaseName']));
    const statements = [
      new PolicyStatement({ actions: ['s3:PutObject'], resources: [`arn:${Aws.PARTITION}:s3:::${bucket}/${key}`] }),
    ];
    const kmsKey = String(parameters['KmsKeyArn']);
    if (kmsKey !== '') {
      statements.push(new PolicyStatement({ actions: ['kms:GenerateDataKey'], resources: [kmsKey] }));
    }
    return new AwsCustomResource(this, 'Settings', {
      onUpdate: {
        service: 'S3',
        action: 'PutObject',
        parameters: { Bucket: bucket, Key: key, Body: text, ContentType: 'application/toml' },
        physicalResourceId: PhysicalResourceId.of(key),
      },
      policy: AwsCustomResourcePolicy.fromStatements(statements),
      logGroup: new LogGroup(this, 'SettingsLogs', { retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY }),
      // The SDK that the runtime has knows this call.
      installLatestAwsSdk: false,
    });
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

/** Where the settings name the deployment's database, as scripts/put-tables reads them. */
const DATABASE = /(?<=["`])sluice(?=["`]?\.)/g;

/**
 * Every parameter has a value, so that the stack asks for none. A list without members stays a parameter with its
 * default: nothing could be put in the place of its references.
 */
function chosen(template: Template, values: Record<string, Value>): Record<string, string | string[]> {
  const unknown = Object.keys(values).filter((name) => !(name in template.Parameters));
  if (unknown.length > 0) throw new Error(`the template has no parameter ${unknown.join(', ')}`);
  const entries = Object.entries(template.Parameters).map(([name, { Type, Default }]) => {
    const value = values[name] ?? Default;
    return [name, Type === 'CommaDelimitedList' ? members(value) : String(value)] as const;
  });
  return Object.fromEntries(entries.filter(([, value]) => typeof value === 'string' || value.length > 0));
}

function members(value: Value): string[] {
  const list = Array.isArray(value) ? value : String(value).split(',');
  return list.map((member) => member.trim()).filter((member) => member !== '');
}

/** `StartJob` is packed as `start-job`. */
function dashed(name: string): string {
  return name.replace(/(?<!^)([A-Z])/g, '-$1').toLowerCase();
}
