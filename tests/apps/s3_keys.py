"""Put, get, list and delete objects of awkward names at an S3 endpoint; runs in the applications' environment.

`s3_keys.py ENDPOINT` makes a user there and prints the key and the secret as JSON; with a bucket, the key and
the secret added it prints what came of each name.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

NAMES = [
    "plain", "a/b", "a//b", "/lead", "//lead", "dot/./x", "dot/../y", "..", ".", "trail/", "%41", "%2F", "100%25",
    "a space", " edge ", "plus+sign", "caf\u00e9/\ud55c\uae00", "~tilde", "star*", "quote'(x)", "semi;v=1", "eq=amp&x",
    "at@colon:comma,", "what?", "hash#1", "back\\slash", 'pipe|"[x]', "http://x.org/y", "k" * 900,
]  # fmt: skip
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def client(service, endpoint, key="none", secret="none"):
    """A client whose requests carry a signature (version 4) over method, path, query and fields."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(signature_version="v4" if service == "iam" else "s3v4", retries={"max_attempts": 1}),
    )


def user(endpoint):
    """Make a user who may do everything."""
    iam = client("iam", endpoint)
    iam.create_user(UserName="tester")
    made = iam.create_access_key(UserName="tester")["AccessKey"]
    iam.put_user_policy(UserName="tester", PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    return [made["AccessKeyId"], made["SecretAccessKey"]]


def code(call, **arguments):
    """What `call` returns, or the code of its error."""
    try:
        return call(**arguments)
    except ClientError as error:
        return {"error": error.response["Error"]["Code"]}


def outcomes(endpoint, bucket, *credentials):
    """What came of each name."""
    s3 = client("s3", endpoint, *credentials)
    made = code(s3.create_bucket, Bucket=bucket)
    if "error" in made:
        return made
    found = {name: [] for name in NAMES}
    for name, results in found.items():
        results.append(code(s3.put_object, Bucket=bucket, Key=name, Body=name.encode()).get("error", "put"))
    listed = {each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", ())}
    for name, results in found.items():
        got = code(s3.get_object, Bucket=bucket, Key=name)
        results.append(got["error"] if "error" in got else got["Body"].read().decode())
        results.append(name in listed)
        results.append(code(s3.delete_object, Bucket=bucket, Key=name).get("error", "deleted"))
    left = s3.list_objects_v2(Bucket=bucket).get("KeyCount")
    return {"found": found, "listed": len(listed), "left": left}


if __name__ == "__main__":
    print(json.dumps(outcomes(*sys.argv[1:]) if sys.argv[2:] else user(sys.argv[1])))
