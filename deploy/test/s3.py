# ruff: noqa: INP001 - a program of an image, beside its Dockerfile
"""A store that speaks S3 and keeps everything in memory: moto's server, with the bucket `models` in it."""

import os
import signal

import boto3
from moto.server import ThreadedMotoServer

PORT = 9000


def main() -> None:
    """Answer until SIGTERM."""
    server = ThreadedMotoServer("0.0.0.0", PORT)  # noqa: S104 - in a container, whose port is not published
    server.start()
    keys = {
        "aws_access_key_id": os.environ["MINIO_ROOT_USER"],
        "aws_secret_access_key": os.environ["MINIO_ROOT_PASSWORD"],
    }
    store = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{PORT}", region_name="us-east-1", **keys)
    store.create_bucket(Bucket="models")
    signal.pause()


if __name__ == "__main__":
    main()
