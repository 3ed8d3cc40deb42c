"""The risky changes that the demo's user makes, and how to tell that only the bad part of each is gone.

Each change prepares what was there before, makes the risky request, and reads back what stands: `left()` names the bad
parts that are still there, `lost()` the legitimate ones that are missing. Both are empty when all is well.
"""

import json

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def statement(sid, principal, action, resource, **more):
    """One policy statement that allows something."""
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource, **more}


def policy(*statements):
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def sids(document):
    """The statement ids of a policy document; none when there is no document."""
    return {entry.get("Sid") for entry in json.loads(document)["Statement"]} if document else set()


class Change:
    """One risky change. `owner` may do everything and prepares; `user` is the person who makes the change."""

    title = event = resource = ""

    def __init__(self, owner, user, account):
        self.owner, self.user, self.account = owner, user, account
        self.root = {"AWS": f"arn:aws:iam::{account}:root"}

    def prepare(self):
        """Makes what was there before."""

    def make(self):
        """Makes the risky change."""
        raise NotImplementedError

    def left(self):
        """Bad parts that are still there."""
        raise NotImplementedError

    def lost(self):
        """Legitimate parts that are gone."""
        return set()


class BucketByAcl(Change):
    title = "bucket made public by ACL"
    event = "PutBucketAcl"
    resource = "holiday-pictures"

    def prepare(self):
        s3 = self.owner("s3")
        s3.create_bucket(Bucket=self.resource, ObjectOwnership="ObjectWriter")
        s3.delete_public_access_block(Bucket=self.resource)

    def make(self):
        self.user("s3").put_bucket_acl(Bucket=self.resource, ACL="public-read")

    def _grantees(self):
        grants = self.owner("s3").get_bucket_acl(Bucket=self.resource)["Grants"]
        return {grant["Grantee"].get("URI", "the owner").rpartition("/")[2] for grant in grants}

    def left(self):
        return self._grantees() & {"AllUsers", "AuthenticatedUsers"}

    def lost(self):
        return {"the owner"} - self._grantees()


class BucketByPolicy(Change):
    title = "bucket made public by policy"
    event = "PutBucketPolicy"
    resource = "quarterly-reports"
    good = {"TeamReads", "AuditorReads"}

    def prepare(self):
        s3 = self.owner("s3")
        s3.create_bucket(Bucket=self.resource)
        s3.delete_public_access_block(Bucket=self.resource)

    def make(self):
        objects = f"arn:aws:s3:::{self.resource}/*"
        document = policy(
            statement("TeamReads", self.root, "s3:GetObject", objects),
            statement("Everybody", "*", "s3:GetObject", objects),
            statement("AuditorReads", self.root, "s3:ListBucket", f"arn:aws:s3:::{self.resource}"),
        )
        self.user("s3").put_bucket_policy(Bucket=self.resource, Policy=document)

    def _sids(self):
        return sids(self.owner("s3").get_bucket_policy(Bucket=self.resource)["Policy"])

    def left(self):
        return self._sids() - self.good

    def lost(self):
        return self.good - self._sids()


class OpenPort(Change):
    """Adds rules to a security group that already has two private ones."""

    event = "AuthorizeSecurityGroupIngress"
    port = 0
    bad = ()
    private = ("10.0.0.0/8", "192.168.10.0/24")

    def prepare(self):
        ec2 = self.owner("ec2")
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        group = ec2.create_security_group(GroupName=self.name, Description=self.title, VpcId=vpc)
        self.resource = group["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=self.resource, IpPermissions=self._rules(self.private))

    def _rules(self, networks):
        # One permission for each network: ministack gives the networks of one permission the same rule id.
        ports = {"IpProtocol": "tcp", "FromPort": self.port, "ToPort": self.port}
        return [ports | {"IpRanges": [{"CidrIp": network}]} for network in networks]

    def make(self):
        self.user("ec2").authorize_security_group_ingress(GroupId=self.resource, IpPermissions=self._rules(self.bad))

    def _networks(self):
        filters = [{"Name": "group-id", "Values": [self.resource]}]
        rules = self.owner("ec2").describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
        return {rule["CidrIpv4"] for rule in rules if not rule["IsEgress"]}

    def left(self):
        return self._networks() & set(self.bad)

    def lost(self):
        return set(self.private) - self._networks()


class OpenSsh(OpenPort):
    title = "port 22 opened to 0.0.0.0/0"
    name, port, bad = "bastion", 22, ("0.0.0.0/0",)


class OpenRdp(OpenPort):
    title = "port 3389 opened to two halves of the internet"
    name, port, bad = "terminal", 3389, ("0.0.0.0/1", "128.0.0.0/1")


class PublicQueue(Change):
    title = "queue made public"
    event = "SetQueueAttributes"
    resource = "orders"
    good = {"ShopSends"}

    def prepare(self):
        self.url = self.owner("sqs").create_queue(QueueName=self.resource)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:{self.account}:{self.resource}"

    def make(self):
        document = policy(
            statement("ShopSends", self.root, "sqs:SendMessage", self.arn),
            statement("Everybody", "*", "sqs:*", self.arn),
        )
        self.user("sqs").set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": document})

    def _sids(self):
        answer = self.owner("sqs").get_queue_attributes(QueueUrl=self.url, AttributeNames=["Policy"])
        return sids(answer.get("Attributes", {}).get("Policy"))

    def left(self):
        return self._sids() - self.good

    def lost(self):
        return self.good - self._sids()


class PublicTopic(Change):
    title = "topic made public"
    event = "SetTopicAttributes"
    resource = "invoices"
    good = {"BillingPublishes"}

    def prepare(self):
        self.arn = self.owner("sns").create_topic(Name=self.resource)["TopicArn"]

    def make(self):
        document = policy(
            statement("BillingPublishes", self.root, "sns:Publish", self.arn),
            statement("Everybody", {"AWS": "*"}, ["sns:Publish", "sns:Subscribe"], self.arn),
        )
        self.user("sns").set_topic_attributes(TopicArn=self.arn, AttributeName="Policy", AttributeValue=document)

    def state(self):
        """The topic's policy as it is now."""
        return self.owner("sns").get_topic_attributes(TopicArn=self.arn)["Attributes"]["Policy"]

    def _sids(self):
        return sids(self.state())

    def left(self):
        return self._sids() - self.good

    def lost(self):
        return self.good - self._sids()

    def change_meanwhile(self):
        """Somebody else's change after Onus took the bad statement back."""
        document = policy(
            statement("BillingPublishes", self.root, "sns:Publish", self.arn),
            statement("ReportsSubscribe", self.root, "sns:Subscribe", self.arn),
        )
        self.owner("sns").set_topic_attributes(TopicArn=self.arn, AttributeName="Policy", AttributeValue=document)


class StoppedTrail(Change):
    title = "trail stopped"
    event = "StopLogging"
    resource = "organisation-trail"

    def prepare(self):
        self.owner("s3").create_bucket(Bucket="organisation-trail-logs")
        trail = self.owner("cloudtrail")
        document = policy(
            statement("Acl", {"Service": "cloudtrail.amazonaws.com"}, "s3:GetBucketAcl",
                      "arn:aws:s3:::organisation-trail-logs"),
            statement("Write", {"Service": "cloudtrail.amazonaws.com"}, "s3:PutObject",
                      f"arn:aws:s3:::organisation-trail-logs/AWSLogs/{self.account}/*"),
        )
        self.owner("s3").put_bucket_policy(Bucket="organisation-trail-logs", Policy=document)
        trail.create_trail(Name=self.resource, S3BucketName="organisation-trail-logs", IsMultiRegionTrail=True)
        trail.start_logging(Name=self.resource)

    def make(self):
        self.user("cloudtrail").stop_logging(Name=self.resource)

    def left(self):
        logging = self.owner("cloudtrail").get_trail_status(Name=self.resource)["IsLogging"]
        return set() if logging else {"not logging"}


class AttachedAdministrator(Change):
    title = "AdministratorAccess attached to a user"
    event = "AttachUserPolicy"
    resource = "contractor"

    def prepare(self):
        iam = self.owner("iam")
        iam.create_user(UserName=self.resource)
        iam.attach_user_policy(UserName=self.resource, PolicyArn=READ_ONLY)

    def make(self):
        self.user("iam").attach_user_policy(UserName=self.resource, PolicyArn=ADMINISTRATOR)

    def _attached(self):
        answer = self.owner("iam").list_attached_user_policies(UserName=self.resource)
        return {entry["PolicyArn"] for entry in answer["AttachedPolicies"]}

    def left(self):
        return self._attached() & {ADMINISTRATOR}

    def lost(self):
        return {READ_ONLY} - self._attached()


ALL = (
    BucketByAcl,
    BucketByPolicy,
    OpenSsh,
    OpenRdp,
    PublicQueue,
    PublicTopic,
    StoppedTrail,
    AttachedAdministrator,
)
