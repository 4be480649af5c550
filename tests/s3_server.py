"""An S3 server for tests (moto's), in a process of its own: prints its port, ends with its stdin.

Usage: python s3_server.py BUCKET
"""

import logging
import os
import sys

import boto3
from moto.server import ThreadedMotoServer


def main() -> None:
    """Serve until the test is over."""
    logging.disable()
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")  # noqa: S106  # of the test's own server
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="eu-west-1")
    place = {"LocationConstraint": "eu-west-1"}
    client.create_bucket(Bucket=sys.argv[1], CreateBucketConfiguration=place)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
