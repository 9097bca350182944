import type { Client } from '@temporalio/client';
import { CodedError } from '../../engine/errors.ts';
import { orNothing } from '../../engine/temporal/histories.ts';

/** Of a worker deployment: `<deployment>:<build id>`, as visibility has it. Throws CodedError CHECK_FAILED when the deployment has no current version. */
export async function currentVersion(client: Client, namespace: string, deployment: string): Promise<string> {
  const found = await orNothing(
    client.workflowService.describeWorkerDeployment({ namespace, deploymentName: deployment }),
  );
  const version = found?.workerDeploymentInfo?.routingConfig?.currentDeploymentVersion;
  if (!version?.buildId) {
    throw new CodedError(
      'CHECK_FAILED',
      `the deployment "${deployment}" ${found === undefined ? 'does not exist' : 'has no current version'}: start its workers, then "temporal worker deployment set-current-version --deployment-name ${deployment} --build-id ..."`,
    );
  }
  return `${version.deploymentName}:${version.buildId}`;
}
