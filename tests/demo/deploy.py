"""Deploys infra/aws/template.yaml as it is: uploads the binaries and lets CloudFormation do the rest."""

import io
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ("aws-audit", "aws-respond", "aws-sweep", "aws-approve")
FINISHES_WITHIN = 60.0


def zipped(binary):
    """A deployment package of one binary, as `provided.al2023` wants it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        package.writestr(entry, binary.read_bytes())
    return buffer.getvalue()


def deploy(clients, binaries, stack, parameters):
    """Creates the stack and returns its outputs."""
    s3, cloudformation = clients("s3"), clients("cloudformation")
    artifacts = "onus-demo-artifacts"
    s3.create_bucket(Bucket=artifacts)
    template = (ROOT / "infra/aws/template.yaml").read_text()
    for name in FUNCTIONS:
        s3.put_object(Bucket=artifacts, Key=f"{name}.zip", Body=zipped(binaries / name))
        template = template.replace(f"CodeUri: ../../target/lambda/{name}", f"CodeUri: s3://{artifacts}/{name}.zip")
    s3.put_object(Bucket=artifacts, Key="template.yaml", Body=template.encode())
    cloudformation.create_stack(
        StackName=stack,
        TemplateURL=f"{s3.meta.endpoint_url}/{artifacts}/template.yaml",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    return outputs(cloudformation, stack)


def outputs(cloudformation, stack):
    """Waits until the stack stands."""
    deadline = time.monotonic() + FINISHES_WITHIN
    while time.monotonic() < deadline:
        state = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if state["StackStatus"] == "CREATE_COMPLETE":
            return {output["OutputKey"]: output["OutputValue"] for output in state["Outputs"]}
        if "IN_PROGRESS" not in state["StackStatus"]:
            break
        time.sleep(0.1)
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    reasons = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
        for event in events
        if event["ResourceStatus"].endswith("FAILED")
    ]
    raise SystemExit("the stack was not created:\n" + "\n".join(reasons))
