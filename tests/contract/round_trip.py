"""Run under whatever protobuf is found first: messages there and back, and one real call of the service.

Usage: python round_trip.py REPOSITORY; prints the version of protobuf.
"""

import sys

import google.protobuf

from protos.numeral.v1.recognizer_pb2 import RecognizeRequest, RecognizeResponse
from service.client import Recognizer
from tests.service.harness import drawing, running


def messages() -> None:
    request = RecognizeRequest(pixels=bytes(784))
    assert RecognizeRequest.FromString(request.SerializeToString()) == request
    assert request.WhichOneof("picture") == "pixels"
    response = RecognizeResponse(digit=7, probabilities=[0.25] * 10, model_version="3", weights_sha256="ab")
    again = RecognizeResponse.FromString(response.SerializeToString())
    assert (again.digit, list(again.probabilities), again.model_version) == (7, [0.25] * 10, "3")


def call(repository: str) -> None:
    with running(repository) as server, Recognizer(server.address) as client:
        reading = client.recognize(drawing())
    assert len(reading.probabilities) == 10
    assert reading.model_version == "1"


if __name__ == "__main__":
    messages()
    call(sys.argv[1])
    print(google.protobuf.__version__)
